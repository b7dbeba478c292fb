import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import { ControlBlock } from '../src/control-block.ts'
import { fixtureUrl } from './support/fixture-url.ts'
import { until } from './support/until.ts'

const limits = (maxConnections: number): Parameters<typeof ControlBlock.create>[1] => ({
  maxConnections,
  maxConnectionsPerClient: 1,
})

t.test('a block has counts by client only where there is a limit on them', async (t) => {
  t.equal(ControlBlock.create(1).clientSlots(0, 1), null)
  const none = { maxConnections: 10, maxConnectionsPerClient: 0 }
  t.equal(ControlBlock.create(1, none).clientSlots(0, 1), null)
  const block = ControlBlock.create(1, limits(10))
  t.not(block.clientSlots(0, 1), null)
  t.not(ControlBlock.open(block.buffer).clientSlots(0, 1), null, 'and so has who opens it')
})

t.test('a client gets up to the limit, over all seats, and again what it gave back', async (t) => {
  const block = ControlBlock.create(2, limits(100))
  const one = block.clientSlots(0, 3)!
  const two = block.clientSlots(1, 3)!
  const slots = [one.tryAcquire('a'), two.tryAcquire('a'), one.tryAcquire('a')]
  t.ok(slots.every((slot) => slot > 0))
  t.equal(new Set(slots).size, 3)
  t.equal(one.tryAcquire('a'), 0)
  t.equal(two.tryAcquire('a'), 0)
  t.ok(two.tryAcquire('b') > 0, 'another one has its own')
  one.release(slots[1]!)
  t.equal(two.count('a'), 2)
  t.ok(two.tryAcquire('a') > 0)
  t.equal(one.tryAcquire('a'), 0)
})

t.test('there is room for as many clients as connections, and all of it comes back', async (t) => {
  for (const maxConnections of [1, 16, 5000]) {
    const slots = ControlBlock.create(1, limits(maxConnections)).clientSlots(0, 1)!
    for (let round = 0; round < 3; round++) {
      const held: number[] = []
      for (let client = 0; client < maxConnections; client++) {
        held.push(slots.tryAcquire(`${round} ${client}`))
      }
      t.notOk(held.includes(0), `${maxConnections} clients, round ${round}`)
      t.equal(slots.tryAcquire(`${round} 0`), 0)
      for (const slot of held) slots.release(slot)
      t.equal(slots.count(`${round} 0`), 0)
    }
  }
})

t.test('what a dead thread held is given back, and nothing of the others', async (t) => {
  const block = ControlBlock.create(3, limits(100))
  const [one, two] = [block.clientSlots(0, 5)!, block.clientSlots(1, 5)!]
  for (let count = 0; count < 3; count++) one.tryAcquire('a')
  one.tryAcquire('b')
  two.tryAcquire('a')
  block.reclaim(0)
  t.equal(two.count('a'), 1)
  t.equal(two.count('b'), 0)
  block.reclaim(0)
  block.reclaim(2)
  t.equal(two.count('a'), 1, 'once')
})

interface Hammered {
  readonly threads: readonly Worker[]
  /** Held of each client as the threads themselves see it, its highest value, rounds done. */
  readonly cells: Int32Array
}

const CLIENTS = 6
const HIGHEST = CLIENTS
const DONE = CLIENTS + 1

function hammer(block: ControlBlock, seats: number, limit: number, rounds: number): Hammered {
  const held = new SharedArrayBuffer((CLIENTS + 2) * 4)
  const threads = Array.from({ length: seats }, (_, seat) => {
    const workerData = { buffer: block.buffer, seat, limit, rounds, held, clients: CLIENTS }
    return new Worker(fixtureUrl('client-hammer.ts'), { workerData })
  })
  return { threads, cells: new Int32Array(held) }
}

for (const limit of [1, 3])
  t.test(`a limit of ${limit} is exact while threads take and give back at once`, async (t) => {
    // The smallest table there is: clients meet in their sets, words become free all the time.
    const block = ControlBlock.create(5, limits(1))
    const { threads, cells } = hammer(block, 4, limit, 40_000)
    const results = await Promise.all(
      threads.map(async (thread) => (await once(thread, 'message'))[0]),
    )
    await Promise.all(threads.map((thread) => thread.terminate()))
    t.ok(cells[HIGHEST]! <= limit, `at most ${cells[HIGHEST]} held at a time`)
    t.equal(cells[HIGHEST], limit, 'and as many')
    t.ok(results.every(({ acquired }) => acquired > 0))
    const slots = block.clientSlots(4, limit)!
    for (let client = 0; client < CLIENTS; client++) t.equal(slots.count(`client ${client}`), 0)
  })

t.test('threads ended in the middle leave exact counts behind', async (t) => {
  const block = ControlBlock.create(3, limits(100))
  const steady = block.clientSlots(2, 100)!
  for (let count = 0; count < 7; count++) steady.tryAcquire('client 0')
  for (let round = 0; round < 15; round++) {
    const { threads, cells } = hammer(block, 2, 100, 0)
    // Not at the same point of their loop each time.
    await until(() => Atomics.load(cells, DONE) > 300 * (round + 1), 'the threads to run')
    await Promise.all(threads.map((thread) => thread.terminate()))
    for (const seat of [0, 1]) block.reclaim(seat)
    t.equal(steady.count('client 0'), 7, `round ${round}`)
    for (let client = 1; client < CLIENTS; client++) t.equal(steady.count(`client ${client}`), 0)
  }
})

t.test('CLIENT-SLOTS.md says how large the table is', async (t) => {
  const page = readFileSync(new URL('../CLIENT-SLOTS.md', import.meta.url), 'utf8')
  const bytes = (maxConnections: number): number =>
    ControlBlock.create(1, limits(maxConnections)).buffer.byteLength
  const each = (bytes(20_000) - bytes(10_000)) / 10_000
  t.match(page, `: ${each} bytes for each`)
})
