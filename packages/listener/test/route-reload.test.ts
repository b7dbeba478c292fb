import t from 'tap'
import type { RoutesMessage, RoutesReply } from '../src/messages.ts'
import { type ReloadedWorker, RouteReload } from '../src/route-reload.ts'
import { serializeError } from '../src/serialized-error.ts'

/** Workers that answer only when the test says so. */
class Workers {
  /** What each was sent: such as `1 prepare-routes 1`. */
  sent: string[] = []
  threads: Readonly<Record<number, readonly number[]>>
  error: Error | null = null
  readonly reload: RouteReload = new RouteReload({
    workers: () => Object.keys(this.threads).map((workerId) => this.#worker(Number(workerId))),
    check: () => {
      if (this.error !== null) throw this.error
    },
  })

  constructor(threads: Readonly<Record<number, readonly number[]>>) {
    this.threads = threads
  }

  answer(
    type: 'routes-prepared' | 'routes-committed',
    version: number,
    ...threads: readonly number[]
  ): void {
    for (const threadId of threads) this.reload.onReply(1, { type, version, threadId })
  }

  fail(version: number, threadId: number): void {
    const reply: RoutesReply = {
      type: 'routes-failed',
      version,
      threadId,
      url: 'file:///routes.ts',
      error: serializeError(new TypeError('bad')),
    }
    this.reload.onReply(2, reply)
  }

  take(): string[] {
    const { sent } = this
    this.sent = []
    return sent
  }

  #worker(workerId: number): ReloadedWorker {
    return {
      workerId,
      post: ({ type, version }: RoutesMessage) => {
        this.sent.push(`${workerId} ${type} ${version}`)
        return this.threads[workerId] ?? []
      },
    }
  }
}

const PREPARED = 'routes-prepared'
const COMMITTED = 'routes-committed'

async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}

t.test('nobody changes before all threads have loaded, those of one worker too', async (t) => {
  const workers = new Workers({ 1: [11, 12], 2: [21] })
  const reload = workers.reload.reload(60_000)
  await turn()
  t.same(workers.take(), ['1 prepare-routes 1', '2 prepare-routes 1'])
  workers.answer(PREPARED, 1, 11, 21, 21)
  workers.answer(COMMITTED, 1, 12)
  workers.answer(PREPARED, 9, 12)
  await turn()
  t.same(workers.take(), [], 'repeated, early and foreign answers do not count')
  workers.answer(PREPARED, 1, 12)
  await turn()
  t.same(workers.take(), ['1 commit-routes 1', '2 commit-routes 1'])
  workers.answer(COMMITTED, 1, 11, 12, 21)
  await reload
})

t.test('one that fails ends it for all, and answers that follow do not count', async (t) => {
  const workers = new Workers({ 1: [11], 2: [21] })
  const reload = workers.reload.reload(60_000)
  await turn()
  workers.answer(PREPARED, 1, 11)
  workers.fail(1, 21)
  await t.rejects(reload, {
    code: 'RR_RELOAD_FAILED',
    message: 'the routes stay as they were: worker 2 could not load file:///routes.ts: bad',
    cause: { name: 'TypeError' },
  })
  t.same(workers.take().slice(2), ['1 drop-routes 1', '2 drop-routes 1'])
  workers.answer(PREPARED, 1, 21)
  workers.fail(1, 21)
  await turn()
  t.same(workers.take(), [])
  const next = workers.reload.reload(60_000)
  await turn()
  workers.answer(PREPARED, 1, 11, 21)
  workers.fail(1, 21)
  await turn()
  t.same(workers.take(), ['1 prepare-routes 2', '2 prepare-routes 2'], 'with a number of its own')
  workers.answer(PREPARED, 2, 11, 21)
  await turn()
  workers.answer(COMMITTED, 2, 11, 21)
  await next
})

t.test('a thread that ends is not waited for, and its successor is told too', async (t) => {
  const workers = new Workers({ 1: [11], 2: [21] })
  const reload = workers.reload.reload(60_000)
  await turn()
  workers.answer(PREPARED, 1, 11)
  workers.threads = { 1: [11], 2: [22] }
  workers.reload.onThreadEnded(99)
  workers.reload.onThreadEnded(21)
  await turn()
  t.same(workers.take().slice(2), ['1 commit-routes 1', '2 commit-routes 1'])
  workers.answer(COMMITTED, 1, 11)
  workers.reload.onThreadEnded(22)
  await reload
  workers.reload.onThreadEnded(11)
})

t.test('without any thread there is nothing to wait for', async (t) => {
  const workers = new Workers({ 1: [], 2: [] })
  await workers.reload.reload(60_000)
  t.same(workers.take().length, 4)
})

t.test('a server that stops accepting in between keeps the old routes', async (t) => {
  const workers = new Workers({ 1: [11] })
  const reload = workers.reload.reload(60_000)
  const waiting = workers.reload.reload(60_000)
  await turn()
  workers.error = new Error('draining')
  t.throws(() => workers.reload.reload(60_000), { message: 'draining' })
  workers.answer(PREPARED, 1, 11)
  await t.rejects(reload, { message: 'draining' })
  await t.rejects(waiting, { message: 'draining' })
  t.same(workers.take(), ['1 prepare-routes 1', '1 drop-routes 1'])
})

t.test('who has not loaded in time is named', async (t) => {
  const workers = new Workers({ 1: [11], 2: [21], 3: [31] })
  const reload = workers.reload.reload(1)
  await turn()
  workers.answer(PREPARED, 1, 21)
  await t.rejects(reload, { message: /worker 1, 3 did not load the new ones in time/ })
})
