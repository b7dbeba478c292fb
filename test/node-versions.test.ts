// Which Node runs the command: the workspace's own, and a clear answer on one that is too old.

import { spawnSync } from 'node:child_process'
import { delimiter } from 'node:path'
import t from 'tap'
import { bin, inRoot } from '../scripts/project-paths.mjs'
import { cleanEnv } from './support/served-process.ts'

/** PATH without the workspace's own commands, as in a fresh shell. */
const outsidePath = (process.env.PATH ?? '')
  .split(delimiter)
  .filter((dir) => !dir.includes('node_modules'))
  .join(delimiter)

const env = cleanEnv({ PATH: outsidePath })

t.test('the linked command runs on the pinned Node, whatever PATH holds', async (t) => {
  const { status, stdout } = spawnSync(bin('rr-serve'), ['--version'], { env, encoding: 'utf8' })
  t.equal(status, 0)
  t.match(stdout, process.versions.node)
})

// The message is tested on any machine: an old version is put in place of the real one.
const posing = 'data:text/javascript,Object.defineProperty(process.versions,"node",{value:VERSION})'

for (const version of ['18.20.8', '20.20.2', '24.11.1']) {
  t.test(`on Node.js ${version} the command says that it is too old`, async (t) => {
    const args = [
      '--import',
      posing.replace('VERSION', JSON.stringify(version)),
      inRoot('packages', 'rr-serve', 'bin', 'rr-serve.js'),
      'app.ts',
    ]
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' })
    t.equal(status, 2)
    t.equal(stdout, '')
    t.match(stderr, `needs Node.js 24.12 or later; this is Node.js ${version}`)
  })
}
