import { type DeadlineWheel, TICK_MS } from './deadline-wheel.ts'

/**
 * What clients that have been answered are given to close their side, once no connection has any
 * work left. One that goes by the rules closes within a round trip of the FIN; a second is longer
 * than any, and short enough that clients which ignore the FIN don't hold up a restart.
 */
export const DRAIN_LINGER_MS = 1000

/** The connections of a listener, as a drain sees them. */
export interface DrainedConnections {
  /** True while cutting them all would lose a request or an answer. */
  readonly hasWork: () => boolean
  /** Cuts them; returns how many of them lost a request or an answer. */
  readonly cutAll: () => number
}

/** A drain under way: when it cuts what is left. */
export class ListenerDrain {
  /** Resolves with how many connections were cut in the middle of their work. */
  readonly done: Promise<number>
  hasStoppedAccepting = false
  readonly #wheel: DeadlineWheel
  readonly #idleDeadlineMs: number
  readonly #connections: DrainedConnections
  readonly #resolve: (remaining: number) => void
  readonly #watch: NodeJS.Timeout
  #deadlineMs = Number.POSITIVE_INFINITY
  #timer: NodeJS.Timeout | null = null
  /** Since when no connection has had work; null while one has, or may still be sent a request. */
  #workEndedMs: number | null = null
  #isExpired = false
  #remaining = 0

  /** @param idleDeadlineMs until when idle connections may still send a request */
  constructor(wheel: DeadlineWheel, idleDeadlineMs: number, connections: DrainedConnections) {
    this.#wheel = wheel
    this.#idleDeadlineMs = idleDeadlineMs
    this.#connections = connections
    const { promise, resolve } = Promise.withResolvers<number>()
    this.done = promise
    this.#resolve = resolve
    // Looked at now and then: a protocol would have to tell of every end of work at all times.
    this.#watch = setInterval(() => this.#checkWork(), TICK_MS)
  }

  /** Sets the deadline, or brings it forward; false when it is no sooner. */
  tighten(deadlineMs: number): boolean {
    if (deadlineMs >= this.#deadlineMs) return false
    this.#deadlineMs = deadlineMs
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#wheel.refresh()
    const delayMs = Math.max(0, deadlineMs - this.#wheel.nowMs)
    this.#timer = setTimeout(() => this.#expire(), delayMs)
    return true
  }

  /** Connections that came in between the deadline and now are cut as well. */
  stoppedAccepting(): void {
    this.hasStoppedAccepting = true
    if (this.#isExpired) this.#expire()
  }

  /** No connection is left. */
  finish(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    clearInterval(this.#watch)
    this.#resolve(this.#remaining)
  }

  #expire(): void {
    this.#isExpired = true
    this.#remaining += this.#connections.cutAll()
  }

  #checkWork(): void {
    this.#wheel.refresh()
    const { nowMs } = this.#wheel
    if (!this.hasStoppedAccepting || nowMs < this.#idleDeadlineMs) return
    if (this.#connections.hasWork()) this.#workEndedMs = null
    else this.#workEndedMs ??= nowMs
    if (this.#workEndedMs !== null && nowMs >= this.#workEndedMs + DRAIN_LINGER_MS) this.#expire()
  }
}
