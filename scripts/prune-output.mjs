import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { inRoot, publicPackages } from './project-paths.mjs'

const OUTPUT_SUFFIX = /\.(js|d\.ts)(\.map)?$/

/**
 * Removes compiled files whose source is gone. The compiler leaves them, and they would be packed
 * and could still be imported.
 */
export function pruneOutput() {
  for (const dir of [...publicPackages.map((entry) => entry.dir), inRoot('bench')]) {
    pruneFolder(join(dir, 'dist'), join(dir, 'src'))
  }
}

/**
 * @param {string} output
 * @param {string} source
 */
function pruneFolder(output, source) {
  if (!existsSync(output)) return
  for (const entry of readdirSync(output, { withFileTypes: true })) {
    const path = join(output, entry.name)
    if (entry.isDirectory()) {
      const folder = join(source, entry.name)
      if (existsSync(folder)) pruneFolder(path, folder)
      else rmSync(path, { recursive: true })
    } else if (OUTPUT_SUFFIX.test(entry.name)) {
      const stem = entry.name.replace(OUTPUT_SUFFIX, '')
      if (!existsSync(join(source, `${stem}.ts`))) rmSync(path)
    }
  }
}
