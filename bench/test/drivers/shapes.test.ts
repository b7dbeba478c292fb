import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import t from 'tap'
import { get, keepAlive, planned, processPlan, runHere } from './support/plans.ts'
import { startScriptedServer } from './support/scripted-server.ts'

const server = await startScriptedServer()
t.teardown(() => server.close())

t.test('keep-alive: as many connections as asked for, and all requests on them', async (t) => {
  const before = await server.counts()
  const { requests, errors, corrected, schedule, cpuShare } = await runHere(
    processPlan(server.port, [planned(get('/ok'))], { shape: keepAlive(5) }),
  )
  const after = await server.counts()
  t.same(errors, {})
  t.ok(requests > 5)
  t.equal(after.requests - before.requests, requests)
  t.equal(after.connections - before.connections, 5)
  t.equal(corrected, null, 'the closed loop has no intended starts')
  t.equal(schedule, null)
  t.ok(cpuShare > 0)
})

t.test('pipelined answers are matched to the requests in their order', async (t) => {
  const statuses = [200, 201, 202, 203, 404]
  const list = statuses.map((status) => planned(get(`/status/${status}`), status))
  const { requests, errors } = await runHere(
    processPlan(server.port, [...list, planned(get('/bodiless'), 204, 0)], {
      shape: keepAlive(3, 16),
    }),
  )
  t.same(errors, {})
  t.ok(requests > 16)
})

t.test('every kind of answer, HEAD among them', async (t) => {
  const head = planned(get('/ok', { method: 'HEAD' }), 200, 0)
  const list = [
    head,
    planned(get('/ok')),
    planned(get('/chunked')),
    planned(get('/status/304'), 304, 0),
  ]
  const { requests, errors, samples } = await runHere(
    processPlan(server.port, list, { shape: keepAlive(2, 2) }),
  )
  t.same(errors, {})
  t.ok(requests > 4)
  const bodies = samples.map(({ request, body }) => `${request} ${Buffer.from(body)}`)
  t.same([...new Set(bodies)].sort(), ['0 ', '1 ok', '2 ok', '3 '], 'the first ones are kept whole')
})

t.test('what was sent behind the last answer of a connection is sent again', async (t) => {
  // Answers three requests on each connection and reads the rest without an answer, so that
  // no reset overtakes the answers.
  const closing = createServer({ allowHalfOpen: true }, (socket) => {
    let count = 0
    socket.on('error', () => {})
    socket.on('end', () => socket.end())
    socket.on('data', (bytes) => {
      for (const _ of bytes.toString('latin1').matchAll(/\r\n\r\n/g)) {
        const last = ++count === 3 ? 'connection: close\r\n' : ''
        if (count <= 3) socket.write(`HTTP/1.1 200 OK\r\n${last}content-length: 2\r\n\r\nok`)
        if (count === 3) socket.end()
      }
    })
  }).listen(0, '127.0.0.1')
  await once(closing, 'listening')
  t.teardown(() => closing.close())
  const { port } = closing.address() as AddressInfo
  const { requests, errors, schedule } = await runHere(
    processPlan(port, [planned(get('/'))], { shape: keepAlive(2, 4), rate: 400, seconds: 0.3 }),
  )
  t.same(errors, {})
  t.equal(schedule?.due, 120)
  t.equal(requests, schedule?.sent)
  t.ok(requests > 12, `${requests} requests`)
})

t.test('connection per request: one request on each', async (t) => {
  const before = await server.counts()
  const { requests, errors } = await runHere(
    processPlan(server.port, [planned(get('/ok'))], {
      shape: { kind: 'connection-per-request', connections: 4 },
    }),
  )
  const after = await server.counts()
  t.same(errors, {})
  t.ok(requests > 4)
  t.equal(after.connections - before.connections, requests)
})

t.test('connection storm: bursts of connections, all of a burst before the next', async (t) => {
  const before = await server.counts()
  const { requests, errors } = await runHere(
    processPlan(server.port, [planned(get('/delay/20'))], {
      shape: { kind: 'connection-storm', burst: 50 },
    }),
  )
  const after = await server.counts()
  t.same(errors, {})
  t.ok(requests >= 50)
  t.equal(requests % 50, 0, `${requests} in whole bursts`)
  t.equal(after.connections - before.connections, requests)
})

t.test('slow clients are there and are not counted', async (t) => {
  const before = await server.counts()
  const { requests, errors } = await runHere(
    processPlan(server.port, [planned(get('/ok'))], {
      ...{ shape: { kind: 'slow-clients', connections: 2, slow: 7 }, seconds: 1.2 },
    }),
  )
  t.same(errors, {})
  // Bytes of requests that never became whole.
  let after = await server.counts()
  while (after.partial < before.partial + 7) after = await server.counts()
  t.equal(after.connections - before.connections, 9)
  t.equal(after.requests - before.requests, requests)
})

t.test('event stream: events are counted, comments and ends of streams are not', async (t) => {
  const before = await server.counts()
  const { requests, errors } = await runHere(
    processPlan(server.port, [planned(get('/events/7'), 200, null)], {
      shape: { kind: 'event-stream', connections: 3 },
    }),
  )
  const after = await server.counts()
  t.same(errors, {})
  t.ok(requests >= 21)
  t.ok(requests <= 7 * (after.requests - before.requests))
})

t.test('bodies: whole, in chunks, after a 100, and large ones in pieces', async (t) => {
  const body = new Uint8Array(4096).fill(97)
  const large = new Uint8Array(3 * 1024 * 1024)
  const list = [
    planned(get('/echo', { method: 'POST', body }), 200, 4),
    planned(get('/echo', { method: 'POST', body, bodyMode: 'chunked' }), 200, 4),
    planned(get('/echo', { method: 'POST', body, bodyMode: 'expect-continue' }), 200, 4),
    planned(get('/echo', { method: 'POST', body: large }), 200, 7),
    planned(get('/echo', { method: 'POST', body: large, bodyMode: 'chunked' }), 200, 7),
  ]
  for (const shape of [keepAlive(2), keepAlive(1, 3)]) {
    const before = await server.counts()
    const { requests, errors, samples } = await runHere(
      processPlan(server.port, list, { shape, seconds: 0.4 }),
    )
    t.same(errors, {})
    t.ok(requests >= 5, `${requests} requests`)
    t.ok((await server.counts()).continues > before.continues)
    const bodies = samples.map((sample) => `${sample.request} ${Buffer.from(sample.body)}`)
    t.same([...new Set(bodies)].sort(), ['0 4096', '1 4096', '2 4096', '3 3145728', '4 3145728'])
  }
})

t.test('an answer before the body is out ends the sending, and the run', async (t) => {
  const body = new Uint8Array(8 * 1024 * 1024)
  const { requests, errors } = await runHere(
    processPlan(server.port, [planned(get('/early', { method: 'POST', body }), 413)], {
      shape: keepAlive(1),
    }),
  )
  // The server closes with bytes unread, so that a reset may overtake the answer.
  t.ok(requests + (errors['read'] ?? 0) + (errors['write'] ?? 0) >= 1)
  t.same(
    Object.keys(errors).filter((kind) => kind === 'status' || kind === 'timeout'),
    [],
  )
})
