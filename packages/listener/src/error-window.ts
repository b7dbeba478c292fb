/**
 * Errors told in one second. A client that can make a handler throw decides how often it does, and
 * telling costs time, in a log or in another thread; ten a second are enough to see what is wrong.
 */
const MAX_PER_WINDOW = 10
const WINDOW_MS = 1000

/**
 * Bounds how many errors are told: ten a second. What is left out is counted, and the count told.
 *
 * @example
 * const errors = new ErrorWindow((count) => console.error(`${count} more errors`))
 * const onError = (error: unknown): void => {
 *   if (errors.tryEnter()) console.error(error)
 * }
 */
export class ErrorWindow {
  readonly #reportDropped: (count: number) => void
  #inWindow = 0
  #dropped = 0
  #timer: NodeJS.Timeout | null = null

  /** @param reportDropped called at the end of a second in which some were left out */
  constructor(reportDropped: (count: number) => void) {
    this.#reportDropped = reportDropped
  }

  /** True when one more may be told now. */
  tryEnter(): boolean {
    this.#timer ??= setTimeout(() => this.close(), WINDOW_MS).unref()
    if (this.#inWindow >= MAX_PER_WINDOW) {
      this.#dropped++
      return false
    }
    this.#inWindow++
    return true
  }

  /** Ends the window and tells what was left out in it. */
  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#inWindow = 0
    if (this.#dropped === 0) return
    const count = this.#dropped
    this.#dropped = 0
    this.#reportDropped(count)
  }
}
