import { Worker } from 'node:worker_threads'
import t from 'tap'
import { createWriterState, OutputTurn, releaseTurn, turnOwner } from '../src/output-turn.ts'
import type { TurnHammerData } from './support/turn-hammer.ts'

const HAMMER_URL = new URL('./support/turn-hammer.ts', import.meta.url)
const KILLS = 500
const AT_ONCE = 4

function startHammer(data: TurnHammerData): Worker {
  return new Worker(HAMMER_URL, { workerData: data })
}

t.test('one owner at a time, and the owner is in the turn itself', async (t) => {
  const state = createWriterState()
  const [first, second] = [new OutputTurn(state, 0), new OutputTurn(state, 1024)]
  t.equal(turnOwner(state), null)
  t.ok(first.take(0))
  t.equal(turnOwner(state), 0)
  t.notOk(second.take(0))
  t.equal(turnOwner(state), 0, 'also when another has waited')
  first.release()
  t.ok(second.take(0))
  t.equal(turnOwner(state), 1024)
})

t.test('only the turn of the thread that ended is given back', async (t) => {
  const state = createWriterState()
  const turn = new OutputTurn(state, 7)
  t.ok(turn.take(0))
  releaseTurn(state, 1)
  t.equal(turnOwner(state), 7)
  t.notOk(new OutputTurn(state, 1).take(0))
  releaseTurn(state, 7)
  t.equal(turnOwner(state), null)
})

/** Where taking and owning were two steps, 2 % of such kills fell between them. */
t.test('threads killed at any moment leave no turn taken', { timeout: 120_000 }, async (t) => {
  const taken: (number | null)[] = []
  for (let round = 0; round < KILLS / AT_ONCE; round++) {
    const state = createWriterState()
    const hammers = Array.from({ length: AT_ONCE }, (_, index) =>
      startHammer({ state, owner: index + 1 }),
    )
    while (turnOwner(state) === null) await new Promise((resolve) => setImmediate(resolve))
    await Promise.all(
      hammers.map(async (hammer, index) => {
        await hammer.terminate()
        releaseTurn(state, index + 1)
      }),
    )
    if (turnOwner(state) !== null) taken.push(turnOwner(state))
  }
  t.strictSame(taken, [])
})
