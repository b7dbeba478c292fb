import { writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { OpenRequest } from './support/open-request.ts'
import { ServeProcess } from './support/serve-process.ts'

const ECHO = 'export default { fetch: async (request) => new Response(await request.text()) }'

function serveEcho(t: Test, ...args: string[]): ServeProcess {
  return new ServeProcess(t, ['-p', '0', '-w', '2', ...args, 'app.js'], {
    cwd: t.testdir({ 'app.js': ECHO }),
  })
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  t.test(`${signal} lets a request in flight finish: 0`, async (t) => {
    const server = serveEcho(t, '--log-level', 'debug')
    const request = await OpenRequest.begin(await server.port())
    server.child.kill(signal)
    await server.printed(
      /"worker":[12],.*"msg":"drain-started"[\s\S]*"worker":[12],.*"msg":"drain-started"/,
    )
    request.finish()
    const answer = await request.answer
    t.match(answer, /HTTP\/1\.1 200 OK\r\n/)
    t.match(answer, /\r\nconnection: close\r\n/i)
    t.ok(answer.endsWith('body'))
    t.equal(await server.exit, 0)
    t.match(server.stdout, /"drained":true,"remaining":0,"msg":"drained: /)
  })
}

t.test('a request that outlasts the drain timeout is cut: 4', async (t) => {
  const server = serveEcho(t, '--drain-timeout', '100ms')
  const request = await OpenRequest.begin(await server.port())
  t.equal(await server.stop(), 4)
  t.notMatch(await request.answer, 'HTTP/1.1 200')
  t.match(server.records().at(-1), { drained: false, remaining: 1 })
})

t.test('a second signal ends at once: 4', async (t) => {
  const server = serveEcho(t, '--drain-timeout', '1h')
  const request = await OpenRequest.begin(await server.port())
  server.child.kill('SIGTERM')
  await server.printed(/"msg":"draining/)
  t.equal(await server.stop('SIGINT'), 4)
  t.notMatch(await request.answer, 'HTTP/1.1 200')
  t.match(server.stdout, /"msg":"SIGINT again: stopping now"/)
})

t.test('one key press that arrives twice is one signal', async (t) => {
  const server = serveEcho(t, '--drain-timeout', '1h')
  const request = await OpenRequest.begin(await server.port())
  server.child.kill('SIGINT')
  server.child.kill('SIGINT')
  await server.printed(/"msg":"draining/)
  request.finish()
  t.ok((await request.answer).endsWith('body'))
  t.equal(await server.exit, 0)
})

t.test('a signal during the start stops cleanly: 0', async (t) => {
  const cwd = t.testdir({
    'app.js': `
      import { watch, existsSync } from 'node:fs'
      const watcher = watch('.')
      await new Promise((resolve) => {
        watcher.on('change', () => existsSync('go') && resolve())
        if (existsSync('go')) resolve()
      })
      watcher.close()
      ${ECHO}`,
  })
  const server = new ServeProcess(t, ['-p', '0', '-w', '2', 'app.js'], { cwd })
  await server.printed(/"msg":"2 workers/)
  server.child.kill('SIGTERM')
  await server.printed(/"msg":"SIGTERM: stopping/)
  writeFileSync(`${cwd}/go`, '')
  t.equal(await server.exit, 0)
  t.notMatch(server.stdout, /listening on/)
})

t.test('a signal while the command itself is loading stops cleanly: 0', async (t) => {
  const cwd = t.testdir({
    'app.js': ECHO,
    'preload.mjs': `
      import { registerHooks } from 'node:module'
      import { isMainThread } from 'node:worker_threads'
      if (isMainThread) registerHooks({
        resolve(specifier, context, next) {
          if (specifier.endsWith('/main.js')) process.kill(process.pid, 'SIGTERM')
          return next(specifier, context)
        },
      })`,
  })
  const env = { NODE_OPTIONS: '--import=./preload.mjs' }
  const server = new ServeProcess(t, ['-p', '0', '-w', '2', 'app.js'], { cwd, env })
  t.equal(await server.exit, 0)
  t.match(server.stdout, '"msg":"SIGTERM: stopping"')
  t.notMatch(server.stdout, /listening on/)
})

t.test('a second signal ends a start that hangs: 4', async (t) => {
  const server = new ServeProcess(t, ['-p', '0', '-w', '2', 'app.js'], {
    cwd: t.testdir({ 'app.js': 'await new Promise((resolve) => setTimeout(resolve, 2 ** 30))' }),
  })
  await server.printed(/"msg":"2 workers/)
  server.child.kill('SIGTERM')
  await server.printed(/"msg":"SIGTERM: stopping/)
  t.equal(await server.stop('SIGINT'), 4)
})

t.test('a start that hangs ends at the drain timeout: 4', async (t) => {
  const server = new ServeProcess(t, ['-p', '0', '-w', '2', '--drain-timeout=50', 'app.js'], {
    cwd: t.testdir({ 'app.js': 'await new Promise((resolve) => setTimeout(resolve, 2 ** 30))' }),
  })
  await server.printed(/"msg":"2 workers/)
  t.equal(await server.stop(), 4)
})

t.test('SIGHUP during a drain is ignored, and said to be', async (t) => {
  const server = serveEcho(t, '--drain-timeout', '1h')
  const request = await OpenRequest.begin(await server.port())
  server.child.kill('SIGTERM')
  await server.printed(/"msg":"draining/)
  server.child.kill('SIGHUP')
  await server.printed(/"msg":"SIGHUP: ignored, the server is stopping"/)
  request.finish()
  t.ok((await request.answer).endsWith('body'))
  t.equal(await server.exit, 0)
})
