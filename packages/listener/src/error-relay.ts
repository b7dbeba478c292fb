import type { HttpRequest } from '@rr/core'
import { type SerializedError, serializeError } from './serialized-error.ts'
import type { FailedRequest } from './server-events.ts'

/**
 * Errors reported in one second. A client that can make a handler throw decides how often it does,
 * and each report takes time and memory in another thread; ten a second are enough to see what is
 * wrong.
 */
const MAX_PER_WINDOW = 10
const WINDOW_MS = 1000
const MAX_TARGET_LENGTH = 1024

export interface ErrorRelayTarget {
  readonly report: (error: SerializedError, request: FailedRequest | null) => void
  readonly reportDropped: (count: number) => void
}

/** Reports handler errors to where they are shown, at a bounded rate; what is left out is counted. */
export class ErrorRelay {
  readonly #target: ErrorRelayTarget
  #inWindow = 0
  #dropped = 0
  #timer: NodeJS.Timeout | null = null

  constructor(target: ErrorRelayTarget) {
    this.#target = target
  }

  report(error: unknown, request: HttpRequest | null): void {
    this.#timer ??= setTimeout(() => this.#endWindow(), WINDOW_MS).unref()
    if (this.#inWindow >= MAX_PER_WINDOW) {
      this.#dropped++
      return
    }
    this.#inWindow++
    this.#target.report(serializeError(error), request === null ? null : summarize(request))
  }

  /** Reports what has been left out so far. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#endWindow()
  }

  #endWindow(): void {
    this.#timer = null
    this.#inWindow = 0
    if (this.#dropped === 0) return
    const count = this.#dropped
    this.#dropped = 0
    this.#target.reportDropped(count)
  }
}

function summarize(request: HttpRequest): FailedRequest {
  return {
    id: request.id,
    method: request.method,
    target: request.target.slice(0, MAX_TARGET_LENGTH),
  }
}
