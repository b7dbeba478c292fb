import { mock } from 'node:test'
import t from 'tap'
import { DeadlineEntry, DeadlineWheel, TICK_MS } from '../src/deadline-wheel.ts'

class Entry extends DeadlineEntry {
  readonly firedAtMs: number[] = []
  readonly #wheel: DeadlineWheel
  onFire: (() => void) | null = null

  constructor(wheel: DeadlineWheel) {
    super()
    this.#wheel = wheel
  }

  /** As a transport does it. */
  setDeadline(atMs: number): void {
    this.deadlineMs = atMs
    if (atMs < this.slotFloorMs) this.#wheel.schedule(this)
  }

  override onDeadline(): void {
    this.firedAtMs.push(this.#wheel.nowMs)
    this.onFire?.()
  }
}

class FakeTime {
  nowMs = 1000
  readonly wheel: DeadlineWheel
  ticks = 0

  constructor() {
    this.wheel = new DeadlineWheel({ time: () => this.nowMs, onTick: () => this.ticks++ })
  }

  /** Lets time pass in steps, as the timer would. */
  pass(ms: number, stepMs = TICK_MS): void {
    const end = this.nowMs + ms
    while (this.nowMs < end) {
      this.nowMs = Math.min(end, this.nowMs + stepMs)
      this.wheel.advance()
    }
  }
}

function setUp(): { time: FakeTime; wheel: DeadlineWheel; entry: Entry } {
  const time = new FakeTime()
  return { time, wheel: time.wheel, entry: new Entry(time.wheel) }
}

t.test('fires once, never early and at most two ticks late', async (t) => {
  for (const delayMs of [0, 1, 50, 99, 100, 101, 149, 1000, 12_345, 102_300, 102_400, 500_000]) {
    for (const offsetMs of [0, 1, 55, 99]) {
      const { time, entry } = setUp()
      time.nowMs += offsetMs
      time.wheel.advance()
      const deadlineMs = time.nowMs + delayMs
      entry.setDeadline(deadlineMs)
      time.pass(delayMs + 3 * TICK_MS)
      t.equal(entry.firedAtMs.length, 1, `${delayMs} ms fires`)
      const lateMs = entry.firedAtMs[0]! - deadlineMs
      t.ok(lateMs >= TICK_MS, `${delayMs} ms is not early by a clock that lags a tick`)
      t.ok(lateMs <= 3 * TICK_MS, `${delayMs} ms is ${lateMs} ms late`)
      t.equal(time.wheel.size, 0)
    }
  }
})

t.test('a deadline in the past fires at the next tick', async (t) => {
  const { time, entry } = setUp()
  entry.setDeadline(time.nowMs - 5000)
  time.pass(TICK_MS)
  t.equal(entry.firedAtMs.length, 1)
})

t.test('a deadline moved later is only stored, and fires at its new time', async (t) => {
  const { time, wheel, entry } = setUp()
  entry.setDeadline(time.nowMs + 500)
  const { schedule } = wheel
  let scheduled = 0
  wheel.schedule = function (this: DeadlineWheel, waiting) {
    scheduled++
    schedule.call(this, waiting)
  }
  for (let step = 0; step < 100; step++) {
    entry.setDeadline(time.nowMs + 500)
    time.pass(30, 30)
  }
  t.equal(entry.firedAtMs.length, 0)
  t.ok(scheduled <= 10, `${scheduled} times into another slot in 3 s`)
  const lastMs = entry.deadlineMs
  time.pass(1000)
  t.equal(entry.firedAtMs.length, 1)
  t.ok(entry.firedAtMs[0]! >= lastMs)
})

t.test('a deadline moved before its slot changes the slot at once', async (t) => {
  const { time, entry, wheel } = setUp()
  entry.setDeadline(time.nowMs + 60_000)
  time.pass(1000)
  entry.setDeadline(time.nowMs + 200)
  t.equal(wheel.size, 1)
  time.pass(500)
  t.equal(entry.firedAtMs.length, 1)
  time.pass(70_000)
  t.equal(entry.firedAtMs.length, 1, 'not again in the old slot')
})

t.test('Infinity means none: the entry leaves the wheel when its slot comes', async (t) => {
  const { time, entry, wheel } = setUp()
  entry.setDeadline(Number.POSITIVE_INFINITY)
  t.equal(wheel.size, 0)
  entry.setDeadline(time.nowMs + 300)
  entry.setDeadline(Number.POSITIVE_INFINITY)
  time.pass(2000)
  t.equal(entry.firedAtMs.length, 0)
  t.equal(wheel.size, 0)
  entry.setDeadline(time.nowMs + 300)
  time.pass(600)
  t.equal(entry.firedAtMs.length, 1, 'and can come back')
})

t.test('a removed entry does not fire, and removing twice is harmless', async (t) => {
  const { time, entry, wheel } = setUp()
  entry.setDeadline(time.nowMs + 300)
  wheel.remove(entry)
  wheel.remove(entry)
  t.equal(wheel.size, 0)
  time.pass(2000)
  t.equal(entry.firedAtMs.length, 0)
})

t.test('entries may set new deadlines and remove each other while firing', async (t) => {
  const { time, wheel, entry } = setUp()
  const other = new Entry(wheel)
  entry.setDeadline(time.nowMs + 300)
  other.setDeadline(time.nowMs + 300)
  entry.onFire = () => {
    wheel.remove(other)
    if (entry.firedAtMs.length < 3) entry.setDeadline(time.nowMs - 1)
  }
  time.pass(2000)
  t.equal(entry.firedAtMs.length, 3)
  t.equal(new Set(entry.firedAtMs).size, 3, 'a past deadline set while firing waits for a tick')
  t.equal(other.firedAtMs.length, 0)
  t.equal(wheel.size, 0)
})

t.test('a callback that throws leaves the others waiting', async (t) => {
  const { time, wheel, entry } = setUp()
  const other = new Entry(wheel)
  entry.onFire = () => {
    throw new Error('from a callback')
  }
  entry.setDeadline(time.nowMs + 100)
  other.setDeadline(time.nowMs + 100)
  t.throws(() => time.pass(1000), { message: 'from a callback' })
  time.pass(1000)
  t.equal(other.firedAtMs.length, 1)
})

t.test('after a pause longer than a turn all that is due fires, once', async (t) => {
  const { time, wheel } = setUp()
  const entries = Array.from({ length: 2000 }, (_, index) => {
    const entry = new Entry(wheel)
    entry.setDeadline(time.nowMs + index * 150)
    return entry
  })
  time.nowMs += 200_000
  wheel.advance()
  const limitMs = time.nowMs - TICK_MS
  for (const [index, entry] of entries.entries()) {
    const isDue = 1000 + index * 150 <= limitMs
    if (entry.firedAtMs.length !== (isDue ? 1 : 0)) t.fail(`entry ${index}`)
  }
  time.pass(150_000)
  t.ok(entries.every((entry) => entry.firedAtMs.length === 1))
  t.equal(wheel.size, 0)
})

t.test('thousands of entries that move at random all fire at their last deadline', async (t) => {
  const { time, wheel } = setUp()
  let seed = 12_345
  const random = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
    return seed % below
  }
  const entries = Array.from({ length: 5000 }, () => new Entry(wheel))
  for (let round = 0; round < 20; round++) {
    for (const entry of entries) {
      if (entry.firedAtMs.length === 0) entry.setDeadline(time.nowMs + 2000 + random(150_000))
    }
    time.pass(700, 70)
  }
  const deadlines = entries.map((entry) => entry.deadlineMs)
  t.equal(wheel.size, 5000)
  time.pass(160_000)
  for (const [index, entry] of entries.entries()) {
    const lateMs = entry.firedAtMs[0]! - deadlines[index]!
    if (entry.firedAtMs.length !== 1 || lateMs < TICK_MS || lateMs > 3 * TICK_MS) {
      t.fail(`entry ${index}: ${entry.firedAtMs} for ${deadlines[index]}`)
    }
  }
})

t.test('is a clock: set at the start, brought forward by ticks and on demand', async (t) => {
  const { time, wheel } = setUp()
  t.equal(wheel.nowMs, 1000)
  time.nowMs = 1030
  t.equal(wheel.nowMs, 1000)
  wheel.refresh()
  t.equal(wheel.nowMs, 1030)
  time.nowMs = 1060
  wheel.advance()
  t.equal(wheel.nowMs, 1060)
  t.equal(time.ticks, 1, 'each advance is told')
})

t.test('the timer ticks slowly while nothing waits, fast while something does', async (t) => {
  mock.timers.enable({ apis: ['setInterval', 'Date'] })
  t.teardown(() => mock.timers.reset())
  let ticks = 0
  const wheel = new DeadlineWheel({ time: () => Date.now(), onTick: () => ticks++ })
  const ticksIn = (ms: number): number => {
    const before = ticks
    mock.timers.tick(ms)
    return ticks - before
  }
  const entry = new Entry(wheel)
  wheel.start()
  t.ok(ticksIn(5000) <= 10, 'idle')
  entry.setDeadline(Date.now() + 5000)
  t.ok(ticksIn(4000) >= 39, 'waiting')
  t.ok(ticksIn(5000) >= 10, 'fired')
  t.equal(entry.firedAtMs.length, 1)
  t.ok(ticksIn(5000) <= 10, 'idle again')
  wheel.stop()
  t.equal(ticksIn(5000), 0, 'stopped')
})

t.test('tells by how much the event loop was late for a tick', async (t) => {
  const late: number[] = []
  let nowMs = 1000
  const wheel = new DeadlineWheel({
    time: () => nowMs,
    onTick: (_, lateMs) => late.push(lateMs),
    idleTickMs: 500,
  })
  const tickAfter = (ms: number): void => {
    nowMs += ms
    wheel.tick()
  }
  wheel.start()
  for (const ms of [500, 499, 700]) tickAfter(ms)
  t.same(late, [0, 0, 200], 'at the pace of an idle wheel')
  nowMs += 50
  new Entry(wheel).setDeadline(nowMs + 10_000)
  for (const ms of [100, 101, 5000, 100]) tickAfter(ms)
  t.same(late.slice(3), [0, 1, 4900, 0], 'from the change to the pace of a busy one')
  wheel.stop()
})
