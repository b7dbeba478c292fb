import type { HttpRequest } from '@rr/core'
import { ErrorWindow } from './error-window.ts'
import { type SerializedError, serializeError } from './serialized-error.ts'
import type { FailedRequest } from './server-events.ts'

const MAX_TARGET_LENGTH = 1024

export interface ErrorRelayTarget {
  readonly report: (error: SerializedError, request: FailedRequest | null) => void
  readonly reportDropped: (count: number) => void
}

/** Reports handler errors to where they are shown, at a bounded rate; what is left out is counted. */
export class ErrorRelay {
  readonly #target: ErrorRelayTarget
  readonly #window: ErrorWindow

  constructor(target: ErrorRelayTarget) {
    this.#target = target
    this.#window = new ErrorWindow(target.reportDropped)
  }

  report(error: unknown, request: HttpRequest | null): void {
    if (!this.#window.tryEnter()) return
    this.#target.report(serializeError(error), request === null ? null : summarize(request))
  }

  /** Reports what has been left out so far. */
  flush(): void {
    this.#window.close()
  }
}

function summarize(request: HttpRequest): FailedRequest {
  return {
    id: request.id,
    method: request.method,
    target: request.target.slice(0, MAX_TARGET_LENGTH),
    client: request.client.address,
  }
}
