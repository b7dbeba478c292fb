import type { Clock } from '@rr/core'

/**
 * How far apart the wheel's ticks are while anything is scheduled. A time limit fires one to three
 * ticks late where the event loop is free: 300 ms are 6 % of the shortest default limits (5 s, for
 * lingering and for minRateGraceMs) and 1 % of headersTimeoutMs. Ten wake-ups a second take 0.1 to
 * 0.2 % of a core (CPU time of a process over 30 s with 1000 entries waiting, less that of one that
 * only sleeps; Node 26).
 */
export const TICK_MS = 100

/** How far apart they are while nothing is scheduled: only the heartbeat is left to be told. */
export const DEFAULT_IDLE_TICK_MS = 500

/** One turn is 102 s, longer than the default limits on idle connections; later ones take more. */
const SLOTS = 1024

/** Empty ticks before the slow pace: a client that connects anew each time must not switch it. */
const EMPTY_TICKS_BEFORE_IDLE = 10

const NEVER = Number.POSITIVE_INFINITY

/**
 * What can wait in a wheel. `deadlineMs` may be moved at any time by a store; only when it drops
 * below `slotFloorMs` must `schedule` be called, because the slot would come too late.
 */
export abstract class DeadlineEntry {
  deadlineMs: number = NEVER
  /** Deadlines from here on are seen in time by the slot that holds this; Infinity for no slot. */
  slotFloorMs: number = NEVER
  previous: DeadlineEntry | null = null
  next: DeadlineEntry | null = null

  /** The deadline has passed. It is cleared before the call, which may set another. */
  abstract onDeadline(): void
}

/** The head of a circular list. */
class SlotHead extends DeadlineEntry {
  override previous: DeadlineEntry = this
  override next: DeadlineEntry = this
  override onDeadline(): void {}
}

export interface DeadlineWheelOptions {
  /** Whole milliseconds that never go back. */
  readonly time: () => number
  /** Told the time at each tick, and by how much the event loop was late for it. */
  readonly onTick?: (nowMs: number, lateMs: number) => void
  /** How far apart ticks are while nothing is scheduled, at least TICK_MS; 500 by default. */
  readonly idleTickMs?: number
}

/**
 * All time limits of a worker on one timer, and its coarse clock.
 *
 * A hashed wheel of lists that is lazy: an entry stays in its slot while its deadline moves later,
 * as that of a busy connection does with every request; when the slot comes, the entry either is
 * due or goes to the slot that its deadline has by then. Nothing is allocated after construction.
 *
 * Never early: `nowMs` may lag by a tick when a deadline is computed from it, so one fires only
 * when a whole tick has passed over it.
 */
export class DeadlineWheel implements Clock {
  nowMs: number

  readonly #time: () => number
  readonly #onTick: ((nowMs: number, lateMs: number) => void) | undefined
  readonly #slots: readonly SlotHead[] = Array.from({ length: SLOTS }, () => new SlotHead())
  readonly #due: SlotHead = new SlotHead()
  #tick: number
  #size = 0
  #emptyTicks = 0
  readonly #idleTickMs: number
  #paceMs = 0
  #lastTickMs = 0
  #lateMs = 0
  #timer: NodeJS.Timeout | null = null

  constructor(options: DeadlineWheelOptions) {
    this.#time = options.time
    this.#onTick = options.onTick
    this.#idleTickMs = options.idleTickMs ?? DEFAULT_IDLE_TICK_MS
    this.nowMs = this.#time()
    this.#tick = Math.floor(this.nowMs / TICK_MS)
  }

  /** How many entries wait. */
  get size(): number {
    return this.#size
  }

  /** Starts the timer, which does not keep the thread alive. */
  start(): void {
    this.#setPace(this.#size === 0 ? this.#idleTickMs : TICK_MS)
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
    this.#paceMs = 0
  }

  /** Brings `nowMs` up to date between ticks. */
  refresh(): void {
    this.nowMs = this.#time()
  }

  /** Puts an entry with a finite deadline into the slot for it, out of the one that it may be in. */
  schedule(entry: DeadlineEntry): void {
    if (entry.next === null) this.#size++
    else unlink(entry)
    const first = this.#tick + 1
    const wanted = Math.floor(entry.deadlineMs / TICK_MS) + 2
    const tick = Math.min(Math.max(wanted, first), first + SLOTS - 2)
    entry.slotFloorMs = (tick - 2) * TICK_MS
    append(this.#slots[tick % SLOTS]!, entry)
    if (this.#paceMs > TICK_MS) this.#setPace(TICK_MS)
  }

  /** Takes an entry out and clears its deadline. */
  remove(entry: DeadlineEntry): void {
    entry.deadlineMs = NEVER
    if (entry.next === null) return
    unlink(entry)
    entry.slotFloorMs = NEVER
    this.#size--
  }

  /** Moves the clock to the present and fires what is due, as the timer does. */
  advance(): void {
    this.refresh()
    const from = this.#tick
    const to = Math.floor(this.nowMs / TICK_MS)
    if (to > from) {
      this.#tick = to
      // After a pause of more than a turn, one turn visits every slot.
      const steps = Math.min(to - from, SLOTS)
      for (let tick = to - steps + 1; tick <= to; tick++) this.#visit(this.#slots[tick % SLOTS]!)
    }
    this.#onTick?.(this.nowMs, this.#lateMs)
  }

  #visit(slot: SlotHead): void {
    // First out of the slot: what is scheduled meanwhile may land in it again, a turn later.
    moveAll(slot, this.#due)
    for (let entry = this.#due.next; entry !== this.#due; entry = this.#due.next) {
      unlink(entry)
      entry.slotFloorMs = NEVER
      this.#size--
      if (entry.deadlineMs + TICK_MS <= this.nowMs) {
        entry.deadlineMs = NEVER
        entry.onDeadline()
      } else if (entry.deadlineMs !== NEVER) {
        this.schedule(entry)
      }
    }
  }

  #setPace(paceMs: number): void {
    if (paceMs === this.#paceMs) return
    this.stop()
    this.#paceMs = paceMs
    this.#emptyTicks = 0
    this.#lastTickMs = this.#time()
    this.#timer = setInterval(onWheelInterval, paceMs, this)
    this.#timer.unref()
  }

  /** The timer's own step: besides advancing, slows down when nothing has waited for a while. */
  tick(): void {
    const nowMs = this.#time()
    this.#lateMs = Math.max(0, nowMs - this.#lastTickMs - this.#paceMs)
    this.#lastTickMs = nowMs
    this.#emptyTicks = this.#size === 0 ? this.#emptyTicks + 1 : 0
    if (this.#emptyTicks === EMPTY_TICKS_BEFORE_IDLE) this.#setPace(this.#idleTickMs)
    this.advance()
  }
}

function onWheelInterval(wheel: DeadlineWheel): void {
  wheel.tick()
}

function append(head: SlotHead, entry: DeadlineEntry): void {
  const last = head.previous
  entry.previous = last
  entry.next = head
  last.next = entry
  head.previous = entry
}

function unlink(entry: DeadlineEntry): void {
  entry.previous!.next = entry.next
  entry.next!.previous = entry.previous
  entry.previous = null
  entry.next = null
}

function moveAll(from: SlotHead, to: SlotHead): void {
  if (from.next === from) return
  const first = from.next
  const last = from.previous
  first.previous = to.previous
  to.previous.next = first
  last.next = to
  to.previous = last
  from.next = from
  from.previous = from
}
