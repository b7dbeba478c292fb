import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import { serve } from '../src/serve.ts'
import { askAdmin } from './support/admin-client.ts'
import { EventLog } from './support/event-log.ts'
import { fixtureUrl } from './support/fixture-url.ts'
import { SharedCounters } from './support/shared-counters.ts'
import { answer, serveTroubles } from './support/test-server.ts'
import { until } from './support/until.ts'

const ADMIN = { adminPort: 0 }

t.test('without adminPort there is none', async (t) => {
  const { server, log } = await serveTroubles(t)
  t.equal(server.admin, null)
  t.strictSame(log.of('admin-listening'), [])
})

t.test('while workers start: alive, not ready; then ready', async (t) => {
  const log = new EventLog()
  const counters = new SharedCounters()
  const starting = serve(fixtureUrl('troubles.ts', { setup: 'second-waits' }), {
    host: '127.0.0.1',
    port: 0,
    workers: 2,
    adminPort: 0,
    onEvent: log.listener,
    workerHooks: fixtureUrl('hooks.ts'),
    workerHooksData: { buffer: counters.buffer },
  })
  const admin = await log.wait('admin-listening')
  await log.wait('worker-listening')
  const early = await askAdmin({ admin }, '/readyz')
  t.match(early, { status: 503, body: 'starting: 1 of 2 workers serve\n' })
  t.match(await askAdmin({ admin }, '/livez'), { status: 200, body: 'ok\n' })
  counters.add('released2')
  const server = await starting
  t.teardown(() => server.stop())
  t.match(server.admin, { host: '127.0.0.1', port: admin.port, url: admin.url })
  t.match(await askAdmin(server, '/readyz'), { status: 200, body: 'ok\n' })
})

t.test(
  'not ready from the first moment of a drain, accepting until its delay is over',
  async (t) => {
    const {
      server,
      log,
      connect: client,
    } = await serveTroubles(t, { ...ADMIN, drainDelayMs: 60_000 })
    const drained = server.drain()
    t.equal(server.status(), 'draining')
    t.match(await askAdmin(server, '/readyz'), { status: 503, body: 'draining\n' })
    t.match(await askAdmin(server, '/livez'), { status: 200 })
    await answer(await client(), '/', /ok/)
    t.match(log.of('drain-started'), [{ delayMs: 60_000 }])
    void server.drain()
    await answer(await client(), '/', /ok/)
    void server.drain({ delayMs: 0 })
    t.strictSame(await drained, { drained: true })
    t.equal(log.of('drain-started').length, 1)
    await t.rejects(askAdmin(server, '/livez'), { code: 'ECONNREFUSED' }, 'it closes last')
  },
)

t.test('stop() cuts the delay of a drain short', async (t) => {
  const { server } = await serveTroubles(t, { ...ADMIN, drainDelayMs: 60_000 })
  const drained = server.drain()
  await server.stop()
  t.strictSame(await drained, { drained: true })
})

t.test('the delay passes by itself', async (t) => {
  const { server, connect: client } = await serveTroubles(t, { drainDelayMs: 60_000 })
  await client()
  t.strictSame(await server.drain({ delayMs: 50, timeoutMs: 5000 }), { drained: true })
})

t.test('who ends the delay brings no more time than the first to ask gave', async (t) => {
  const { server, connect: client } = await serveTroubles(t)
  ;(await client()).get('/wait')
  await until(() => server.info().inFlight === 1, 'the request')
  void server.drain({ delayMs: 60_000, timeoutMs: 0 })
  t.strictSame(await server.drain({ delayMs: 0, timeoutMs: 86_400_000 }), {
    drained: false,
    remaining: 1,
  })
})

t.test('a worker that dies during the delay is replaced', async (t) => {
  const { server, log, connect: client } = await serveTroubles(t, ADMIN)
  const drained = server.drain({ delayMs: 60_000 })
  await answer(await client(), '/exit', /about to exit/)
  await log.wait('worker-listening', 2)
  await answer(await client(), '/', /ok/)
  void server.drain({ delayMs: 0 })
  t.strictSame(await drained, { drained: true })
})

t.test('answers while every worker is stuck, and says so', async (t) => {
  const options = { ...ADMIN, stallTimeoutMs: 1000 }
  const { server, log, counters, connect: client } = await serveTroubles(t, options)
  const stuck = await client()
  stuck.get('/block-until-released')
  await log.wait('worker-stalled')
  t.match(await askAdmin(server, '/livez'), { status: 503, body: 'every worker is stalled\n' })
  t.match(await askAdmin(server, '/readyz'), { status: 503, body: '0 of 1 workers serve\n' })
  const { body } = await askAdmin(server, '/metrics')
  t.match(body, /^rr_worker_stalled\{worker="1"\} 1$/m)
  t.match(body, /^rr_worker_up\{worker="1"\} 0$/m)
  t.match(body, /^rr_requests_in_flight\{worker="1"\} 1$/m)
  const delay = /^rr_worker_event_loop_delay_max_seconds\{worker="1"\} (.+)$/m.exec(body)?.[1]
  t.ok(Number(delay) >= 1, `a standstill that goes on shows: ${delay}`)
  t.equal((await askAdmin(server, '/')).status, 200)
  counters.add('released')
  await log.wait('worker-recovered')
  await until(() => server.info().workers[0]!.isStalled === false, 'the worker')
  t.equal((await askAdmin(server, '/livez')).status, 200)
})

t.test('where stalled workers are replaced, standing still is no end of life', async (t) => {
  const options = { ...ADMIN, stallTimeoutMs: 1000, replaceStalled: true }
  const { server, log, connect: client } = await serveTroubles(t, options)
  const stuck = await client()
  stuck.get('/block?600000')
  await log.wait('worker-stalled')
  t.equal((await askAdmin(server, '/livez')).status, 200)
})

t.test('?verbose names each worker; JSON for who prefers it', async (t) => {
  const { server } = await serveTroubles(t, { ...ADMIN, workers: 2 })
  t.equal(
    (await askAdmin(server, '/readyz?verbose')).body,
    'server: accepting\n[+] worker 1: accepting\n[+] worker 2: accepting\nreadyz ok: 2 of 2 workers serve\n',
  )
  const headers = { accept: 'application/json' }
  const { body } = await askAdmin(server, '/readyz?verbose', { headers })
  t.match(JSON.parse(body), { status: 'ok', server: 'accepting', workers: [{ id: 1 }, { id: 2 }] })
  const short = await askAdmin(server, '/livez', { headers })
  t.strictSame(JSON.parse(short.body), { status: 'ok', reason: 'accepting' })
})

t.test('an HTTP/1.0 probe without Host is answered', async (t) => {
  const { server } = await serveTroubles(t, ADMIN)
  const socket = connect(server.admin!.port, '127.0.0.1')
  socket.setEncoding('latin1')
  let received = ''
  socket.on('data', (text: string) => {
    received += text
  })
  socket.write('GET /readyz HTTP/1.0\r\n\r\n')
  await once(socket, 'end')
  t.match(received, /^HTTP\/1\.1 200 /)
})
