import { type AddressInfo, createServer } from 'node:net'
import t, { type Test } from 'tap'
import { resolveServerOptions, type ServerOptionsInput } from '../src/server-options.ts'
import { Supervisor } from '../src/supervisor.ts'
import { EventLog } from './support/event-log.ts'
import { fixtureUrl } from './support/fixture-url.ts'
import { RawClient } from './support/raw-client.ts'
import { until } from './support/until.ts'

function create(
  t: Test,
  parameters: Record<string, string>,
  options: ServerOptionsInput = {},
): { supervisor: Supervisor; log: EventLog } {
  const log = new EventLog()
  const supervisor = new Supervisor({
    settings: resolveServerOptions({ host: '127.0.0.1', port: 0, ...options }),
    workers: 2,
    workersReason: 'as configured',
    applicationUrl: fixtureUrl('troubles.ts', parameters).href,
    hooksUrl: null,
    hooksData: undefined,
    onEvent: log.listener,
  })
  t.teardown(() => supervisor.stop())
  return { supervisor, log }
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
  const client = await RawClient.connect(supervisor.port)
  t.teardown(() => client.close())
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
