import t from 'tap'
import { LoopDelayShed } from '../src/loop-delay-shed.ts'

const BOUND = 100
const TICK = 100

/** Lets requests come between two ticks; tells how many were refused. */
function come(shed: LoopDelayShed, requests: number): number {
  let refused = 0
  for (let count = 0; count < requests; count++) if (shed.isShed()) refused++
  return refused
}

function overloaded(ticks = 20): LoopDelayShed {
  const shed = new LoopDelayShed(BOUND, TICK)
  for (let count = 0; count < ticks; count++) {
    come(shed, 50)
    shed.tick(BOUND * 2)
  }
  return shed
}

t.test('late again and again: at the bound nothing is shed, one past it much', async (t) => {
  for (const [lateMs, sheds] of [
    [BOUND - 1, false],
    [BOUND, false],
    [BOUND + 1, true],
  ] as const) {
    const shed = new LoopDelayShed(BOUND, TICK)
    let refused = 0
    for (let count = 0; count < 50; count++) {
      refused += come(shed, 50)
      shed.tick(lateMs)
    }
    t.equal(refused > 0, sheds, `${lateMs} ms`)
  }
})

t.test('one long tick sheds nothing, however long and whatever came with it', async (t) => {
  const shed = new LoopDelayShed(BOUND, TICK)
  come(shed, 10_000)
  shed.tick(60_000)
  t.equal(shed.fraction, 0)
  t.equal(come(shed, 10_000), 0)
  for (let count = 0; count < 3; count++) {
    shed.tick(0)
    t.equal(come(shed, 10_000), 0)
  }
})

t.test('a late loop that no requests come to, or one at a time, sheds nothing', async (t) => {
  for (const requests of [0, 1]) {
    const shed = new LoopDelayShed(BOUND, TICK)
    for (let count = 0; count < 100; count++) {
      t.equal(come(shed, requests), 0)
      shed.tick(5000)
    }
    t.equal(shed.fraction, 0)
  }
})

t.test('a loop that is late every other time is late', async (t) => {
  const shed = new LoopDelayShed(BOUND, TICK)
  let refused = 0
  for (let count = 0; count < 40; count++) {
    refused += come(shed, 50)
    shed.tick(count % 2 === 0 ? BOUND * 2 : 0)
  }
  t.ok(refused > 0)
})

t.test('never sheds all: one in twenty gets through to notice a recovery', async (t) => {
  const shed = overloaded(1000)
  const refused = come(shed, 2000)
  t.ok(Math.abs(refused - 1900) <= 1, `${refused} of 2000`)
})

t.test('the part that is refused is spread evenly', async (t) => {
  const shed = overloaded(3)
  const { fraction } = shed
  t.ok(fraction > 0.2 && fraction < 0.9, String(fraction))
  for (let count = 0; count < 20; count++) {
    const refused = come(shed, 100)
    t.ok(Math.abs(refused - 100 * fraction) <= 1, `${refused} of 100`)
  }
})

t.test('recovers by itself in two seconds in time, and at once when nobody comes', async (t) => {
  const shed = overloaded()
  let ticks = 0
  for (; shed.fraction > 0; ticks++) {
    come(shed, 10)
    shed.tick(0)
  }
  t.ok(ticks <= 20, `${ticks} ticks`)
  const idle = overloaded()
  idle.tick(0)
  idle.tick(0)
  t.equal(idle.fraction, 0, 'an empty tick')
  t.equal(come(idle, 1000), 0)
})

t.test(
  'settles instead of swinging: a model of a loop with twice the load it can take',
  async (t) => {
    const shed = new LoopDelayShed(BOUND, TICK)
    // Each tick 200 requests come, of 1 ms each; what the loop has no time for makes the next ones late.
    let backlogMs = 0
    const fractions: number[] = []
    for (let count = 0; count < 600; count++) {
      const admitted = 200 - come(shed, 200)
      backlogMs = Math.max(0, backlogMs + admitted - TICK)
      shed.tick(backlogMs)
      if (count >= 300) fractions.push(shed.fraction)
    }
    const mean = fractions.reduce((sum, one) => sum + one, 0) / fractions.length
    t.ok(
      mean > 0.4 && mean < 0.6,
      `sheds ${mean.toFixed(2)} of the load on average, 0.5 are needed`,
    )
    const none = fractions.filter((one) => one === 0).length
    t.ok(none < fractions.length / 10, `${none} ticks without shedding`)
    t.ok(backlogMs < 20 * BOUND, `${backlogMs} ms behind`)
  },
)
