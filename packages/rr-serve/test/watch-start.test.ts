import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ServeProcess } from './support/serve-process.ts'

const APP = "import { text } from '@rr/core'\nexport default () => text('ok')\n"
const ARGS = ['--watch', '-p', '0', '-w', '2', 'app.ts']

t.test('--watch: a start with a syntax error says where, and waits for a change', async (t) => {
  const cwd = t.testdir({ 'app.ts': `${APP}const = 1\n` })
  const server = new ServeProcess(t, ARGS, { cwd })
  await server.printed(/waiting for a change of the code/)
  t.match(server.stderr, /^rr-serve: cannot load app\.ts\n\n.+\n {4}at app\.ts:3:7\n/)
  writeFileSync(join(cwd, 'app.ts'), `${APP}const is = \n`)
  await server.printed(/waiting for a change[\s\S]+waiting for a change/)
  writeFileSync(join(cwd, 'app.ts'), APP)
  t.equal(await (await fetch(await server.url())).text(), 'ok')
  t.equal(await server.stop(), 0)
})

t.test('--watch: a file that an import names is waited for', async (t) => {
  const cwd = t.testdir({
    'app.ts':
      "import { text } from '@rr/core'\nimport { b } from './lib/b.ts'\nexport default () => text(b)\n",
    lib: {},
    'b.ts': "export const b = 'from b'\n",
  })
  const server = new ServeProcess(t, ARGS, { cwd })
  await server.printed(/waiting for a change of the code/)
  t.match(server.stderr, /Cannot find lib\/b\.ts, imported from app\.ts/)
  renameSync(join(cwd, 'b.ts'), join(cwd, 'lib/b.ts'))
  t.equal(await (await fetch(await server.url())).text(), 'from b')
  t.match(server.stdout, 'lib/b.ts has changed: starting again')
  t.equal(await server.stop(), 0)
})

t.test('--watch: a setup that fails waits, too, and a signal ends the waiting: 0', async (t) => {
  const cwd = t.testdir({
    'app.ts': `import { defineApp } from '@rr/core'
export default defineApp({ handler: () => {}, setup: () => { throw new Error('no database') } })
`,
  })
  const server = new ServeProcess(t, ARGS, { cwd })
  await server.printed(/waiting for a change of the code/)
  t.match(server.stderr, 'Error: no database')
  t.equal(await server.stop(), 0)
})

t.test('--watch: what no change of the code mends ends the command as ever', async (t) => {
  const cwd = t.testdir({ 'app.ts': APP })
  const missing = new ServeProcess(t, ['--watch', 'none.ts'], { cwd })
  t.equal(await missing.exit, 1)
  const address = new ServeProcess(t, ['--watch', '--host', '192.0.2.1', 'app.ts'], { cwd })
  t.equal(await address.exit, 3)
})
