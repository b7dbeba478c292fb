import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bin, inRoot } from './project-paths.mjs'

/**
 * A stamp says that a set-up step was finished for exactly these inputs. It lives in node_modules,
 * so that removing that folder removes it too, and is written only after the step succeeded.
 *
 * @param {string} step
 * @param {string[]} extraInputs files besides the manifests and the lockfile
 */
export function setUpStamp(step, extraInputs = []) {
  const file = inRoot('node_modules', `.rr-${step}`)
  const wanted = hashOf([...manifests(), ...extraInputs])
  return {
    /** True when the step was finished for these inputs and its result is still there. */
    isCurrent: () =>
      existsSync(file) && readFileSync(file, 'utf8') === wanted && existsSync(bin('node')),
    clear: () => rmSync(file, { force: true }),
    write() {
      // Renamed into place: a half-written stamp must not exist, even for a moment.
      const draft = `${file}.${process.pid}`
      writeFileSync(draft, wanted)
      renameSync(draft, file)
    },
  }
}

/** Every file that decides what an install does. */
function manifests() {
  const packageDirs = readdirSync(inRoot('packages')).map((name) => join('packages', name))
  return [
    'pnpm-lock.yaml',
    'pnpm-workspace.yaml',
    ...['.', 'bench', ...packageDirs].sort().map((dir) => join(dir, 'package.json')),
  ]
}

/** @param {string[]} files */
function hashOf(files) {
  const hash = createHash('sha256')
  // The installed packages hold binaries, so a tree copied from another kind of machine is stale.
  hash.update(`${process.platform} ${process.arch}\n`)
  for (const file of files) {
    const path = inRoot(file)
    hash.update(`${file}\n`)
    if (existsSync(path)) hash.update(readFileSync(path))
  }
  return hash.digest('hex')
}
