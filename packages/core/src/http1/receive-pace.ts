import type { BodyLimits } from '../route-limits.ts'
import { REFUSALS, type Refusal } from './refusal.ts'

/**
 * How long a request has been arriving, and how fast. Time in which the server itself did not
 * want more, because a handler was slow to take the body, does not count.
 */
export class ReceivePace {
  readonly #serverLimits: BodyLimits
  #limits: BodyLimits
  #startMs = 0
  #headUntilMs = 0
  #bytes = 0
  #pausedAtMs = -1

  constructor(limits: BodyLimits) {
    this.#serverLimits = limits
    this.#limits = limits
  }

  /** @param headUntilMs when the head must be whole, if it is not yet */
  start(nowMs: number, headUntilMs: number): void {
    this.#limits = this.#serverLimits
    this.#startMs = nowMs
    this.#headUntilMs = headUntilMs
    this.#bytes = 0
    this.#pausedAtMs = -1
  }

  /** The head has told what holds for this request. */
  use(limits: BodyLimits): void {
    this.#limits = limits
  }

  add(bytes: number): void {
    this.#bytes += bytes
  }

  pause(nowMs: number): void {
    if (this.#pausedAtMs < 0) this.#pausedAtMs = nowMs
  }

  resume(nowMs: number): void {
    if (this.#pausedAtMs < 0) return
    const pausedMs = nowMs - this.#pausedAtMs
    this.#startMs += pausedMs
    this.#headUntilMs += pausedMs
    this.#pausedAtMs = -1
  }

  /** Which of the limits the deadline that has passed was of. */
  refusal(nowMs: number, isHead: boolean): Refusal {
    if (isHead && nowMs >= this.#headUntilMs) return REFUSALS.headTooSlow
    const isOver = nowMs >= this.#startMs + this.#limits.requestTimeoutMs
    return isOver ? REFUSALS.requestTooSlow : REFUSALS.rateTooLow
  }

  /**
   * When the request is too slow if nothing more arrives until then. What arrives moves it, by as
   * long as that many bytes may take: a byte now and then does not put it off for ever.
   */
  deadlineMs(isHead: boolean): number {
    if (this.#pausedAtMs >= 0) return Number.POSITIVE_INFINITY
    const { minBytesPerSecond, minRateGraceMs, requestTimeoutMs } = this.#limits
    const whole = this.#startMs + requestTimeoutMs
    const last = isHead ? Math.min(whole, this.#headUntilMs) : whole
    if (minBytesPerSecond === 0) return last
    const paidMs = (this.#bytes * 1000) / minBytesPerSecond
    return Math.min(last, this.#startMs + Math.floor(Math.max(minRateGraceMs, paidMs)) + 1)
  }
}
