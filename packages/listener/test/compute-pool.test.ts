import t, { type Test } from 'tap'
import { computePool } from '../src/compute-pool.ts'
import { listen } from '../src/listen.ts'
import { serve } from '../src/serve.ts'
import type { Server } from '../src/server.ts'
import { EventLog } from './support/event-log.ts'
import { fixtureUrl } from './support/fixture-url.ts'
import { RawClient } from './support/raw-client.ts'
import { SharedCounters } from './support/shared-counters.ts'
import { until } from './support/until.ts'

interface Started {
  readonly server: Server
  readonly log: EventLog
  readonly counters: SharedCounters
  readonly ask: (path: string) => Promise<RawClient>
  readonly cells: () => Promise<number[]>
}

async function start(
  t: Test,
  workers: number,
  parameters: Record<string, string> = {},
): Promise<Started> {
  const log = new EventLog()
  const counters = new SharedCounters()
  const server = await serve(fixtureUrl('shared-work.ts', parameters), {
    host: '127.0.0.1',
    port: 0,
    workers,
    onEvent: log.listener,
    workerHooks: fixtureUrl('hooks.ts'),
    workerHooksData: { buffer: counters.buffer },
  })
  t.teardown(() => server.stop())
  const ask = async (path: string): Promise<RawClient> => {
    const client = await RawClient.connect(server.port)
    t.teardown(() => client.close())
    client.get(path, 'Connection: close\r\n')
    return client
  }
  const cells = async (): Promise<number[]> => {
    const response = await fetch(`${server.url}/cells`, { headers: { connection: 'close' } })
    return (await response.json()) as number[]
  }
  return { server, log, counters, ask, cells }
}

/** Cell 0 counts the tasks that have started. */
async function untilStarted({ cells }: Started, count: number): Promise<void> {
  let started = 0
  while (started < count) started = (await cells())[0]!
}

t.test('every worker computes; the bounds hold over all of them', async (t) => {
  const running = await start(t, 3, { maxThreads: '2', maxQueue: '3' })
  const { server, ask, cells } = running
  const held = await Promise.all(Array.from({ length: 5 }, () => ask('/hold')))
  await until(() => server.info().compute.queued === 3, 'the queue to be full')
  await untilStarted(running, 2)
  t.match(server.info().compute, { queued: 3, running: 2, rejected: 0 })
  const refused = await ask('/hold')
  const answer = await refused.expect(/^HTTP[\s\S]*?\r\n\r\n/)
  t.match(answer, /^HTTP\/1.1 503 /)
  t.match(answer, /\r\nretry-after: 1\r\n/i)
  t.equal(server.info().compute.rejected, 1)
  await ask('/open')
  for (const client of held) await client.expect(/^HTTP\/1.1 200[\s\S]*"released"/)
  const [started, , now, highest] = await cells()
  t.same([started, now], [5, 0])
  t.ok(highest! <= 2, `at most two at a time, not ${highest}`)
  t.match(server.info().compute, { queued: 0, running: 0, completed: 5, rejected: 1 })
})

t.test('a client that leaves takes its tasks with it, waiting or running', async (t) => {
  const running = await start(t, 2, { maxThreads: '1' })
  const { server, ask } = running
  const cancelled = server.info().compute.cancelled
  const spinning = await ask('/spin')
  await untilStarted(running, 1)
  const waiting = await ask('/spin')
  await until(() => server.info().compute.queued === 1, 'a task to wait')
  waiting.socket.resetAndDestroy()
  await until(() => server.info().compute.cancelled === cancelled + 1, 'it to be dropped')
  t.match(server.info().compute, { queued: 0, running: 1 })
  spinning.socket.resetAndDestroy()
  await until(() => server.info().compute.cancelled === cancelled + 2, 'it to be stopped')
  await (await ask('/square?9')).expect(/\r\n\r\n81/)
})

t.test('a worker that dies takes its tasks with it', async (t) => {
  const running = await start(t, 1, { maxThreads: '1' })
  const { server, log, ask } = running
  const cancelled = server.info().compute.cancelled
  await ask('/spin')
  await untilStarted(running, 1)
  await ask('/spin')
  await until(() => server.info().compute.queued === 1, 'a task to wait')
  await ask('/crash')
  await log.wait('worker-listening', 2)
  await until(() => server.info().compute.cancelled === cancelled + 2, 'both to be cancelled')
  t.match(server.info().compute, { queued: 0, running: 0 })
  await (await ask('/square?4')).expect(/\r\n\r\n16/)
})

t.test('an error in a task is one of the handler', async (t) => {
  const { log, ask } = await start(t, 1)
  await (await ask('/fail')).expect(/^HTTP\/1.1 500 /)
  const { error } = await log.wait('handler-error')
  t.match(error, { name: 'RangeError', message: 'no luck in the task', code: 'E_LUCK' })
  t.match(error.stack, /compute-work\.ts/)
})

t.test('a drain waits for tasks, also for those of no request, until its deadline', async (t) => {
  const running = await start(t, 2, { maxThreads: '2' })
  const { server, counters, ask } = running
  const held = await ask('/hold')
  await (await ask('/background')).expect(/started/)
  await untilStarted(running, 2)
  const opener = await RawClient.connect(server.port)
  t.teardown(() => opener.close())
  const drained = server.drain({ timeoutMs: 20_000 })
  opener.get('/open')
  await held.expect(/"released"/)
  held.close()
  opener.close()
  t.strictSame(await drained, { drained: true })
  // Counted after the result: the worker was there to see it. The hooks count four events more.
  t.equal(counters.get('events'), 2 * 3 + 1)
  t.match(server.info().compute, { queued: 0, running: 0 })
})

t.test('a task that outlasts the drain is ended with it', async (t) => {
  const running = await start(t, 1, { maxThreads: '1' })
  const { server, ask } = running
  await ask('/spin')
  await untilStarted(running, 1)
  t.strictSame(await server.drain({ timeoutMs: 100 }), { drained: false, remaining: 1 })
  t.match(server.info().compute, { queued: 0, running: 0 })
})

t.test('listen(): the same in the calling thread', async (t) => {
  const pool = computePool<number, number>(fixtureUrl('compute-work.ts'), { maxThreads: 1 })
  const app = async (): Promise<{ status: number; body: string }> => ({
    status: 200,
    body: String(await pool.run(12)),
  })
  const server = await listen(app, { host: '127.0.0.1', port: 0 })
  t.teardown(() => server.stop())
  const { completed } = server.info().compute
  t.equal(await (await fetch(server.url)).text(), '144')
  t.equal(server.info().compute.completed, completed + 1)
  const bytes = new Uint8Array(100)
  const lengths = computePool<unknown, number>(fixtureUrl('compute-work.ts'))
  const transfer = [bytes.buffer]
  t.equal(await lengths.run({ bytes }, { name: 'length', transfer }), 100)
  t.equal(bytes.byteLength, 0)
  t.strictSame(await server.drain(), { drained: true })
})

t.test('options are checked when the pool is made', async (t) => {
  const url = fixtureUrl('compute-work.ts')
  t.throws(() => computePool('./work.ts' as unknown as URL), { code: 'RR_OPTION_INVALID' })
  t.throws(() => computePool(url, { threads: 1 } as object), { code: 'RR_OPTION_UNKNOWN' })
  for (const maxThreads of [0, 1025]) {
    t.throws(() => computePool(url, { maxThreads }), { code: 'RR_OPTION_INVALID' })
  }
  for (const maxQueue of [-1, 1_000_001]) {
    t.throws(() => computePool(url, { maxQueue }), { code: 'RR_OPTION_INVALID' })
  }
  computePool(url, { maxThreads: 1024, maxQueue: 1_000_000 })
  computePool(url, { maxThreads: 1, maxQueue: 0 })
})
