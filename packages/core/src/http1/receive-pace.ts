import type { HttpOptions } from '../http-options.ts'

/** How often the pace of a request that is arriving is looked at. */
const CHECK_INTERVAL_MS = 1000

/**
 * How long a request has been arriving, and how fast. Time in which the server itself did not
 * read, because a handler was slow to take the body, does not count.
 */
export class ReceivePace {
  #limits: HttpOptions
  #startMs = 0
  #bytes = 0
  #pausedAtMs = -1

  constructor(limits: HttpOptions) {
    this.#limits = limits
  }

  start(nowMs: number): void {
    this.#startMs = nowMs
    this.#bytes = 0
    this.#pausedAtMs = -1
  }

  add(bytes: number): void {
    this.#bytes += bytes
  }

  pause(nowMs: number): void {
    if (this.#pausedAtMs < 0) this.#pausedAtMs = nowMs
  }

  resume(nowMs: number): void {
    if (this.#pausedAtMs < 0) return
    this.#startMs += nowMs - this.#pausedAtMs
    this.#pausedAtMs = -1
  }

  get isPaused(): boolean {
    return this.#pausedAtMs >= 0
  }

  /** When to look next, given that the whole must be there after `timeoutMs`. */
  nextCheckMs(nowMs: number, timeoutMs: number): number {
    const { minBytesPerSecond, minRateGraceMs } = this.#limits
    const last = this.#startMs + timeoutMs
    if (minBytesPerSecond === 0) return last
    return Math.min(last, Math.max(this.#startMs + minRateGraceMs, nowMs) + CHECK_INTERVAL_MS)
  }

  isTooSlow(nowMs: number, timeoutMs: number): boolean {
    const elapsedMs = nowMs - this.#startMs
    if (elapsedMs >= timeoutMs) return true
    const { minBytesPerSecond, minRateGraceMs } = this.#limits
    return elapsedMs > minRateGraceMs && this.#bytes * 1000 < minBytesPerSecond * elapsedMs
  }
}
