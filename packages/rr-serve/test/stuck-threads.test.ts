import { spawnSync } from 'node:child_process'
import { createConnection } from 'node:net'
import t, { type Test } from 'tap'
import { ServeProcess } from './support/serve-process.ts'

/**
 * Ways of standing still. `terminate()` ends the first two; the others are native calls, for which
 * process.exit would wait.
 */
const STUCK: Readonly<Record<string, string>> = {
  'an endless loop': 'for (;;);',
  'Atomics.wait': 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)',
  'a long native call': "pbkdf2Sync('', '', 2 ** 31 - 1, 64, 'sha512')",
  'a read that blocks': "readSync(openSync('fifo', 'r'), Buffer.alloc(1))",
}

const HEAD = `
  import { pbkdf2Sync } from 'node:crypto'
  import { openSync, readSync, writeSync } from 'node:fs'
  import { defineApp, text } from '@rr/core'
  const say = () => writeSync(1, 'stuck now\\n')`

function start(t: Test, app: string): ServeProcess {
  const cwd = t.testdir({ 'app.js': `${HEAD}\n${app}` })
  spawnSync('mkfifo', [`${cwd}/fifo`])
  const args = ['-p', '0', '-w', '2', '--drain-timeout', '50ms', 'app.js']
  return new ServeProcess(t, args, { cwd })
}

for (const [name, code] of Object.entries(STUCK)) {
  t.test(`SIGTERM ends a process with ${name} in a handler: 4`, async (t) => {
    const server = start(t, `export default () => { say(); ${code}; return text('') }`)
    const socket = createConnection(await server.port(), '127.0.0.1').on('error', () => {})
    t.teardown(() => socket.destroy())
    socket.write('GET / HTTP/1.1\r\nHost: test\r\n\r\n')
    await server.printed(/stuck now/)
    t.equal(await server.stop(), 4)
    t.match(server.stdout, /"msg":"draining/)
  })
}

for (const name of ['an endless loop', 'a read that blocks']) {
  t.test(`SIGTERM ends a process with ${name} in its teardown`, async (t) => {
    const server = start(
      t,
      `export default defineApp({
        handler: () => text(''),
        teardown: ({ workerId }) => { if (workerId === 2) { say(); ${STUCK[name]} } },
      })`,
    )
    await server.port()
    const code = await server.stop()
    // No request was cut by the loop, which can be ended; a thread that must be left is not clean.
    t.equal(code, name === 'an endless loop' ? 0 : 4)
    t.match(server.stdout, 'stuck now')
  })
}

t.test('a second signal ends a process that is stuck in a native call: 4', async (t) => {
  const server = start(
    t,
    `export default () => { say(); ${STUCK['a long native call']}; return text('') }`,
  )
  const socket = createConnection(await server.port(), '127.0.0.1').on('error', () => {})
  t.teardown(() => socket.destroy())
  socket.write('GET / HTTP/1.1\r\nHost: test\r\n\r\n')
  await server.printed(/stuck now/)
  server.child.kill('SIGTERM')
  await server.printed(/"msg":"SIGTERM: stopping/)
  t.equal(await server.stop('SIGINT'), 4)
})

t.test('a start that stands in a native call ends at the drain timeout: 4', async (t) => {
  const server = start(t, `say(); ${STUCK['a long native call']}`)
  await server.printed(/stuck now/)
  t.equal(await server.stop(), 4)
})
