import { createConnection } from 'node:net'
import { type ServerEvent, serve } from '@rr/listener'
import t from 'tap'
import { LoadClients } from '../support/load-client.ts'
import { until } from '../support/until.ts'

const APP = new URL('../fixtures/worker-app.ts', import.meta.url)
const LOCAL = { host: '127.0.0.1', port: 0, workers: 2 } as const

t.test('two workers under load: both serve, and every request is answered', async (t) => {
  const server = await serve(APP, LOCAL)
  t.teardown(() => server.stop())
  const clients = new LoadClients(server.port, '/', 'reconnect')
  clients.start(32)
  await clients.answered(5000)
  const tally = await clients.stop()
  const info = server.info()
  t.equal(info.workers.length, 2)
  for (const worker of info.workers) t.ok(worker.requests > 0, `worker ${worker.id} served`)
  t.equal(info.requests, tally.answered, 'the workers counted what the clients got')
  t.same({ ...tally, answered: 0 }, { answered: 0, lost: 0, lostOnNewConnection: 0, refused: 0 })
})

t.test('maxConnections 50 with 200 clients: exactly 50 are held', async (t) => {
  const server = await serve(APP, { ...LOCAL, maxConnections: 50 })
  t.teardown(() => server.stop())
  const clients = await Promise.all(
    Array.from({ length: 200 }, () =>
      connectAndAsk(server.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'),
    ),
  )
  t.teardown(() => {
    for (const { close } of clients) close()
  })
  const statuses = clients.map(({ status }) => status)
  t.equal(statuses.filter((status) => status === 200).length, 50, 'held')
  t.equal(statuses.filter((status) => status === 503).length, 150, 'answered 503')
  t.equal(server.info().connections, 50)
  t.equal(server.info().rejections.connections, 150)

  for (const { close } of clients) close()
  await until('all slots are back', () => server.info().connections === 0)
  const again = await connectAndAsk(server.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  t.equal(again.status, 200, 'a slot given back is taken again')
  again.close()
})

t.test('a worker killed under load comes back, and the count is right', async (t) => {
  const events: ServerEvent[] = []
  const server = await serve(APP, { ...LOCAL, onEvent: (event) => void events.push(event) })
  t.teardown(() => server.stop())
  const clients = new LoadClients(server.port, '/', 'reconnect')
  clients.start(32)
  await clients.answered(500)
  await fetch(`${server.url}/crash`, { method: 'POST' })
  await until('the worker has been replaced', () =>
    events.some((event) => event.type === 'worker-listening' && event.generation === 2),
  )
  await clients.answered(500)
  const exits = events.filter((event) => event.type === 'worker-exited')
  t.match(exits, [{ reason: 'crashed', error: { message: 'crash asked for by the test' } }])
  const tally = await clients.stop()
  const lost = tally.lost + tally.lostOnNewConnection
  t.ok(lost <= 32, `no more is lost than was in flight: ${lost}`)
  await until('no connection is counted', () => server.info().connections === 0)
  t.equal(server.info().inFlight, 0)
})

for (const path of ['/', '/slow']) {
  t.test(`drain under load of ${path} loses no request that was accepted`, async (t) => {
    const server = await serve(APP, LOCAL)
    t.teardown(() => server.stop())
    const clients = new LoadClients(server.port, path, 'stop')
    clients.start(64)
    // What waits in a listening socket's queue when it is closed is reset by the system: not accepted.
    await until('all are accepted', () => server.info().connectionsAccepted === 64)
    await clients.answered(300)
    const result = await server.drain({ timeoutMs: 10_000 })
    await clients.ended()
    t.same(result, { drained: true })
    t.equal(clients.tally.lost, 0, 'lost')
    t.equal(clients.tally.lostOnNewConnection, 0, 'lost on a new connection')
    t.equal(server.info().requests, clients.tally.answered)
    t.equal(server.info().connections, 0)
  })
}

interface AskedConnection {
  readonly status: number
  close(): void
}

/** Opens a connection, sends a request and keeps the connection open after the answer. */
function connectAndAsk(port: number, request: string): Promise<AskedConnection> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(port, '127.0.0.1', () => socket.write(request))
    socket.once('data', (data) => {
      const status = Number(/^HTTP\/1\.1 (\d+)/.exec(data.toString('latin1'))?.[1])
      resolve({ status, close: () => socket.destroy() })
    })
    socket.once('error', reject)
  })
}
