import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { installEnv, packageManagerSpec, publicPackages, toolEnv } from './project-paths.mjs'

/**
 * Packs every public package as it would be published.
 *
 * @param {string} folder an existing folder that takes the tarballs
 * @returns {{ name: string, tarball: string }[]} in the order of publicPackages
 */
export function packPackages(folder) {
  return publicPackages.map(({ name, dir }) => {
    const before = new Set(readdirSync(folder))
    const packed = spawnSync(
      'npx',
      ['--yes', packageManagerSpec(), 'pack', '--pack-destination', folder],
      { cwd: dir, env: toolEnv(installEnv()), encoding: 'utf8' },
    )
    const created = readdirSync(folder).filter((file) => !before.has(file))
    const [file] = created
    if (packed.status !== 0 || created.length !== 1 || file === undefined) {
      throw new Error(`could not pack ${name}:\n${packed.stdout}${packed.stderr}`)
    }
    return { name, tarball: join(folder, file) }
  })
}
