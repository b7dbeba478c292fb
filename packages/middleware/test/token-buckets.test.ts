import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import { bytesForClients, TokenBuckets, ticksPerToken } from '../src/token-buckets.ts'

const DAY_MS = 86_400_000

class Fake {
  nowMs = 0
  readonly buckets: TokenBuckets

  constructor(limit: number, windowMs: number, burst: number, maxClients = 1000) {
    const nowNs = (): bigint => BigInt(Math.round((this.nowMs + 1000) * 1e6))
    const memory = new SharedArrayBuffer(bytesForClients(maxClients))
    this.buckets = new TokenBuckets(memory, { limit, windowMs, burst, nowNs })
  }

  /** How many of `tries` requests pass now. */
  passing(key: string, tries: number, cost = 1): number {
    let count = 0
    for (let round = 0; round < tries; round++) {
      if (this.buckets.take(key, cost).isAllowed) count++
    }
    return count
  }
}

t.test('a full bucket lets through its burst and not one more', async (t) => {
  const fake = new Fake(3, 3000, 5)
  for (const remaining of [4, 3, 2, 1, 0]) {
    t.match(fake.buckets.take('a', 1), { isAllowed: true, remaining, waitMs: 0 })
  }
  t.match(fake.buckets.take('a', 1), { isAllowed: false, remaining: 0 })
  t.equal(fake.passing('b', 10), 5, 'another client has its own')
})

t.test('tokens come back one by one, evenly, up to the burst', async (t) => {
  const fake = new Fake(3, 3000, 5)
  fake.passing('a', 5)
  fake.nowMs = 999
  t.equal(fake.passing('a', 2), 0, 'just before')
  fake.nowMs = 1000
  t.equal(fake.passing('a', 2), 1, 'just then')
  fake.nowMs = 3999
  t.equal(fake.passing('a', 5), 2)
  fake.nowMs = 1_000_000
  t.equal(fake.passing('a', 10), 5, 'never more than the burst')
})

t.test('it says how long to wait, and until one more token', async (t) => {
  const fake = new Fake(2, 1000, 4)
  t.match(fake.buckets.take('a', 0), { remaining: 4, nextTokenMs: 0 }, 'full')
  t.match(fake.buckets.take('a', 1), { remaining: 3, nextTokenMs: 500 })
  fake.nowMs = 250
  t.match(fake.buckets.take('a', 3), { isAllowed: true, remaining: 0, nextTokenMs: 250 })
  t.match(fake.buckets.take('a', 1), { isAllowed: false, waitMs: 250, nextTokenMs: 250 })
  t.match(fake.buckets.take('a', 2), { isAllowed: false, waitMs: 750, nextTokenMs: 250 })
  fake.nowMs = 999
  t.equal(fake.passing('a', 1, 2), 0)
  fake.nowMs = 1000
  t.equal(fake.passing('a', 2, 2), 1)
})

t.test('what is refused costs nothing; a cost over the burst never passes', async (t) => {
  const fake = new Fake(1, 1000, 3)
  t.equal(fake.passing('a', 5, 4), 0)
  t.equal(fake.passing('a', 5, 2), 1)
  t.equal(fake.passing('a', 5, 1), 1)
  t.equal(fake.passing('a', 5, 0), 5)
})

t.test('the rate is exact in the long run, also where it divides nothing evenly', async (t) => {
  for (const [limit, windowMs] of [
    [3, 1000],
    [7, 1001],
    [999, 1000],
    [50_000, 1000],
    [1, DAY_MS],
  ] as const) {
    const fake = new Fake(limit, windowMs, 1)
    let passed = 0
    // Ten windows, looked at 100 times for each token or more.
    const steps = Math.min(20_000, limit * 10 * 100)
    for (let step = 0; step <= steps; step++) {
      fake.nowMs = (step / steps) * windowMs * 10
      passed += fake.passing('a', 1)
      const most = 1 + Math.floor((fake.nowMs * limit) / windowMs + 1e-6)
      if (passed > most) t.fail(`${passed} instead of ${most} after ${fake.nowMs} ms`)
    }
    // At higher rates the steps are too coarse to find every token as it comes.
    if (limit < 100) t.ok(passed >= limit * 10 - 1, `${passed} of ${limit * 10 + 1}`)
  }
})

t.test('times last for ten years; then buckets stand still and let nobody through', async (t) => {
  const fake = new Fake(10, 1000, 10)
  fake.nowMs = 3650 * DAY_MS
  t.equal(fake.passing('a', 20), 10)
  fake.nowMs += 1000
  t.equal(fake.passing('a', 20), 10)
  fake.nowMs *= 10_000
  t.ok(fake.passing('a', 20) <= 10)
  fake.nowMs *= 2
  t.equal(fake.passing('a', 20), 0)
})

t.test('rates are taken up to where their times would not last', async (t) => {
  t.ok(ticksPerToken({ limit: 55_000, windowMs: 1000, burst: 1 }) >= 1)
  t.equal(ticksPerToken({ limit: 56_000, windowMs: 1000, burst: 1 }), 0)
})

/** One set of 8 buckets: all keys meet in it. */
const ONE_SET = 4

t.test('a newcomer takes the place that has been full for longest', async (t) => {
  const fake = new Fake(1, 1000, 2, ONE_SET)
  for (let client = 0; client < 8; client++) {
    fake.nowMs = client * 10
    t.equal(fake.passing(`client ${client}`, 3), 2)
  }
  // All are full again; client 0 since longest. The others keep their places.
  fake.nowMs = 10_000
  fake.passing('newcomer', 3)
  const words = 'client 0 is gone: its place is the newcomer’s'
  t.equal(fake.passing('newcomer', 1), 0, words)
  for (let client = 1; client < 8; client++) t.equal(fake.passing(`client ${client}`, 3), 2)
})

t.test('with no full bucket, a newcomer goes on with the fullest one', async (t) => {
  const fake = new Fake(1, 1000, 4, ONE_SET)
  for (let client = 0; client < 8; client++) fake.passing(`client ${client}`, client === 5 ? 1 : 4)
  t.equal(fake.passing('newcomer', 10), 3, 'what client 5 had left')
  t.equal(fake.passing('client 5', 10), 0, 'which is now nobody’s')
})

t.test('no client gets more than the limit by having others push it out', async (t) => {
  const fake = new Fake(2, 1000, 3, ONE_SET)
  const passed = new Map<string, { count: number; firstMs: number }>()
  let random = 12_345
  for (let step = 0; step < 60_000; step++) {
    random = (Math.imul(random, 1_103_515_245) + 12_345) >>> 0
    fake.nowMs += (random >>> 8) % 3
    const key = `client ${(random >>> 16) % 40}`
    if (fake.passing(key, 1) === 0) continue
    const known = passed.get(key)
    if (known === undefined) passed.set(key, { count: 1, firstMs: fake.nowMs })
    else {
      known.count++
      const most = 3 + Math.floor(((fake.nowMs - known.firstMs) * 2) / 1000)
      if (known.count > most) t.fail(`${key}: ${known.count} instead of ${most}`)
    }
  }
  t.ok(passed.size > 8, `${passed.size} clients in 8 places`)
})

const THREADS = 4

interface HammerRun {
  readonly limit: number
  readonly windowMs: number
  readonly burst: number
  readonly maxClients: number
  readonly keys: readonly string[]
  readonly rounds: number
}

/** What all threads together were let through, by key, and how long it took. */
async function hammer(run: HammerRun): Promise<{ allowed: number[]; tookMs: number }> {
  const { keys, rounds, maxClients, ...rate } = run
  const memory = new SharedArrayBuffer(bytesForClients(maxClients))
  const gate = new Int32Array(new SharedArrayBuffer(8))
  const startMs = performance.now()
  const results = await Promise.all(
    Array.from({ length: THREADS }, async () => {
      const workerData = { memory, rate, gate, threads: THREADS, keys, rounds }
      const worker = new Worker(new URL('./fixtures/bucket-hammer.ts', import.meta.url), {
        workerData,
      })
      const [allowed] = (await once(worker, 'message')) as [number[]]
      return allowed
    }),
  )
  const sum = keys.map((_, index) => results.reduce((total, each) => total + each[index]!, 0))
  return { allowed: sum, tookMs: performance.now() - startMs }
}

t.test('threads that race for one key are let through exactly the burst', async (t) => {
  const { allowed } = await hammer({
    limit: 50_000,
    windowMs: DAY_MS * 31,
    burst: 50_000,
    maxClients: 10,
    keys: ['one'],
    rounds: 40_000,
  })
  // At most a token for each minute that the test may take comes back.
  t.ok(allowed[0]! >= 50_000 && allowed[0]! <= 50_001, `${allowed[0]}`)
})

t.test('threads that race while tokens come back never get more than there are', async (t) => {
  const { allowed, tookMs } = await hammer({
    limit: 20_000,
    windowMs: 1000,
    burst: 10,
    maxClients: 10,
    keys: ['one'],
    rounds: 100_000,
  })
  const most = 10 + Math.floor(tookMs * 20)
  t.ok(allowed[0]! <= most, `${allowed[0]} of at most ${most}`)
  t.ok(allowed[0]! > 10)
})

t.test('threads that race in a table too small for their keys never exceed it', async (t) => {
  const keys = Array.from({ length: 30 }, (_, index) => `client ${index}`)
  const burst = 200
  const { allowed } = await hammer({
    limit: burst,
    windowMs: DAY_MS * 31,
    burst,
    maxClients: ONE_SET,
    keys,
    rounds: 2000,
  })
  for (const count of allowed) t.ok(count <= burst, `${count}`)
  const sum = allowed.reduce((total, count) => total + count, 0)
  // Every pass moves the one least time of 8 ahead: no more than 8 buckets' worth in all.
  t.ok(sum <= 8 * burst + 8, `${sum} in sum`)
  t.ok(sum > burst)
})

t.test('threads ended in the middle of an update leave no bucket locked', async (t) => {
  const rate = { limit: 1000, windowMs: 1000, burst: 1000 }
  const memory = new SharedArrayBuffer(bytesForClients(ONE_SET))
  const keys = Array.from({ length: 10 }, (_, index) => `client ${index}`)
  for (let round = 0; round < 5; round++) {
    const gate = new Int32Array(new SharedArrayBuffer(8))
    const workers = Array.from({ length: 2 }, () => {
      const workerData = { memory, rate, gate, threads: 2, keys, rounds: 0 }
      return new Worker(new URL('./fixtures/bucket-hammer.ts', import.meta.url), { workerData })
    })
    while (Atomics.load(gate, 1) < 1000) await new Promise((resolve) => setImmediate(resolve))
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
  const buckets = new TokenBuckets(memory, rate)
  const endMs = performance.now() + 10_000
  for (const key of keys) {
    while (!buckets.take(key, 1).isAllowed && performance.now() < endMs);
  }
  t.ok(performance.now() < endMs, 'every bucket fills again and gives')
})
