import { type AddressInfo, createServer } from 'node:net'
import t, { type Test } from 'tap'
import { chooseBalance, reusesPort } from '../src/balance.ts'
import { socketCalls } from '../src/socket-calls.ts'
import { RawClient } from './support/raw-client.ts'
import { answer, serveTroubles } from './support/test-server.ts'
import { until } from './support/until.ts'

const CAN_SHARE = socketCalls() !== null
const NEEDS_SHARING = CAN_SHARE ? {} : { skip: 'threads cannot share a listening socket here' }

t.test('the nearest way to what is wanted is taken', async (t) => {
  const cases = [
    ['reuseport', true, true, 'reuseport'],
    ['reuseport', false, true, 'single'],
    ['shared', false, true, 'shared'],
    ['shared', true, false, 'reuseport'],
    ['shared', false, false, 'single'],
    ['ports', false, false, 'ports'],
  ] as const
  for (const [wanted, canReusePort, canDuplicate, expected] of cases) {
    t.equal(chooseBalance(wanted, canReusePort, canDuplicate), expected)
  }
})

t.test(
  'with ports a port is shared only where a successor must listen beside a worker',
  async (t) => {
    t.equal(reusesPort('ports', true, true), false)
    t.equal(reusesPort('ports', true, false), true)
    t.equal(reusesPort('ports', false, false), false)
    t.equal(reusesPort('reuseport', true, true), true)
    t.equal(reusesPort('shared', true, true), false)
  },
)

async function askWorker(t: Test, port: number): Promise<number> {
  const client = await RawClient.connect(port)
  t.teardown(() => client.close())
  client.get('/worker')
  return Number((await client.expect(/\d$/)).at(-1))
}

t.test(
  'shared: a worker that is busy leaves connections to those that have time',
  NEEDS_SHARING,
  async (t) => {
    const { server, counters, connect } = await serveTroubles(t, { workers: 2, balance: 'shared' })
    const busy = await connect()
    busy.get('/block-until-released')
    await until(() => server.info().inFlight === 1, 'a worker to be stuck')
    const stuck = server.info().workers.find(({ inFlight }) => inFlight === 1)!.id
    for (let count = 0; count < 20; count++) t.not(await askWorker(t, server.port), stuck)
    counters.add('released')
    await busy.expect(/blocked/)
  },
)

t.test(
  'shared: a worker that ends takes nobody else down, and is replaced',
  NEEDS_SHARING,
  async (t) => {
    const { server, log, connect } = await serveTroubles(t, { workers: 2, balance: 'shared' })
    ;(await connect()).get('/exit')
    await log.wait('worker-exited')
    for (let count = 0; count < 10; count++) await answer(await connect(), '/', /ok/)
    await log.wait('worker-listening', 3)
    t.match(await server.reload(), { replaced: 2 })
    for (let count = 0; count < 10; count++) await answer(await connect(), '/', /ok/)
    const { port } = server
    t.same(await server.drain(), { drained: true })
    await t.rejects(RawClient.connect(port), { code: 'ECONNREFUSED' })
  },
)

t.test('ports: each worker has the next port, also after it was replaced', async (t) => {
  const port = await freePorts(3)
  const { server, log } = await serveTroubles(t, { workers: 3, balance: 'ports', port })
  for (const id of [1, 2, 3]) t.equal(await askWorker(t, port + id - 1), id)
  t.same(
    server.info().workers.map((worker) => worker.port),
    [port, port + 1, port + 2],
  )
  await server.reload({ timeoutMs: 0 })
  for (const id of [1, 2, 3]) t.equal(await askWorker(t, port + id - 1), id)
  const victim = await RawClient.connect(port + 1)
  victim.get('/exit')
  t.match(await log.wait('worker-exited', 4), { workerId: 2 })
  await log.wait('worker-listening', 7)
  t.equal(await askWorker(t, port + 1), 2)
})

t.test('ports: with port 0 each has a free one, and keeps it', async (t) => {
  const { server } = await serveTroubles(t, { workers: 2, balance: 'ports' })
  const ports = server.info().workers.map((worker) => worker.port!)
  t.equal(new Set(ports).size, 2)
  t.equal(server.port, ports[0])
  await server.reload({ timeoutMs: 0 })
  t.same(
    server.info().workers.map((worker) => worker.port),
    ports,
  )
  for (const [index, port] of ports.entries()) t.equal(await askWorker(t, port), index + 1)
})

t.test('ports: one that is in use fails the start, and is named', async (t) => {
  const port = await freePorts(2)
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(port + 1, '127.0.0.1', resolve))
  t.teardown(() => other.close())
  await t.rejects(serveTroubles(t, { workers: 2, balance: 'ports', port }), {
    code: 'RR_BIND_FAILED',
    message: new RegExp(`127.0.0.1:${port + 1}: the port is already in use`),
  })
})

/** The first of as many ports in a row that nobody uses at the moment. */
async function freePorts(count: number): Promise<number> {
  for (;;) {
    const servers = [createServer()]
    await new Promise<void>((resolve) => servers[0]!.listen(0, '127.0.0.1', resolve))
    const { port } = servers[0]!.address() as AddressInfo
    const isFree = await Promise.all(
      Array.from({ length: count - 1 }, (_, index) => {
        const server = createServer()
        servers.push(server)
        return new Promise<boolean>((resolve) => {
          server.once('error', () => resolve(false))
          server.listen(port + index + 1, '127.0.0.1', () => resolve(true))
        })
      }),
    )
    for (const server of servers) server.close()
    if (isFree.every(Boolean)) return port
  }
}
