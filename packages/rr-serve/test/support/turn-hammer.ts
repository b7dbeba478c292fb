import { workerData } from 'node:worker_threads'
import { OutputTurn } from '../../src/output-turn.ts'

/** A worker thread that takes and releases the turn until it is killed. */
export interface TurnHammerData {
  readonly state: SharedArrayBuffer
  readonly owner: number
}

const { state, owner } = workerData as TurnHammerData
const turn = new OutputTurn(state, owner)
for (;;) {
  turn.take(Infinity)
  turn.release()
}
