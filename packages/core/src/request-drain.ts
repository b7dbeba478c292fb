import { DrainError, type DrainListener, type DrainNotice, standingNotice } from './drain-notice.ts'
import type { Exchange } from './exchange.ts'

/** By request, so that one which nobody asks has no field for it. */
const drains = new WeakMap<object, RequestDrain>()

/** What one request hears of drains; made when it is first asked for. */
export class RequestDrain {
  readonly #request: object
  readonly #exchange: Exchange
  readonly #isOver: boolean
  readonly #listeners: Set<DrainListener> = new Set()
  #notice: DrainNotice | null
  #abort: AbortController | null = null

  /** @param sequence that of the exchange when the request began */
  static of(request: object, exchange: Exchange, sequence: number): RequestDrain {
    const known = drains.get(request)
    if (known !== undefined) return known
    const drain = new RequestDrain(request, exchange, exchange.sequence !== sequence)
    drains.set(request, drain)
    return drain
  }

  private constructor(request: object, exchange: Exchange, isOver: boolean) {
    this.#request = request
    this.#exchange = exchange
    this.#isOver = isOver
    this.#notice = standingNotice(exchange.drainNotice)
    // A connection serves many requests in turn: never listen in on a later one's.
    if (!isOver) exchange.drainListener = (notice) => this.#onNotice(notice)
  }

  get signal(): AbortSignal {
    if (this.#abort === null) {
      this.#abort = new AbortController()
      if (this.#notice !== null) this.#abort.abort(new DrainError(this.#notice))
    }
    return this.#abort.signal
  }

  listen(listener: DrainListener): () => void {
    if (this.#isOver) return () => {}
    // Wrapped, so that one given twice is told twice and each is taken back by itself.
    const own: DrainListener = (notice) => listener(notice)
    this.#listeners.add(own)
    if (this.#notice !== null) this.#tell(own, this.#notice)
    return () => void this.#listeners.delete(own)
  }

  #onNotice(notice: DrainNotice): void {
    this.#notice = notice
    this.#abort?.abort(new DrainError(notice))
    for (const listener of this.#listeners) this.#tell(listener, notice)
  }

  /** One that fails is reported: neither its connection nor the others have to suffer for it. */
  #tell(listener: DrainListener, notice: DrainNotice): void {
    const report = (error: unknown): void => this.#exchange.reportError(error, this.#request)
    try {
      void Promise.resolve(listener(notice)).catch(report)
    } catch (error) {
      report(error)
    }
  }
}
