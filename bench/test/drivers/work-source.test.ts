import t from 'tap'
import { ClosedBursts, ClosedLoop, ConstantRate } from '../../src/drivers/work-source.ts'

const constantRate = (more: Partial<ConstructorParameters<typeof ConstantRate>[0]> = {}) =>
  new ConstantRate({
    ...{ slots: 4, rate: 1000, startUs: 5000, firstDueUs: 5000, seconds: 1, isBurst: false },
    ...more,
  })

t.test('constant rate: every request is due at its own time and in turn by slot', async (t) => {
  const source = constantRate()
  t.equal(source.dueAt(0), 5000)
  t.equal(source.dueAt(999), 5000 + 999_000)
  const slots: number[] = []
  for (let slot = source.advance(9500); slot >= 0; slot = source.advance(9500)) slots.push(slot)
  t.same(slots, [0, 1, 2, 3, 0], 'those of the first 4.5 ms')
  t.equal(source.nextDueUs, 10_000)
})

t.test('constant rate: errors of the interval do not add up', async (t) => {
  const source = constantRate({ rate: 30_000, firstDueUs: 0 })
  t.equal(Math.round(source.dueAt(3_000_000)), 100_000_000)
})

t.test('constant rate: a slot that is behind is given what it missed, as it was due', async (t) => {
  const source = constantRate()
  while (source.advance(20_000) >= 0);
  t.equal(source.take(1), 6000)
  t.equal(source.take(1), 10_000)
  t.equal(source.take(1), 14_000)
  t.equal(source.take(1), 18_000)
  t.ok(Number.isNaN(source.take(1)))
  t.equal(source.due, 16)
  t.equal(source.sent, 4)
  t.same([...source.unsent()].length, 12)
  t.equal(Math.min(...source.unsent()), 5000)
})

t.test('constant rate: nothing is due at the end or after it', async (t) => {
  const source = constantRate()
  let due = 0
  while (source.advance(10_000_000) >= 0) due++
  t.equal(due, 1000)
  source.stop()
  t.ok(Number.isNaN(source.take(0)))
})

t.test('constant rate in bursts: all slots at one moment', async (t) => {
  const source = constantRate({ isBurst: true })
  t.same(
    [0, 3, 4, 7, 8].map((k) => source.dueAt(k)),
    [5000, 5000, 9000, 9000, 13_000],
  )
})

t.test('constant rate: a backlog that grows is told from a stall', async (t) => {
  const run = (backlogAt: (share: number) => number): boolean => {
    const source = constantRate({ rate: 100_000, slots: 1, startUs: 0, firstDueUs: 0 })
    for (let us = 0; us < 1_000_000; us += 1000) {
      while (source.advance(us) >= 0);
      while (source.due - source.sent > backlogAt(us / 1_000_000)) source.take(0)
      source.noteBacklog(us)
    }
    return source.isBacklogGrowing
  }
  t.equal(
    run(() => 0),
    false,
    'none',
  )
  t.equal(
    run(() => 50),
    false,
    'the same all the time',
  )
  t.equal(
    run((share) => share * 500),
    true,
    'growing slowly',
  )
  t.equal(
    run((share) => (share > 0.7 && share < 0.9 ? 9000 : 0)),
    false,
    'a stall, caught up with',
  )
})

t.test('closed loop: always something to send, until it is stopped', async (t) => {
  const source = new ClosedLoop()
  t.equal(source.take(0, 42), 42)
  source.stop()
  t.ok(Number.isNaN(source.take(0, 43)))
})

t.test('closed bursts: one request for each slot, then all again when all are done', async (t) => {
  let bursts = 0
  const source = new ClosedBursts(2, () => bursts++)
  t.equal(source.take(0, 1), 1)
  t.ok(Number.isNaN(source.take(0, 2)))
  t.equal(source.take(1, 3), 3)
  source.onFree()
  t.ok(Number.isNaN(source.take(0, 4)))
  source.onFree()
  t.ok(Number.isNaN(source.take(0, 4)), 'not from within the turn that was the last')
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(bursts, 1)
  t.equal(source.take(0, 5), 5)
})
