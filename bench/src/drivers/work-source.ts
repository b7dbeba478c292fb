/**
 * Who may send when. A source is asked by a connection that has room for another request and answers
 * with the intended start of that request, or NaN when there is none for it now.
 */
export interface WorkSource {
  /** @param slot the connection's number, from 0 */
  take(slot: number, nowUs: number): number
  /** The slot's request has been answered or given up, and its connection can be used again. */
  onFree(slot: number): void
  /** No request is given out from now on. */
  stop(): void
}

/** Closed loop: the next request is due as soon as there is room for it. */
export class ClosedLoop implements WorkSource {
  #isStopped = false

  take(_slot: number, nowUs: number): number {
    return this.#isStopped ? Number.NaN : nowUs
  }

  onFree(): void {}

  stop(): void {
    this.#isStopped = true
  }
}

/** Closed loop of bursts: every slot sends one request; the next burst begins when all are done. */
export class ClosedBursts implements WorkSource {
  readonly #slots: number
  readonly #onBurst: () => void
  readonly #taken: Uint32Array
  #burst = 1
  #free = 0
  #isStopped = false

  /** @param onBurst called when the next burst is to go out */
  constructor(slots: number, onBurst: () => void) {
    this.#slots = slots
    this.#onBurst = onBurst
    this.#taken = new Uint32Array(slots)
  }

  take(slot: number, nowUs: number): number {
    if (this.#isStopped || this.#taken[slot] === this.#burst) return Number.NaN
    this.#taken[slot] = this.#burst
    return nowUs
  }

  onFree(): void {
    if (++this.#free < this.#slots) return
    this.#free = 0
    // Not from within the last slot's own turn: it would be ahead of the others, and alone when
    // the run ends just then.
    setImmediate(() => {
      this.#burst++
      this.#onBurst()
    })
  }

  stop(): void {
    this.#isStopped = true
  }
}

/** Quarters of a run by which a growing backlog is told from one that comes and goes. */
const QUARTERS = 4

/**
 * Open loop: request k is due at a fixed time and belongs to slot k modulo slots, whatever became of
 * the requests before it. `advance` moves the schedule on; a slot that is behind is given its
 * overdue requests, with the intended starts they had, as soon as it has room.
 */
export class ConstantRate implements WorkSource {
  readonly #slots: number
  readonly #intervalUs: number
  readonly #firstDueUs: number
  /** Requests due at one moment: 1, or all slots for bursts. */
  readonly #batch: number
  readonly #endUs: number
  /** The number of the next request of each slot. */
  readonly #next: Float64Array
  readonly #lowestBacklog: number[] = []
  readonly #highestBacklog: number[] = []
  readonly #startUs: number
  #due = 0
  #taken = 0
  #isStopped = false

  /** @param firstDueUs when request 0 is due, on the clock of `take` */
  constructor(options: {
    readonly slots: number
    readonly rate: number
    readonly startUs: number
    readonly firstDueUs: number
    readonly seconds: number
    readonly isBurst: boolean
  }) {
    this.#slots = options.slots
    this.#intervalUs = 1_000_000 / options.rate
    this.#startUs = options.startUs
    this.#firstDueUs = options.firstDueUs
    this.#batch = options.isBurst ? options.slots : 1
    this.#endUs = options.startUs + options.seconds * 1_000_000
    this.#next = Float64Array.from({ length: options.slots }, (_, slot) => slot)
  }

  /** When request k is due. Computed from k, so that errors do not add up. */
  dueAt(k: number): number {
    return this.#firstDueUs + Math.floor(k / this.#batch) * this.#batch * this.#intervalUs
  }

  get due(): number {
    return this.#due
  }

  get sent(): number {
    return this.#taken
  }

  get nextDueUs(): number {
    return this.dueAt(this.#due)
  }

  /** Makes the next request due if its time has come and the run is not over: its slot, or -1. */
  advance(nowUs: number): number {
    const at = this.nextDueUs
    if (this.#isStopped || at > nowUs || at >= this.#endUs) return -1
    const slot = this.#due % this.#slots
    this.#due++
    return slot
  }

  take(slot: number): number {
    const k = this.#next[slot] as number
    if (this.#isStopped || k >= this.#due) return Number.NaN
    this.#next[slot] = k + this.#slots
    this.#taken++
    return this.dueAt(k)
  }

  onFree(): void {}

  /** Requests that are due and have not been sent. */
  noteBacklog(nowUs: number): void {
    const share = (nowUs - this.#startUs) / (this.#endUs - this.#startUs)
    const quarter = Math.min(QUARTERS - 1, Math.max(0, Math.floor(share * QUARTERS)))
    const backlog = this.#due - this.#taken
    this.#lowestBacklog[quarter] = Math.min(this.#lowestBacklog[quarter] ?? backlog, backlog)
    this.#highestBacklog[quarter] = Math.max(this.#highestBacklog[quarter] ?? backlog, backlog)
  }

  /**
   * True when the backlog never came down in the last quarter to where it had been at its highest in
   * the second: one stall, however long, does not look like that, for it is caught up with.
   */
  get isBacklogGrowing(): boolean {
    const before = this.#highestBacklog[1]
    const after = this.#lowestBacklog[QUARTERS - 1]
    return before !== undefined && after !== undefined && after > Math.max(before, 1)
  }

  /** The intended starts of the requests that were due and never sent. */
  *unsent(): Generator<number> {
    for (const first of this.#next) {
      for (let k = first; k < this.#due; k += this.#slots) yield this.dueAt(k)
    }
  }

  stop(): void {
    this.#isStopped = true
  }
}
