import { sharedMemory, text } from '@rr/core'

// The same eight bytes in every worker, zero at first, and still there when a worker is replaced; a
// variable of this module would be one worker's. Asked for while the application loads.
const visits = new BigInt64Array(sharedMemory('shared-counter.visits', 8))

// By Atomics only: with a read and a write after it, visits to other workers in between are lost.
export default () => text(`visit ${Atomics.add(visits, 0, 1n) + 1n}`)
