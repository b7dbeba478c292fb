import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import t from 'tap'
import { MAX_ADMIN_CONNECTIONS } from '../src/admin/admin-server.ts'
import { isLocalHost, isLoopback } from '../src/admin/host-check.ts'
import { serve } from '../src/serve.ts'
import { askAdmin } from './support/admin-client.ts'
import { EventLog } from './support/event-log.ts'
import { fixtureUrl } from './support/fixture-url.ts'
import { RawClient } from './support/raw-client.ts'
import { serveTroubles } from './support/test-server.ts'
import { until } from './support/until.ts'

const ADMIN = { adminPort: 0 }
const PATHS = ['/', '/livez', '/readyz', '/metrics', '/info', '/live']

t.test('GET and HEAD, and nothing else', async (t) => {
  const { server } = await serveTroubles(t, ADMIN)
  for (const path of PATHS) {
    const got = await askAdmin(server, path)
    t.equal(got.status, 200, path)
    const head = await askAdmin(server, path, { method: 'HEAD' })
    t.equal(head.status, 200, path)
    t.equal(head.body, '', path)
    t.equal(head.headers['content-type'], got.headers['content-type'], path)
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
      const refused = await askAdmin(server, path, { method })
      t.equal(refused.status, 405, `${method} ${path}`)
      t.equal(refused.headers['allow'], 'GET, HEAD')
    }
  }
  for (const path of ['/nothing', '/info/', '//', '/..', '/metrics%20', '/live.html']) {
    t.equal((await askAdmin(server, path)).status, 404, path)
  }
})

t.test('every answer is for this origin alone, and is not kept', async (t) => {
  const { server } = await serveTroubles(t, ADMIN)
  for (const path of [...PATHS, '/nothing']) {
    const { headers } = await askAdmin(server, path, { headers: { origin: 'http://evil.test' } })
    t.match(headers, {
      'cache-control': 'no-store',
      'cross-origin-resource-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'content-security-policy': /^default-src 'none'; .*frame-ancestors 'none'/,
    })
    t.notOk(
      Object.keys(headers).some((name) => name.startsWith('access-control-')),
      path,
    )
  }
})

t.test('prevents DNS rebinding: on loopback, names of others are not answered to', async (t) => {
  const { server } = await serveTroubles(t, ADMIN)
  const { port } = server.admin!
  const statusFor = async (host: string): Promise<number> =>
    (await askAdmin(server, '/info', { headers: { host } })).status
  for (const host of [
    'evil.test',
    `evil.test:${port}`,
    'localhost.evil.test',
    '127.0.0.1.evil.test',
  ]) {
    t.equal(await statusFor(host), 421, host)
  }
  for (const host of ['localhost', `LOCALHOST:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`]) {
    t.equal(await statusFor(host), 200, host)
  }
})

t.test('hosts and addresses that are local', async (t) => {
  for (const host of [undefined, 'localhost', 'a.localhost:1', '10.0.0.1', '[fe80::1]:80']) {
    t.ok(isLocalHost(host), String(host))
  }
  for (const host of [
    '',
    'a',
    'localhost.',
    'localhost:x',
    '1.2.3',
    '[a]',
    '[::1',
    'localhost@a',
    '127.0.0.1:80:80',
  ]) {
    t.notOk(isLocalHost(host), host)
  }
  for (const address of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'])
    t.ok(isLoopback(address))
  for (const address of ['0.0.0.0', '::', '10.0.0.1', '::ffff:10.0.0.1'])
    t.notOk(isLoopback(address))
})

t.test('on an address that others reach, any name is answered to', async (t) => {
  const { server } = await serveTroubles(t, { ...ADMIN, adminHost: '0.0.0.0' })
  t.equal(server.admin!.url, `http://127.0.0.1:${server.admin!.port}`)
  const admin = { ...server.admin!, host: '127.0.0.1' }
  t.equal((await askAdmin({ admin }, '/livez', { headers: { host: 'pod.test' } })).status, 200)
})

t.test('an admin port that is taken ends the start', async (t) => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.teardown(() => other.close())
  const log = new EventLog()
  const { port } = other.address() as { port: number }
  await t.rejects(
    serve(fixtureUrl('hello.ts'), { port: 0, workers: 1, adminPort: port, onEvent: log.listener }),
    { code: 'RR_BIND_FAILED' },
  )
  t.strictSame(log.of('worker-listening'), [])
})

t.test('a start that fails leaves no admin server', async (t) => {
  const log = new EventLog()
  const options = { port: 0, workers: 1, ...ADMIN, onEvent: log.listener }
  await t.rejects(serve(fixtureUrl('troubles.ts', { load: 'throw' }), options), {
    code: 'RR_APPLICATION_FAILED',
  })
  const [admin] = log.of('admin-listening')
  await t.rejects(askAdmin({ admin: admin! }, '/livez'), { code: 'ECONNREFUSED' })
})

t.test('prevents a flood from holding much: connections past the bound are dropped', async (t) => {
  const { server } = await serveTroubles(t, ADMIN)
  const sockets: Socket[] = []
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
  })
  let dropped = 0
  for (let index = 0; index < MAX_ADMIN_CONNECTIONS + 5; index++) {
    const socket = connect(server.admin!.port, '127.0.0.1')
    socket.on('error', () => {})
    socket.on('close', () => dropped++)
    sockets.push(socket)
  }
  await until(() => dropped === 5, 'five to be dropped')
  for (const socket of sockets) socket.destroy()
  await until(() => dropped === sockets.length, 'all to close')
  // The server hears of the ends a little later than they happen.
  let status = 0
  while (status !== 200) {
    status = (await askAdmin(server, '/livez').catch(() => ({ status: 0 }))).status
  }
})

t.test('what is no HTTP, or no path, is refused and harms nobody', async (t) => {
  const { server } = await serveTroubles(t, ADMIN)
  const inputs = [
    'nonsense\r\n\r\n',
    'GET http://evil.test/info HTTP/1.1\r\nHost: localhost\r\n\r\n',
    'GET /info HTTP/1.1\r\n\r\n',
    `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(9000)}\r\n\r\n`,
    'POST /info HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n',
    'OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n',
  ]
  for (const input of inputs) {
    const client = await RawClient.connect(server.admin!.port)
    client.send(input)
    await client.expect(/^HTTP\/1\.1 4\d\d /)
    client.close()
  }
  t.equal((await askAdmin(server, '/livez')).status, 200)
})
