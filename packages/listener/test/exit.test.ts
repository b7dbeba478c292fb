import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { fixtureUrl } from './support/fixture-url.ts'

const run = promisify(execFile)
const program = fileURLToPath(fixtureUrl('serve-and-exit.ts'))

for (const way of ['listen', 'serve']) {
  for (const ending of ['drain', 'stop']) {
    t.test(`after ${ending} of ${way}() nothing keeps the process`, async (t) => {
      const { stdout, stderr } = await run(process.execPath, [program, way, ending], {
        timeout: 20_000,
      })
      t.equal(stdout, 'ended by itself with 0\n')
      t.equal(stderr, '')
    })
  }
}
