import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { ServeProcess } from './support/serve-process.ts'

const APP = `
  import { HttpError, text } from '@rr/core'
  import { createRouter } from '@rr/router'
  const app = createRouter()
  app.get('/', () => text('hello'))
  app.get('/users/:id', () => text('user'))
  app.get('/fail', () => { throw new Error('broken', { cause: new Error('deep') }) })
  app.get('/throw-text', () => { throw 'just text' })
  app.get('/throw-bare', () => { throw Object.create(null) })
  app.get('/teapot', () => { throw new HttpError(418) })
  app.get('/crash', () => { setImmediate(() => { throw new Error('crashed') }); return text('') })
  export default app`

function serveApp(t: Test, ...args: string[]): ServeProcess {
  const cwd = t.testdir({ 'app.ts': APP })
  return new ServeProcess(t, ['-p', '0', '-w', '2', ...args, 'app.ts'], { cwd })
}

t.test('the start: one line each for the version, the workers and the address', async (t) => {
  const server = serveApp(t)
  const port = await server.port()
  const [version, workers, address] = server.records()
  t.match(version, { level: 30, worker: 0, msg: /^rr-serve \S+, Node\.js \S+, process \d+$/ })
  t.match(workers, { worker: 0, workers: 2, msg: '2 workers: as configured' })
  t.match(address, {
    worker: 0,
    url: `http://0.0.0.0:${port}`,
    host: '0.0.0.0',
    port,
    workers: 2,
    msg: `listening on http://0.0.0.0:${port} (on this machine: http://localhost:${port})`,
  })
  t.equal(await server.stop(), 0)
})

t.test('an access line has the facts of its request', async (t) => {
  const server = serveApp(t, '--access-log')
  const url = await server.url()
  for (const path of ['/', '/users/7?full=1', '/nope', '/teapot'])
    await (await fetch(url + path)).text()
  t.equal(await server.stop(), 0)
  const lines = server.records().filter(({ msg }) => msg === 'request')
  const facts = { level: 30, method: 'GET', peer: '127.0.0.1' }
  t.match(lines, [
    { ...facts, target: '/', route: '/', status: 200, bytes: 5 },
    { ...facts, target: '/users/7?full=1', route: '/users/:id', status: 200, bytes: 4 },
    { ...facts, target: '/nope', route: null, status: 404 },
    { ...facts, target: '/teapot', route: '/teapot', status: 418 },
  ])
  t.equal(new Set(lines.map(({ requestId }) => requestId)).size, 4)
  for (const { worker, durationMs } of lines) {
    t.ok(worker === 1 || worker === 2)
    t.ok(typeof durationMs === 'number' && durationMs >= 0 && durationMs < 60_000)
  }
})

/** Sends bytes that are no request, or a request, and waits for the server to close. */
async function sendRaw(port: number, input: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' })
  socket.end(input)
  let answer = ''
  for await (const chunk of socket) answer += String(chunk)
  return answer
}

t.test('a refused request or connection has a line of its own', async (t) => {
  const server = serveApp(t, '--access-log', '--max-body', '5')
  const port = await server.port()
  t.match(await sendRaw(port, 'GET /\r\n\r\n'), /^HTTP\/1\.1 400 /)
  const target = `/${'t'.repeat(3000)}`
  const long = `POST ${target} HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n`
  t.match(await sendRaw(port, long), /^HTTP\/1\.1 413 /)
  t.equal(await server.stop(), 0)
  const lines = server.records().filter(({ msg }) => msg === 'refusal')
  const facts = { level: 30, cause: 'protocol', peer: '127.0.0.1', reason: /\S/ }
  t.match(lines, [
    { ...facts, status: 400, code: 'RR_REQUEST_MALFORMED', method: null, target: null },
    { ...facts, status: 413, code: 'RR_BODY_TOO_LARGE', method: 'POST' },
  ])
  t.equal(lines[1]?.['target'], target.slice(0, 1024), 'cut to a length that is safe to log')
  t.ok(lines.every(({ worker }) => worker === 1 || worker === 2))
})

t.test('refusals are logged at a bounded rate, and the others counted', async (t) => {
  const server = serveApp(t, '--access-log')
  const port = await server.port()
  const count = 60
  const start = performance.now()
  for (let i = 0; i < count; i++) await sendRaw(port, 'GET /\r\n\r\n')
  const windows = Math.ceil((performance.now() - start) / 1000) + 1
  t.equal(await server.stop(), 0)
  const shown = server.records().filter(({ msg }) => msg === 'refusal')
  t.ok(shown.length >= 10 && shown.length <= 2 * 10 * windows, `${shown.length} are shown`)
  const rest = server.records().filter(({ msg }) => /more refusals are not shown$/.test(msg))
  t.equal(
    rest.reduce((sum, line) => sum + Number(line['count']), 0),
    count - shown.length,
  )
})

t.test('a request that is refused once its handler runs has its access line alone', async (t) => {
  const dir = t.testdir({
    'app.js': `
      import { text } from '@rr/core'
      export default async (request) => text(await request.text())`,
  })
  const args = ['-p', '0', '-w', '1', '--access-log', '--max-body', '5', 'app.js']
  const server = new ServeProcess(t, args, { cwd: dir })
  const post = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'
  await sendRaw(await server.port(), `${post}6\r\nbbbbbb\r\n0\r\n\r\n`)
  t.equal(await server.stop(), 0)
  const lines = server.records().filter(({ msg }) => msg === 'refusal' || msg === 'request')
  t.match(lines, [{ msg: 'request', status: 413, target: '/' }])
  t.equal(lines.length, 1)
})

t.test('no access line without --access-log', async (t) => {
  const server = serveApp(t)
  await (await fetch(await server.url())).text()
  await sendRaw(await server.port(), 'GET /\r\n\r\n')
  t.equal(await server.stop(), 0)
  t.notMatch(server.stdout, '"msg":"request"')
  t.notMatch(server.stdout, '"msg":"refusal"')
})

t.test('silent leaves the access log, and nothing else', async (t) => {
  // Silence does not tell the port: the application does.
  const dir = t.testdir({
    'app.js': `
      import { Server } from 'node:net'
      const { listen } = Server.prototype
      Server.prototype.listen = function (...args) {
        this.once('listening', () => console.log('at port ' + this.address().port))
        return listen.apply(this, args)
      }
      export default { fetch: () => new Response('ok') }`,
  })
  const args = ['-p', '0', '-w', '1', '--log-level', 'silent', '--access-log', 'app.js']
  const server = new ServeProcess(t, args, { cwd: dir })
  const [, port] = await server.printed(/^at port (\d+)$/m)
  await (await fetch(`http://127.0.0.1:${port}`)).text()
  t.equal(await server.stop(), 0)
  const lines = server.stdout.split('\n').filter((line) => line.startsWith('{'))
  t.equal(lines.length, 1)
  t.match(JSON.parse(lines[0] ?? ''), { msg: 'request', status: 200 })
})

t.test('a handler that fails is logged where it failed, once', async (t) => {
  const server = serveApp(t)
  const url = await server.url()
  t.equal((await fetch(`${url}/fail?x=1`)).status, 500)
  t.equal((await fetch(`${url}/throw-text`)).status, 500)
  t.equal((await fetch(`${url}/throw-bare`)).status, 500)
  t.equal((await fetch(`${url}/teapot`)).status, 418)
  t.equal(await server.stop(), 0)
  const errors = server.records().filter(({ level }) => level === 50)
  t.equal(errors.length, 3, 'a status of the choice of the handler is no failure')
  t.match(errors, [
    {
      method: 'GET',
      target: '/fail?x=1',
      route: '/fail',
      requestId: /\S/,
      err: { type: 'Error', stack: /broken[\s\S]*app\.ts:7:\d+[\s\S]*caused by: Error: deep/ },
      msg: /^GET \/fail\?x=1 failed \(\S+\)$/,
    },
    { target: '/throw-text', err: { message: "a handler threw 'just text'" } },
    { target: '/throw-bare', err: { message: 'a handler threw [Object: null prototype] {}' } },
  ])
  t.ok(errors.every(({ worker }) => worker === 1 || worker === 2))
})

t.test('handler errors are logged at a bounded rate, and the others counted', async (t) => {
  const server = serveApp(t)
  const url = await server.url()
  const count = 60
  const start = performance.now()
  for (let i = 0; i < count; i++) await (await fetch(`${url}/fail`)).text()
  const windows = Math.ceil((performance.now() - start) / 1000) + 1
  t.equal(await server.stop(), 0)
  const errors = server.records().filter(({ level }) => level === 50)
  const shown = errors.filter(({ err }) => err !== undefined)
  const dropped = errors.filter(({ err }) => err === undefined)
  t.ok(shown.length >= 10 && shown.length <= 2 * 10 * windows, `${shown.length} are shown`)
  const uncounted = count - shown.length
  t.equal(
    dropped.reduce((sum, line) => sum + Number(line['count']), 0),
    uncounted,
  )
  for (const { msg } of dropped) t.match(msg, /^\d+ more handler errors are not shown$/)
})

t.test('a worker that crashes is logged with its error, and replaced', async (t) => {
  const server = serveApp(t)
  const url = await server.url()
  await fetch(`${url}/crash`).catch(() => {})
  await server.printed(/"msg":"worker [12] listens again"/)
  t.equal(await server.stop(), 0)
  const crash = server.records().find(({ level }) => level === 50)
  t.match(crash, {
    worker: 0,
    workerId: Number,
    reason: 'crashed',
    err: { type: 'Error', message: 'crashed', stack: /app\.ts:11/ },
    msg: /^worker [12] ended: crashed, exit code 1; another starts in \d+ ms$/,
  })
})

t.test('the level is a floor', async (t) => {
  const server = serveApp(t, '--log-level', 'debug')
  await server.port()
  t.equal(await server.stop(), 0)
  t.match(server.stdout, /"level":20,.*"msg":"worker 2 listens"/)
  t.match(server.stdout, /"level":20,.*"worker":2,.*"msg":"listening"/)
})

t.test('a reader that leaves ends the log, not the server', async (t) => {
  const cwd = t.testdir({
    'app.js': `
      export default { fetch: () => { console.log('from the application'); return new Response('ok') } }`,
  })
  const server = new ServeProcess(t, ['-p', '0', '-w', '2', '--access-log', 'app.js'], { cwd })
  const url = await server.url()
  server.child.stdout?.destroy()
  for (let i = 0; i < 20; i++) t.equal((await fetch(url)).status, 200)
  t.equal(await server.stop(), 0)
  t.equal(server.stderr, 'rr-serve: the log cannot be written any more (EPIPE); serving goes on\n')
})
