/**
 * The memory that the writers of one process share, as 32-bit words:
 *
 * | word        | holds |
 * |-------------|-------|
 * | TURN        | 0 when free, else `(owner + 1) << 1`, plus CONTENDED when another may be waiting |
 * | GONE        | 1 when the reader has gone and nothing more is written |
 * | BROKEN_LINE | 1 when what was written last does not end with a line end |
 *
 * TURN is a futex as in Drepper's "Futexes Are Tricky": a lone writer makes no system call. Taking
 * the turn and owning it are one and the same exchange, because a thread can be terminated between
 * any two: the main thread then finds out from the word alone whether the dead thread had it.
 */
const TURN = 0
const GONE = 1
const BROKEN_LINE = 2
const WORDS = 3

const FREE = 0
const CONTENDED = 1

/** Makes the memory that all writers of a process need. */
export function createWriterState(): SharedArrayBuffer {
  return new SharedArrayBuffer(WORDS * Int32Array.BYTES_PER_ELEMENT)
}

/** Gives back the turn of a thread that ended, if it had it. Not for a thread that still runs. */
export function releaseTurn(shared: SharedArrayBuffer, owner: number): void {
  const words = new Int32Array(shared)
  let held = Atomics.load(words, TURN)
  while (ownerOf(held) === owner) {
    const found = Atomics.compareExchange(words, TURN, held, FREE)
    if (found === held) break
    held = found
  }
  // Even when it had not the turn: it may have died after it freed it and before it woke the next,
  // or have been the one that was woken.
  Atomics.notify(words, TURN)
}

/** The number of the thread that has the turn, or null. */
export function turnOwner(shared: SharedArrayBuffer): number | null {
  const held = Atomics.load(new Int32Array(shared), TURN)
  return held === FREE ? null : ownerOf(held)
}

/** -1 for a turn that is free. */
function ownerOf(held: number): number {
  return (held >> 1) - 1
}

/** One thread's view of the shared memory. */
export class OutputTurn {
  readonly #words: Int32Array
  readonly #own: number

  constructor(shared: SharedArrayBuffer, owner: number) {
    this.#words = new Int32Array(shared)
    this.#own = (owner + 1) << 1
  }

  /** False when the turn did not come within `patienceMs`. */
  take(patienceMs: number): boolean {
    const words = this.#words
    let held = Atomics.compareExchange(words, TURN, FREE, this.#own)
    if (held === FREE) return true
    const deadline = performance.now() + patienceMs
    for (;;) {
      if (held === FREE) {
        // As contended, since others may wait who were not woken.
        held = Atomics.compareExchange(words, TURN, FREE, this.#own | CONTENDED)
        if (held === FREE) return true
      }
      const marked = held | CONTENDED
      const found = Atomics.compareExchange(words, TURN, held, marked)
      if (found === held) {
        const leftMs = deadline - performance.now()
        if (leftMs <= 0) return false
        Atomics.wait(words, TURN, marked, leftMs)
      }
      held = Atomics.load(words, TURN)
    }
  }

  release(): void {
    const held = Atomics.exchange(this.#words, TURN, FREE)
    if ((held & CONTENDED) !== 0) Atomics.notify(this.#words, TURN, 1)
  }

  get isGone(): boolean {
    return Atomics.load(this.#words, GONE) === 1
  }

  /** True for the one thread that says so first. */
  declareGone(): boolean {
    return Atomics.exchange(this.#words, GONE, 1) === 0
  }

  /** For the thread that has the turn. */
  get isLineBroken(): boolean {
    return Atomics.load(this.#words, BROKEN_LINE) === 1
  }

  set isLineBroken(isBroken: boolean) {
    Atomics.store(this.#words, BROKEN_LINE, isBroken ? 1 : 0)
  }
}
