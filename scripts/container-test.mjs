// Builds the image of the Containerfile in a Debian tree, without a container engine, and runs it
// the way an engine does: its own mounts and process ids, a read-only root, not as root, the
// entrypoint as PID 1. Then signals, health check, orphans and stuck threads.
//
//   npx pnpm container [--tree FOLDER] [--keep]
//
// Needs root on Debian or Ubuntu with debootstrap, overlayfs, and the network (Debian's mirror, the
// npm registry). --tree takes and leaves the Debian tree, which is half of the time.

import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { ContainerBuild } from './container-build.mjs'
import { checkContainer } from './container-checks.mjs'
import { whyNoNamespaces } from './container-run.mjs'
import { inRoot } from './project-paths.mjs'

const { values } = parseArgs({
  options: { tree: { type: 'string' }, keep: { type: 'boolean', default: false } },
})

const reason = whyNoNamespaces() ?? whyNoDebootstrap()
if (reason !== undefined) {
  console.log(`container test skipped: ${reason}`)
  process.exit(0)
}

const work = mkdtempSync(join(tmpdir(), 'rr-container-'))
try {
  const tree = values.tree === undefined ? join(work, 'debian') : resolve(values.tree)
  if (!existsSync(join(tree, 'etc'))) makeTree(tree)
  const build = new ContainerBuild({ tree, work, context: inRoot() })
  const image = build.run()
  const size = spawnSync('du', ['-sm', join(image.root, 'rr')], { encoding: 'utf8' }).stdout
  console.log(`built: ${size.split('\t')[0]} MB above the base image`)
  const app = join(work, 'app')
  cpSync(inRoot('test', 'fixtures', 'container-app'), app, { recursive: true })
  const { root, user, workdir, env, entrypoint, healthcheck } = image
  const failed = await checkContainer({
    container: { source: root, root, mounts: [[app, '/app']], user, workdir, env },
    entrypoint,
    healthcheck,
    app,
  })
  console.log(failed === 0 ? 'container test passed' : `container test: ${failed} checks failed`)
  process.exitCode = failed === 0 ? 0 : 1
} finally {
  if (values.keep) console.log(`kept: ${work}`)
  else rmSync(work, { recursive: true, force: true })
}

function whyNoDebootstrap() {
  const found = spawnSync('debootstrap', ['--version']).error === undefined
  return found ? undefined : 'no debootstrap on this machine'
}

/**
 * Debian with what the base image adds to it that matters here: Node.js and npm, of the versions
 * that this workspace runs on.
 *
 * @param {string} tree
 */
function makeTree(tree) {
  console.log('making a Debian tree')
  const args = ['--variant=minbase', '--include=ca-certificates,libstdc++6,libatomic1']
  const made = spawnSync('debootstrap', [...args, 'bookworm', tree], { encoding: 'utf8' })
  if (made.status !== 0) throw new Error(`debootstrap failed:\n${made.stdout}${made.stderr}`)
}
