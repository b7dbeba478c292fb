/** Counts that fixtures raise in their workers and tests read: handed over as workerHooksData. */
export const COUNTERS = [
  'setup',
  'teardown',
  'hooksMade',
  'hooksClosed',
  'access',
  'errors',
  'events',
  'refusals',
  'released',
  'released2',
  'port',
  'drainStarted',
  'drainEnded',
] as const
export type Counter = (typeof COUNTERS)[number]

export class SharedCounters {
  readonly buffer: SharedArrayBuffer
  readonly #cells: Int32Array

  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(COUNTERS.length * 4)) {
    this.buffer = buffer
    this.#cells = new Int32Array(buffer)
  }

  add(counter: Counter): void {
    Atomics.add(this.#cells, COUNTERS.indexOf(counter), 1)
  }

  set(counter: Counter, value: number): void {
    Atomics.store(this.#cells, COUNTERS.indexOf(counter), value)
  }

  get(counter: Counter): number {
    return Atomics.load(this.#cells, COUNTERS.indexOf(counter))
  }
}
