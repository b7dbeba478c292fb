/**
 * The time between the moment a drain begins, from which probes hear of it, and the moment at which
 * connections are no longer accepted. It can be cut short, never prolonged.
 */
export class DrainDelay {
  readonly #done: PromiseWithResolvers<void> = Promise.withResolvers()
  #endsAtMs = Number.POSITIVE_INFINITY
  #timer: NodeJS.Timeout | null = null
  #isOver = false

  /** Resolves when it is over. */
  get done(): Promise<void> {
    return this.#done.promise
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** Milliseconds until it is over. */
  leftMs(nowMs: number): number {
    return this.#isOver ? 0 : Math.max(0, this.#endsAtMs - nowMs)
  }

  /** Ends it in so many milliseconds, or sooner where it was to. */
  endIn(delayMs: number, nowMs: number): void {
    if (this.#isOver || nowMs + delayMs >= this.#endsAtMs) return
    this.#endsAtMs = nowMs + delayMs
    if (this.#timer !== null) clearTimeout(this.#timer)
    if (delayMs === 0) this.end()
    else this.#timer = setTimeout(() => this.end(), delayMs)
  }

  end(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#isOver = true
    this.#done.resolve()
  }
}
