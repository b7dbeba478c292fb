import t from 'tap'
import { type ReloadLimits, ReloadQueue } from '../src/reload.ts'
import type { ReloadResult } from '../src/server.ts'

const LIMITS: ReloadLimits = { leaveMs: 10, startMs: 20 }

/** A queue whose reloads end when the test says so. */
function held(): {
  queue: ReloadQueue
  asked: ReloadLimits[]
  running: PromiseWithResolvers<ReloadResult>[]
} {
  const asked: ReloadLimits[] = []
  const running: PromiseWithResolvers<ReloadResult>[] = []
  const queue = new ReloadQueue((limits) => {
    asked.push(limits)
    const run = Promise.withResolvers<ReloadResult>()
    running.push(run)
    return run.promise
  })
  return { queue, asked, running }
}

const RESULT: ReloadResult = { replaced: 1, remaining: 0 }

t.test('those who ask during a reload share the next, at the shortest times', async (t) => {
  const { queue, asked, running } = held()
  const first = queue.add(LIMITS)
  const second = queue.add({ leaveMs: 7, startMs: 9 })
  const third = queue.add({ leaveMs: 8, startMs: 8 })
  t.strictSame(asked, [LIMITS])
  running[0]!.reject(new Error('no luck'))
  await t.rejects(first, { message: 'no luck' })
  await new Promise((resolve) => setImmediate(resolve))
  t.strictSame(asked, [LIMITS, { leaveMs: 7, startMs: 8 }])
  running[1]!.resolve(RESULT)
  t.strictSame(await Promise.all([second, third]), [RESULT, RESULT])
})

t.test(
  'who asks again as a reload ends, whenever that is, starts none beside the next',
  async (t) => {
    for (let turns = 0; turns < 8; turns++) {
      const { queue, asked, running } = held()
      const first = queue.add(LIMITS)
      const second = queue.add(LIMITS)
      running[0]!.resolve(RESULT)
      await first
      for (let turn = 0; turn < turns; turn++) await null
      const third = queue.add(LIMITS)
      await new Promise((resolve) => setImmediate(resolve))
      t.equal(asked.length, 2, `one runs, ${turns} turns later`)
      running[1]!.resolve(RESULT)
      await second
      await new Promise((resolve) => setImmediate(resolve))
      running[2]?.resolve(RESULT)
      await third
    }
  },
)
