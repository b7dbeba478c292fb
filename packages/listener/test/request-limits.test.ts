import { type HttpRequest, type RefusalEntry, stream, text } from '@rr/core'
import t, { type Test } from 'tap'
import { type ListenOptions, listen } from '../src/listen.ts'
import { EventLog } from './support/event-log.ts'
import { RawClient } from './support/raw-client.ts'
import { answer, serveTroubles, type TestServer, WAYS } from './support/test-server.ts'
import { until } from './support/until.ts'

const REFUSED = /^HTTP\/1\.1 503 Service Unavailable\r\n[\s\S]*?\r\n\r\nService Unavailable: .*\n/
const WAITED = /^HTTP\/1\.1 200 OK\r\n[\s\S]*?\r\n\r\nwaited/

/** Clients whose requests are in the hands of the application, until `released`. */
async function waiting({ server, connect }: TestServer, count: number): Promise<RawClient[]> {
  const before = server.info().inFlight
  const clients = await Promise.all(Array.from({ length: count }, connect))
  for (const client of clients) client.get('/wait')
  await until(() => server.info().inFlight === before + count, `${count} requests in flight`)
  return clients
}

for (const { name, start } of WAYS) {
  t.test(`${name}: maxRequestsInFlight is exact`, async (t) => {
    const server = await start(t, { maxRequestsInFlight: 3 })
    const held = await waiting(server, 2)
    const another = await server.connect()
    await answer(another, '/', /ok/)
    held.push(...(await waiting(server, 1)))
    t.equal(server.server.info().requestsHeld, 3)
    another.get('/')
    t.match(await another.expect(REFUSED), /\r\nRetry-After: 1\r\n/i)
    t.match(server.server.info().rejections, {
      total: 1,
      connections: 0,
      shed: { inFlight: 1, workerInFlight: 0, loopDelay: 0 },
      requests: { 503: 0, other: 0 },
    })
    server.counters.add('released')
    for (const client of held) await client.expect(WAITED)
    await until(() => server.server.info().requestsHeld === 0, 'the slots')
    await answer(another, '/', /ok/)
    t.match(server.server.info(), { requests: 5, inFlight: 0 })
  })

  t.test(`${name}: as many as allowed of many that come at once`, async (t) => {
    const server = await start(t, { maxRequestsInFlight: 7 })
    const clients = await Promise.all(Array.from({ length: 40 }, server.connect))
    for (const client of clients) client.get('/wait')
    await until(() => server.server.info().rejections.shed.inFlight === 33, '33 refusals')
    t.match(server.server.info(), { inFlight: 7, requestsHeld: 7 })
    server.counters.add('released')
    let answered = 0
    for (const client of clients) {
      await until(() => client.received.endsWith('waited') || client.received.endsWith('do\n'), '')
      if (client.received.endsWith('waited')) answered++
    }
    t.equal(answered, 7)
    await until(() => server.server.info().requestsHeld === 0, 'the slots')
  })

  t.test(`${name}: a handler whose client has left holds its slot`, async (t) => {
    const server = await start(t, { maxRequestsInFlight: 2 })
    for (const client of await waiting(server, 2)) client.socket.resetAndDestroy()
    await until(() => server.server.info().inFlight === 0, 'the requests to end')
    t.equal(server.server.info().requestsHeld, 2)
    const client = await server.connect()
    client.get('/')
    await client.expect(REFUSED)
    server.counters.add('released')
    await until(() => server.server.info().requestsHeld === 0, 'the handlers to settle')
    await answer(client, '/', /ok/)
  })

  t.test(`${name}: slots come back after errors, 1.0, pipelining and cut answers`, async (t) => {
    const { server, connect } = await start(t, { maxRequestsInFlight: 5 })
    const thrown = await connect()
    thrown.get('/throw')
    await thrown.expect(/^HTTP\/1\.1 500 /)
    const old = await connect()
    old.send('GET / HTTP/1.0\r\n\r\n')
    await old.ended()
    const piped = await connect()
    piped.send('GET / HTTP/1.1\r\nHost: test\r\n\r\n'.repeat(100))
    await until(() => piped.received.split('200 OK').length === 101, '100 answers')
    const cut = await connect()
    cut.get('/large')
    await until(() => cut.received.length > 0, 'the answer to begin')
    cut.socket.resetAndDestroy()
    const uploads = await connect()
    uploads.send('POST /upload HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\n12345')
    await until(() => server.info().inFlight === 1, 'the upload')
    uploads.close()
    await until(() => server.info().inFlight === 0, 'the end of all')
    await until(() => server.info().requestsHeld === 0, 'their slots')
    t.match(server.info().rejections.shed, { inFlight: 0, workerInFlight: 0, loopDelay: 0 })
  })

  t.test(`${name}: maxRequestsPerConnection`, async (t) => {
    const { server, connect } = await start(t, { maxRequestsPerConnection: 2 })
    const client = await connect()
    await answer(client, '/', /ok/)
    client.get('/')
    client.get('/')
    t.match(await client.expect(/ok$/), /\r\nConnection: close\r\n/i)
    t.equal(await client.ended(), 'end')
    t.equal(client.received, '')
    t.equal(server.info().requests, 2)
  })
}

t.test('maxRequestsInFlightPerWorker', async (t) => {
  const server = await serveTroubles(t, { workers: 1, maxRequestsInFlightPerWorker: 2 })
  await waiting(server, 2)
  const client = await server.connect()
  client.get('/')
  await client.expect(REFUSED)
  t.match(server.server.info().rejections, { total: 1, shed: { inFlight: 0, workerInFlight: 1 } })
  t.equal(server.server.info().requestsHeld, 0, 'which is of the limit over all workers')
  server.counters.add('released')
  await until(() => server.server.info().inFlight === 0, 'the release')
  await answer(client, '/', /ok/)
})

t.test('a worker that dies gives back the slots of its requests, and no others', async (t) => {
  const server = await serveTroubles(t, { workers: 2, maxRequestsInFlight: 20 })
  await waiting(server, 16)
  t.equal(server.server.info().requestsHeld, 16)
  const victim = await server.connect()
  victim.get('/exit')
  const { workerId } = await server.log.wait('worker-exited')
  const survivor = server.server.info().workers.find(({ id }) => id !== workerId)!
  t.match(server.server.info(), {
    requestsHeld: survivor.requestsHeld,
    inFlight: survivor.inFlight,
  })
  t.equal(survivor.requestsHeld, survivor.inFlight)
  await server.log.wait('worker-listening', 3)
  await waiting(server, 20 - survivor.requestsHeld)
  t.equal(server.server.info().requestsHeld, 20)
  const client = await server.connect()
  client.get('/')
  await client.expect(REFUSED)
  server.counters.add('released')
  await until(() => server.server.info().requestsHeld === 0, 'all slots')
})

/** A server with a route for health checks, one that blocks the loop, and one that streams. */
async function listenRoutes(t: Test, options: ListenOptions): Promise<TestServer['server']> {
  const health = { shed: false }
  const app = {
    routeLimits: (_: string, path: string) => (path === '/health' ? health : undefined),
    dispatch(request: HttpRequest) {
      if (request.path === '/stream') return stream(new ReadableStream({ pull: () => {} }))
      if (request.path === '/block') {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(request.queryString))
      }
      return text('ok')
    },
  }
  const server = await listen(app, { host: '127.0.0.1', port: 0, ...options })
  t.teardown(() => server.stop())
  return server
}

t.test('a health route is served while others are refused', async (t) => {
  const server = await listenRoutes(t, { maxRequestsInFlight: 1 })
  const holder = await RawClient.connect(server.port)
  holder.get('/stream')
  await until(() => server.info().requestsHeld === 1, 'the stream')
  const client = await RawClient.connect(server.port)
  client.get('/other')
  await client.expect(REFUSED)
  await answer(client, '/health', /ok/)
  t.match(server.info(), { requestsHeld: 1, rejections: { shed: { inFlight: 1 } } })
  holder.socket.resetAndDestroy()
  await until(() => server.info().requestsHeld === 0, 'the slot of a stream that was cut')
  await answer(client, '/other', /ok/)
  client.close()
})

t.test('shedLoopDelayMs: a worker that cannot keep up sheds, and recovers', async (t) => {
  const server = await serveTroubles(t, { workers: 1, shedLoopDelayMs: 200 })
  const clients = await Promise.all(Array.from({ length: 16 }, server.connect))
  let isLoaded = true
  const load = clients.map(async (client) => {
    while (isLoaded) {
      client.get('/block?40')
      await client.expect(/^HTTP[\s\S]*?(blocked|do\n)/)
    }
  })
  const { server: running } = server
  await until(() => running.info().rejections.shed.loopDelay > 20, 'requests to be shed', 60_000)
  t.ok(running.info().workers[0]!.shedFraction > 0)
  isLoaded = false
  await Promise.all(load)
  await until(() => running.info().workers[0]!.shedFraction === 0, 'it to recover', 60_000)
  for (const client of clients) await answer(client, '/', /ok/)
  const { shed, requests } = running.info().rejections
  t.match(shed, { inFlight: 0, workerInFlight: 0 })
  t.equal(requests[503], 0)
})

t.test('shedLoopDelayMs: a loop that has stood still once sheds nothing', async (t) => {
  // A bound that no other work on a busy machine makes it pass twice.
  const server = await listenRoutes(t, { shedLoopDelayMs: 1000 })
  const clients = await Promise.all(
    Array.from({ length: 20 }, () => RawClient.connect(server.port)),
  )
  const [first] = clients as [RawClient]
  first.get('/block?1500')
  for (const client of clients.slice(1)) client.get('/')
  for (const client of clients) await client.expect(/^HTTP\/1\.1 200 [\s\S]*ok$/)
  t.equal(server.info().rejections.total, 0)
  for (const client of clients) client.close()
})

t.test('onRefusal is told of refused requests and connections', async (t) => {
  for (const overload of ['answer', 'close'] as const) {
    const refusals: RefusalEntry[] = []
    const onRefusal = (refusal: RefusalEntry): void => void refusals.push(refusal)
    const options = { maxConnections: 2, maxRequestsInFlight: 1, overload, onRefusal }
    const server = await listenRoutes(t, options)
    const holder = await RawClient.connect(server.port)
    holder.get('/stream')
    await until(() => server.info().requestsHeld === 1, 'the stream')
    const client = await RawClient.connect(server.port)
    client.get('/other?a')
    await client.expect(REFUSED)
    client.send('GET /\r\n\r\n')
    const third = await RawClient.connect(server.port).catch(() => null)
    await until(() => refusals.length === 3, 'three refusals')
    const from = { address: '127.0.0.1', family: 'IPv4', port: Number }
    const entry = { peer: from, isDispatched: false, reason: String }
    const byCause = Object.fromEntries(refusals.map((one) => [one.cause, one]))
    t.match(byCause, {
      'requests-in-flight': { ...entry, status: 503, method: 'GET', target: '/other?a' },
      protocol: { ...entry, status: 400, code: 'RR_REQUEST_MALFORMED', method: null, target: null },
      connections: { ...entry, status: overload === 'answer' ? 503 : 0, code: 'RR_OVERLOADED' },
    })
    t.equal(server.info().rejections.total, 3)
    for (const one of [holder, client, third]) one?.close()
  }
})

t.test('an onRefusal that throws harms nothing and is warned of once', async (t) => {
  const log = new EventLog()
  const onRefusal = (): never => {
    throw new Error('no luck with the refusals')
  }
  const server = await listenRoutes(t, { onRefusal, onEvent: log.listener })
  for (let count = 0; count < 3; count++) {
    const client = await RawClient.connect(server.port)
    client.send('GET /\r\n\r\n')
    await client.expect(/^HTTP\/1\.1 400 [\s\S]*\n$/)
    client.close()
  }
  t.match(log.of('warning'), [
    { code: 'RR_HOOK_FAILED', message: 'onRefusal failed: Error: no luck with the refusals' },
  ])
})

t.test("the workers' hook hears of refusals", async (t) => {
  const server = await serveTroubles(t, { workers: 2 }, {}, { failing: 'refusals' })
  for (let count = 1; count <= 4; count++) {
    const client = await server.connect()
    client.send('GET /\r\n\r\n')
    await client.expect(/^HTTP\/1\.1 400 /)
    await until(() => server.counters.get('refusals') === count, 'the hook')
  }
  await server.log.wait('warning')
  t.match(server.server.info().rejections, { total: 4, requests: { 400: 4 } })
})
