// Which Node runs the command: the workspace's own, and a clear answer on one that is too old.

import { spawnSync } from 'node:child_process'
import { delimiter } from 'node:path'
import t from 'tap'
import { bin, inRoot } from '../scripts/project-paths.mjs'
import { cleanEnv } from './support/served-process.ts'

const MIN_NODE_MAJOR = 24

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

const outside = spawnSync('node', ['-p', 'process.versions.node'], { env, encoding: 'utf8' })
const outsideVersion = outside.stdout?.trim() ?? ''
const isOld = outsideVersion !== '' && Number.parseInt(outsideVersion, 10) < MIN_NODE_MAJOR
const skip = isOld ? false : `no Node older than ${MIN_NODE_MAJOR} on PATH`

t.test('on a Node that is too old the command says so', { skip }, async (t) => {
  const args = [inRoot('packages', 'rr-serve', 'bin', 'rr-serve.js'), 'app.ts']
  const { status, stdout, stderr } = spawnSync('node', args, { env, encoding: 'utf8' })
  t.equal(status, 2)
  t.equal(stdout, '')
  t.match(stderr, `needs Node.js ${MIN_NODE_MAJOR} or later; this is Node.js ${outsideVersion}`)
})
