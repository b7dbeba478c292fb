import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { REACHED_LIMITS } from '@rr/core'
import t from 'tap'
import {
  ControlBlock,
  limitField,
  REFUSAL_STATUSES,
  SEAT_FIELDS,
  SERVER_FIELDS,
} from '../src/control-block.ts'
import { fixtureUrl } from './support/fixture-url.ts'
import { until } from './support/until.ts'

t.test('a slot is given up to the limit, and again once one is given back', async (t) => {
  const block = ControlBlock.create(2)
  const one = block.seat(0, 3)
  const two = block.seat(1, 3)
  t.ok(one.tryAcquire())
  t.ok(two.tryAcquire())
  t.ok(two.tryAcquire())
  t.notOk(one.tryAcquire())
  t.notOk(two.tryAcquire())
  t.equal(block.connections, 3)
  two.release()
  t.ok(one.tryAcquire())
  t.equal(block.connections, 3)
  t.equal(block.read(0).connections, 2)
  t.equal(block.read(1).connections, 1)
  t.equal(block.read(0).connectionsAccepted, 2)
})

t.test('counts go to their own seat and cell', async (t) => {
  const block = ControlBlock.create(3)
  const seat = block.seat(1, 10)
  seat.requestStarted()
  seat.requestStarted()
  seat.requestFinished()
  seat.addBytesIn(100)
  seat.addBytesOut(2 ** 40)
  seat.connectionRefused()
  seat.heartbeat(1234.5)
  seat.setPhase('accepting')
  for (const status of REFUSAL_STATUSES) seat.requestRejected(status, 'protocol')
  for (const status of [402, 599, 600, 0, 70_000]) seat.requestRejected(status, 'protocol')
  seat.requestRejected(503, 'requests-in-flight')
  for (let count = 0; count < 2; count++) seat.requestRejected(503, 'worker-requests-in-flight')
  for (let count = 0; count < 3; count++) seat.requestRejected(503, 'loop-delay')
  for (const [index, limit] of REACHED_LIMITS.entries()) {
    for (let count = 0; count <= index; count++) seat.limitReached(limit)
  }
  seat.setShedFraction(0.5)
  const counts = block.read(1)
  t.match(counts, {
    requests: 2,
    requestsFinished: 1,
    bytesIn: 100,
    bytesOut: 2 ** 40,
    connectionsRefused: 1,
    heartbeatMs: 1234.5,
    phase: 'accepting',
    refusedOther: 5,
    shedInFlight: 1,
    shedWorkerInFlight: 2,
    shedLoopDelay: 3,
    shedFraction: 0.5,
  })
  for (const status of REFUSAL_STATUSES) t.equal(counts[`refused${status}`], 1, String(status))
  for (const [index, limit] of REACHED_LIMITS.entries()) {
    t.equal(counts[limitField(limit)], index + 1, limit)
  }
  const empty = Object.values(block.read(0)).filter((value) => value !== 'stopped')
  t.ok(
    empty.every((value) => value === 0),
    'the seat before it is untouched',
  )
  t.strictSame(block.read(2), block.read(0), 'and the one behind it')
})

t.test('a slot of a request is given up to the limit, whatever seat holds it', async (t) => {
  const block = ControlBlock.create(2)
  const one = block.seat(0, 1)
  const two = block.seat(1, 1)
  t.ok(one.tryAcquireRequest(2))
  t.ok(two.tryAcquireRequest(2))
  t.notOk(one.tryAcquireRequest(2))
  t.equal(block.requestsHeld, 2)
  two.setShedFraction(0.5)
  block.reclaim(1)
  t.equal(block.requestsHeld, 1)
  t.match(block.read(1), { requestsHeld: 0, shedFraction: 0 })
  t.ok(one.tryAcquireRequest(2))
  one.releaseRequest()
  one.releaseRequest()
  t.equal(block.requestsHeld, 0)
  t.equal(block.connections, 0)
})

t.test('another thread of control opens the same block', async (t) => {
  const block = ControlBlock.create(2)
  const other = ControlBlock.open(block.buffer)
  other.seat(1, 5).tryAcquire()
  t.equal(block.connections, 1)
  block.phase = 'draining'
  t.equal(other.phase, 'draining')
})

t.test('a seat whose thread has ended is reclaimed', async (t) => {
  const block = ControlBlock.create(2)
  const one = block.seat(0, 10)
  const two = block.seat(1, 10)
  for (let count = 0; count < 4; count++) one.tryAcquire()
  two.tryAcquire()
  one.requestStarted()
  one.requestStarted()
  one.requestFinished()
  one.setPhase('accepting')
  t.strictSame(block.reclaim(0), { connections: 4, requests: 1 })
  t.equal(block.connections, 1)
  t.match(block.read(0), { connections: 0, requests: 2, requestsFinished: 2, phase: 'stopped' })
  t.strictSame(block.reclaim(0), { connections: 0, requests: 0 }, 'once')
  t.equal(block.connections, 1)
})

interface Hammer {
  readonly worker: Worker
  readonly seat: number
}

type Slots = 'connections' | 'requests'

function startHammer(
  block: ControlBlock,
  seat: number,
  held: SharedArrayBuffer,
  maxConnections: number,
  rounds: number,
  slots: Slots,
): Hammer {
  const workerData = { buffer: block.buffer, seat, slots, maxConnections, held, rounds }
  return { worker: new Worker(fixtureUrl('slot-hammer.ts'), { workerData }), seat }
}

const HIGHEST = 1
const DONE = 2

for (const slots of ['connections', 'requests'] as const) {
  const counted = slots === 'connections' ? 'connections' : 'requestsHeld'

  t.test(`${slots}: admission is exact while threads take and give back at once`, async (t) => {
    const most = 5
    const threads = 4
    const block = ControlBlock.create(threads)
    const held = new SharedArrayBuffer(12)
    const hammers = Array.from({ length: threads }, (_, seat) =>
      startHammer(block, seat, held, most, 40_000, slots),
    )
    const results = await Promise.all(
      hammers.map(async ({ worker }) => (await once(worker, 'message'))[0]),
    )
    await Promise.all(hammers.map(({ worker }) => worker.terminate()))
    const cells = new Int32Array(held)
    t.ok(cells[HIGHEST]! <= most, `at most ${cells[HIGHEST]} held at a time`)
    t.equal(block[counted], 0)
    for (const { seat } of hammers) {
      t.equal(block.read(seat)[counted], 0)
      if (slots === 'requests') t.ok(results[seat].acquired > 0)
      else t.equal(block.read(seat).connectionsAccepted, results[seat].acquired)
    }
  })

  t.test(`${slots}: threads ended in the middle leave an exact count behind`, async (t) => {
    const threads = 2
    const block = ControlBlock.create(threads + 1)
    const steady = block.seat(threads, 100)
    for (let count = 0; count < 7; count++) {
      if (slots === 'connections') steady.tryAcquire()
      else steady.tryAcquireRequest(100)
    }
    let given = 0
    for (let round = 0; round < 15; round++) {
      const held = new SharedArrayBuffer(12)
      const cells = new Int32Array(held)
      const hammers = Array.from({ length: threads }, (_, seat) =>
        startHammer(block, seat, held, 100, 0, slots),
      )
      // Not at the same point of their loop each time.
      await until(() => Atomics.load(cells, DONE) > 1000 * (round + 1), 'the threads to run')
      await Promise.all(hammers.map(({ worker }) => worker.terminate()))
      for (const { seat } of hammers) {
        given += block.read(seat)[counted]
        block.reclaim(seat)
      }
      t.equal(block[counted], 7, `round ${round}`)
    }
    t.comment(`${given} slots were held when their thread ended`)
  })
}

t.test('CONTROL-BLOCK.md lists every field with its type and meaning', async (t) => {
  const readme = readFileSync(new URL('../CONTROL-BLOCK.md', import.meta.url), 'utf8')
  for (const [name, row] of [...Object.entries(SERVER_FIELDS), ...Object.entries(SEAT_FIELDS)]) {
    t.ok(readme.includes(`| ${name} | ${row.type} | ${row.doc} |`), name)
  }
})
