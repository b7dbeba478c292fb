import t, { type Test } from 'tap'
import { ComputeService } from '../src/compute-service.ts'
import type { ComputeJob } from '../src/messages.ts'
import { fixtureUrl } from './support/fixture-url.ts'
import { until } from './support/until.ts'

const fileUrl = fixtureUrl('compute-work.ts').href
const NEVER = new AbortController().signal

function job(name: string, task: unknown, more: Partial<ComputeJob> = {}): ComputeJob {
  return { fileUrl, name, task, transfer: [], maxThreads: 2, maxQueue: 2, ...more }
}

interface Started {
  readonly service: ComputeService
  readonly faults: string[]
  readonly release: () => Promise<void>
}

function start(t: Test): Started {
  const service = new ComputeService()
  const faults: string[] = []
  const release = service.retain((message) => faults.push(message))
  t.teardown(release)
  return { service, faults, release }
}

const newCells = (): Int32Array => new Int32Array(new SharedArrayBuffer(16))

function open(cells: Int32Array): void {
  Atomics.store(cells, 1, 1)
  Atomics.notify(cells, 1)
}

t.test('a task runs in a TypeScript module, by its default export or a name', async (t) => {
  const { service } = start(t)
  t.equal((await service.run(job('default', 7), NEVER)).value, 49)
  const bytes = new Uint8Array(10)
  t.equal((await service.run(job('length', { bytes }), NEVER)).value, 10)
  t.equal(bytes.byteLength, 10, 'copied')
  t.match(service.counts(), { queued: 0, running: 0, completed: 2, cancelled: 0, rejected: 0 })
})

t.test('what is in a transfer list is handed over, both ways', async (t) => {
  const { service } = start(t)
  const bytes = new Uint8Array(1000)
  const sent = job('length', { bytes }, { transfer: [bytes.buffer] })
  t.equal((await service.run(sent, NEVER)).value, 1000)
  t.equal(bytes.byteLength, 0, 'handed over')
  const { value, transfer } = await service.run(job('moved', 500), NEVER)
  t.same(value, new Uint8Array(500).fill(7))
  t.equal(transfer[0], (value as Uint8Array).buffer)
})

t.test('what a task throws arrives with its name, message, stack and code', async (t) => {
  const { service } = start(t)
  const error = await service.run(job('fail', null), NEVER).catch((thrown: unknown) => thrown)
  t.match(error, { name: 'RangeError', message: 'no luck in the task', code: 'E_LUCK' })
  t.match((error as Error).stack, /compute-work\.ts:\d+/)
  t.equal(service.counts().completed, 1)
})

t.test('a task that ends its thread or cannot be sent fails, and the next one runs', async (t) => {
  const { service } = start(t)
  await t.rejects(service.run(job('exit', null), NEVER), /exited with code: 5/)
  await t.rejects(service.run(job('unsendable', null), NEVER), /could not be copied/)
  await t.rejects(
    service.run(
      job('default', () => {}),
      NEVER,
    ),
    { name: 'DataCloneError' },
  )
  await t.rejects(service.run(job('nowhere', null), NEVER), /exports no function 'nowhere'/)
  const missing = { fileUrl: fixtureUrl('missing.ts').href }
  await t.rejects(service.run(job('default', null, missing), NEVER), {
    code: 'ERR_MODULE_NOT_FOUND',
  })
  t.equal((await service.run(job('default', 3), NEVER)).value, 9)
})

t.test('the bounds: the last free place takes a task, the next is refused', async (t) => {
  const { service } = start(t)
  const cells = newCells()
  const tasks = [1, 2, 3].map(() => service.run(job('hold', { cells }), NEVER))
  t.match(service.counts(), { running: 2, queued: 1 }, 'one below')
  tasks.push(service.run(job('hold', { cells }), NEVER))
  t.match(service.counts(), { running: 2, queued: 2 }, 'full')
  await t.rejects(service.run(job('hold', { cells }), NEVER), { code: 'RR_POOL_BUSY', status: 503 })
  t.equal(service.counts().rejected, 1)
  await until(() => Atomics.load(cells, 0) === 2, 'both threads to run')
  open(cells)
  t.same(
    (await Promise.all(tasks)).map(({ value }) => value),
    Array(4).fill('released'),
  )
  t.ok(Atomics.load(cells, 3) <= 2, 'never more than two at a time')
  t.match(service.counts(), { running: 0, queued: 0, completed: 4, rejected: 1 })
})

t.test('no queue: a task is taken only by a free thread', async (t) => {
  const { service } = start(t)
  const cells = newCells()
  const bounds = { maxThreads: 1, maxQueue: 0 }
  const held = service.run(job('hold', { cells }, bounds), NEVER)
  await t.rejects(service.run(job('default', 1, bounds), NEVER), { code: 'RR_POOL_BUSY' })
  open(cells)
  await held
  t.equal((await service.run(job('default', 2, bounds), NEVER)).value, 4)
})

t.test('the first task decides the bounds; another that asks for others is refused', async (t) => {
  const { service } = start(t)
  await service.run(job('default', 1), NEVER)
  await t.rejects(service.run(job('default', 1, { maxThreads: 3 }), NEVER), {
    code: 'RR_OPTION_INVALID',
    message: /maxThreads is 3, but the process has one pool, whose maxThreads is 2/,
  })
  await t.rejects(service.run(job('default', 1, { maxQueue: 3 }), NEVER), {
    code: 'RR_OPTION_INVALID',
  })
  await service.run(job('default', 1, { maxThreads: null, maxQueue: null }), NEVER)
})

t.test('an abort drops a task that waits and ends the thread of one that runs', async (t) => {
  const { service } = start(t)
  const bounds = { maxThreads: 1, maxQueue: 3 }
  const cells = newCells()
  const [running, waiting] = [new AbortController(), new AbortController()]
  const spinning = service.run(job('spin', { cells }, bounds), running.signal)
  await until(() => Atomics.load(cells, 0) === 1, 'the task to run')
  const dropped = service.run(job('spin', { cells }, bounds), waiting.signal)
  const after = service.run(job('default', 6, bounds), NEVER)
  waiting.abort(new Error('left while waiting'))
  await t.rejects(dropped, { message: 'left while waiting' })
  running.abort(new Error('left while running'))
  await t.rejects(spinning, { message: 'left while running' })
  t.equal((await after).value, 36, 'what waited behind them runs')
  t.equal(Atomics.load(cells, 0), 1, 'the dropped one never ran')
  t.match(service.counts(), { queued: 0, running: 0, completed: 1, cancelled: 2 })
  const gone = AbortSignal.abort(new Error('left before'))
  await t.rejects(service.run(job('default', 1, bounds), gone), { message: 'left before' })
})

t.test('aborts at any moment leave no task behind and no thread taken', async (t) => {
  const { service } = start(t)
  const bounds = { maxThreads: 2, maxQueue: 100 }
  let results = 0
  let aborts = 0
  const tasks = Array.from({ length: 60 }, async (_, index) => {
    const controller = new AbortController()
    // Some at once, some while threads start, some while tasks run.
    if (index % 3 === 1) setTimeout(() => controller.abort(new Error('left')), (index * 7) % 97)
    if (index % 10 === 2) setImmediate(() => controller.abort(new Error('left')))
    const name = index % 15 === 1 ? 'spin' : 'default'
    const task = name === 'spin' ? { cells: newCells() } : index
    try {
      const { value } = await service.run(job(name, task, bounds), controller.signal)
      t.equal(value, index * index)
      results++
    } catch (error) {
      t.match(error, { message: 'left' })
      aborts++
    }
  })
  await Promise.all(tasks)
  t.equal(results + aborts, 60)
  t.ok(aborts >= 4, `${aborts} aborted`)
  t.match(service.counts(), { queued: 0, running: 0, completed: results, cancelled: aborts })
  t.equal((await service.run(job('default', 3, bounds), NEVER)).value, 9)
})

t.test('a thread that fails without a task is reported, and the pool goes on', async (t) => {
  const { service, faults } = start(t)
  const bounds = { maxThreads: 1 }
  const cells = newCells()
  t.equal((await service.run(job('failLater', { cells }, bounds), NEVER)).value, 'done')
  open(cells)
  await until(() => faults.length === 1, 'the fault')
  t.match(faults[0], /a thread of the compute pool failed: Error: too late/)
  t.equal((await service.run(job('default', 4, bounds), NEVER)).value, 16)
})

t.test('threads that cannot start fail the tasks that wait for them', async (t) => {
  const service = new ComputeService(fixtureUrl('missing.ts'))
  const faults: string[] = []
  t.teardown(service.retain((message) => faults.push(message)))
  for (let round = 1; round <= 2; round++) {
    const tasks = [1, 2, 3].map((value) => service.run(job('default', value), NEVER))
    for (const task of tasks) await t.rejects(task, { code: 'RR_WORKER_FAILED' })
    t.match(service.counts(), { queued: 0, running: 0, completed: round * 3 })
  }
  t.match(faults[0], /a thread of the compute pool failed/)
})

t.test('the last server that lets go ends the pool; the next task has a new one', async (t) => {
  const { service, release } = start(t)
  const releaseOther = service.retain(() => {})
  const cells = newCells()
  const held = service.run(job('spin', { cells }), NEVER)
  await until(() => Atomics.load(cells, 0) === 1, 'the task to run')
  await releaseOther()
  await releaseOther()
  t.equal(service.counts().running, 1, 'the other server still has it')
  const ended = t.rejects(held, { code: 'RR_SERVER_STATE' })
  await release()
  await ended
  t.match(service.counts(), { running: 0, queued: 0 })
  const releaseNew = service.retain(() => {})
  t.equal((await service.run(job('default', 5, { maxThreads: 1 }), NEVER)).value, 25)
  await releaseNew()
})
