import { type AddressInfo, createServer } from 'node:net'
import t, { type Test } from 'tap'
import { resolveServerOptions, type ServerOptionsInput } from '../src/server-options.ts'
import { Supervisor, type SupervisorOptions } from '../src/supervisor.ts'
import { EventLog } from './support/event-log.ts'
import { fixtureUrl } from './support/fixture-url.ts'
import { RawClient } from './support/raw-client.ts'
import { SharedCounters } from './support/shared-counters.ts'
import { answer } from './support/test-server.ts'
import { until } from './support/until.ts'

function create(
  t: Test,
  parameters: Record<string, string>,
  options: ServerOptionsInput = {},
  parts: Partial<SupervisorOptions> = {},
): { supervisor: Supervisor; log: EventLog; counters: SharedCounters } {
  const log = new EventLog()
  const counters = new SharedCounters()
  const supervisor = new Supervisor({
    settings: resolveServerOptions({ host: '127.0.0.1', port: 0, ...options }),
    workers: 2,
    workersReason: 'as configured',
    applicationUrl: fixtureUrl('troubles.ts', parameters).href,
    hooksUrl: fixtureUrl('hooks.ts').href,
    hooksData: { buffer: counters.buffer },
    onEvent: log.listener,
    ...parts,
  })
  t.teardown(() => supervisor.stop())
  return { supervisor, log, counters }
}

async function connect(t: Test, port: number): Promise<RawClient> {
  const client = await RawClient.connect(port)
  t.teardown(() => client.close())
  return client
}

t.test('goes through its phases', async (t) => {
  const { supervisor } = create(t, {})
  const started = supervisor.start()
  await until(() => supervisor.status() === 'starting', 'the start')
  await started
  t.equal(supervisor.status(), 'accepting')
  t.ok(supervisor.info().workers.every((worker) => worker.phase === 'accepting'))
  const drained = supervisor.drain()
  t.equal(supervisor.status(), 'draining')
  await drained
  t.equal(supervisor.status(), 'stopped')
  t.ok(supervisor.info().workers.every((worker) => worker.phase === 'stopped'))
})

for (const how of ['stop', 'drain'] as const) {
  t.test(`${how} while the application is still loading`, async (t) => {
    const { supervisor, log } = create(t, { load: 'slow' }, { drainTimeoutMs: 100 })
    const started = supervisor.start()
    const outcome = started.then(
      () => 'started',
      (error: { code: string }) => error.code,
    )
    await until(() => supervisor.info().workers[0]?.phase === 'starting', 'the first worker')
    if (how === 'stop') await supervisor.stop()
    else await supervisor.drain()
    t.match(await outcome, /RR_SERVER_STATE|RR_WORKER_FAILED/)
    t.equal(supervisor.status(), 'stopped')
    t.ok(log.of('worker-exited').every((event) => event.restartDelayMs === null))
  })
}

t.test('stop before the start has come to the workers', async (t) => {
  const { supervisor } = create(t, {})
  const started = supervisor.start()
  const rejected = t.rejects(started, { code: 'RR_SERVER_STATE' })
  await supervisor.stop()
  await rejected
  t.equal(supervisor.status(), 'stopped')
})

t.test('where threads can share no port, one worker serves, and a warning says so', async (t) => {
  const log = new EventLog()
  const supervisor = new Supervisor({
    settings: resolveServerOptions({ host: '127.0.0.1', port: 0 }),
    workers: 3,
    workersReason: 'as configured',
    applicationUrl: fixtureUrl('hello.ts').href,
    hooksUrl: null,
    hooksData: undefined,
    onEvent: log.listener,
    probe: async () => ({ address: '127.0.0.1', canShare: false }),
  })
  t.teardown(() => supervisor.stop())
  await supervisor.start()
  t.equal(supervisor.info().workers.length, 1)
  t.match(log.of('warning'), [
    { code: 'RR_REUSEPORT_UNAVAILABLE', message: /1 worker instead of 3/, workerId: null },
  ])
  const client = await connect(t, supervisor.port)
  client.get('/')
  await client.expect(/hello/)
})

t.test('a port taken between the probe and the workers fails the start', async (t) => {
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  t.teardown(() => other.close())
  const { port } = other.address() as AddressInfo
  const supervisor = new Supervisor({
    settings: resolveServerOptions({ host: '127.0.0.1', port }),
    workers: 2,
    workersReason: 'as configured',
    applicationUrl: fixtureUrl('hello.ts').href,
    hooksUrl: null,
    hooksData: undefined,
    onEvent: () => {},
    probe: async () => ({ address: '127.0.0.1', canShare: true }),
  })
  await t.rejects(supervisor.start(), {
    code: 'RR_BIND_FAILED',
    message: `cannot listen on 127.0.0.1:${port}: the port is already in use (EADDRINUSE)`,
    cause: { code: 'EADDRINUSE' },
  })
  t.equal(supervisor.status(), 'stopped')
})

t.test('what was set up is torn down when the worker then cannot listen', async (t) => {
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  t.teardown(() => other.close())
  const { port } = other.address() as AddressInfo
  const probe = async () => ({ address: '127.0.0.1', canShare: true })
  const { supervisor, counters } = create(t, {}, { port }, { workers: 1, probe })
  await t.rejects(supervisor.start(), { code: 'RR_BIND_FAILED' })
  t.equal(counters.get('setup'), 1)
  t.equal(counters.get('teardown'), 1)
  t.equal(counters.get('hooksClosed'), 1)
})

t.test(
  'a drain during the start keeps its promise to the workers that serve already',
  async (t) => {
    const { supervisor, log, counters } = create(t, { setup: 'second-waits' })
    const started = t.rejects(supervisor.start(), { code: 'RR_SERVER_STATE' })
    await until(() => counters.get('setup') === 2, 'the setup of the second worker')
    const client = await connect(t, supervisor.port)
    client.get('/wait')
    await until(() => supervisor.info().inFlight === 1, 'the request')
    const drained = supervisor.drain({ timeoutMs: 60_000 })
    counters.add('released2')
    t.match(await log.wait('worker-exited'), { workerId: 2, reason: 'stopped' })
    counters.add('released')
    await client.expect(/waited/)
    client.close()
    t.strictSame(await drained, { drained: true })
    await started
  },
)

t.test('a drain that is brought forward while the worker is about to listen', async (t) => {
  const { supervisor, log, counters } = create(t, { setup: 'hold-listen' }, {}, { workers: 1 })
  const started = t.rejects(supervisor.start(), { code: 'RR_SERVER_STATE' })
  await until(() => counters.get('port') > 0, 'the socket')
  const client = await connect(t, counters.get('port'))
  const other = await connect(t, counters.get('port'))
  client.get('/wait')
  await until(() => supervisor.info().inFlight === 1, 'the request')
  const first = supervisor.drain({ timeoutMs: 600_000 })
  const second = supervisor.drain({ timeoutMs: 1000 })
  // It still answers: by then it has read both messages.
  for (let count = 0; count < 3; count++) await answer(other, '/', /ok/)
  other.close()
  counters.add('released2')
  const result = { drained: false, remaining: 1 }
  t.strictSame(await Promise.all([first, second]), [result, result])
  t.strictSame(log.of('warning'), [], 'the worker ended by itself')
  await started
})
