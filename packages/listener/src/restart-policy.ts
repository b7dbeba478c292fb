/** Delay before the first replacement: long enough that a crash loop can't take a core. */
export const INITIAL_DELAY_MS = 100
export const MAX_DELAY_MS = 30_000
/** A worker that served for this long has shown that it works: the next delay is short again. */
export const STEADY_MS = 30_000

/** How long to wait before a worker that ended is replaced: doubling, from 100 ms to 30 s. */
export class RestartPolicy {
  #failures = 0

  /** @param servedMs how long the worker that ended had been listening; 0 when it never did */
  nextDelayMs(servedMs: number): number {
    if (servedMs >= STEADY_MS) this.#failures = 0
    const delayMs = Math.min(MAX_DELAY_MS, INITIAL_DELAY_MS * 2 ** Math.min(this.#failures, 20))
    this.#failures++
    return delayMs
  }
}
