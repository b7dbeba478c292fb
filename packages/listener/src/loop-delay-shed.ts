/**
 * Late ticks, of the last three, that make a loop late. One long tick says nothing of the next, and
 * of a loop whose turns take twice the bound every other tick is late: it is sampled at any point
 * of a turn.
 */
const LATE_TICKS = 2
const RECENT_TICKS = 3
const RECENT_MASK = (1 << RECENT_TICKS) - 1

/** How much more is shed with each second of lateness, and at most with one tick. */
const RISE_PER_SECOND = 1
const MAX_RISE = 0.25
/** How much less with each tick in time: from all to nothing in two seconds. */
const FALL = 0.05
/** One request in twenty is let through whatever happens, so that a recovery is noticed. */
const MAX_FRACTION = 0.95
/** Between two ticks; one request at a time waits for nobody, however long it takes. */
const MIN_ARRIVALS = 2

/**
 * Decides which part of the requests of a worker is refused while its event loop is late.
 *
 * What a request waits for before it is read is the rest of the turn that the loop is in, and that
 * is what the lateness of a timer measures. The wheel's own tick is that timer and costs nothing more;
 * `monitorEventLoopDelay` at its default of 10 ms took 0.6 % of a core of an idle process (Node 26),
 * and the loop's utilisation is 1 in a worker that is merely well used. All or nothing
 * would swing between an idle worker and a late one; so the part grows while the loop is late and
 * shrinks while it is not, and settles where the loop is just about in time.
 */
export class LoopDelayShed {
  /** 0 to 0.95. */
  fraction = 0
  readonly #maxDelayMs: number
  readonly #tickMs: number
  /** A bit for each of the last ticks, 1 where it was late. */
  #recent = 0
  #arrivals = 0
  #debt = 0

  /** @param tickMs how far apart ticks are that come in time */
  constructor(maxDelayMs: number, tickMs: number) {
    this.#maxDelayMs = maxDelayMs
    this.#tickMs = tickMs
  }

  /** @param lateMs by how much the event loop was late for this tick */
  tick(lateMs: number): void {
    const isLate = lateMs > this.#maxDelayMs
    this.#recent = ((this.#recent << 1) | (isLate ? 1 : 0)) & RECENT_MASK
    const arrivals = this.#arrivals
    this.#arrivals = 0
    if (arrivals === 0 && !isLate) this.#stop()
    else if (arrivals >= MIN_ARRIVALS && countBits(this.#recent) >= LATE_TICKS) {
      const rise = Math.min(((this.#tickMs + lateMs) / 1000) * RISE_PER_SECOND, MAX_RISE)
      this.fraction = Math.min(this.fraction + rise, MAX_FRACTION)
    } else {
      this.fraction = Math.max(this.fraction - FALL, 0)
    }
  }

  /** Nobody waits: whoever comes next is not made to pay for those before. */
  #stop(): void {
    this.fraction = 0
    this.#debt = 0
  }

  /** True for a request to refuse: the part that is due, spread evenly. */
  isShed(): boolean {
    this.#arrivals++
    if (this.fraction === 0) return false
    this.#debt += this.fraction
    if (this.#debt < 1) return false
    this.#debt -= 1
    return true
  }
}

function countBits(bits: number): number {
  let count = 0
  for (let rest = bits; rest > 0; rest >>= 1) count += rest & 1
  return count
}
