import type { ConnectionMetrics, RequestDurations } from './exchange.ts'
import type { Handler, RouteBodyLimit } from './handler.ts'
import type { HttpOptions } from './http-options.ts'
import type { HttpRequest } from './request.ts'
import type { Clock } from './transport.ts'

/** One line of an access log. */
export interface AccessEntry {
  /** The request that was answered; its body can no longer be read. */
  readonly request: HttpRequest
  /** 0 when no answer was sent. */
  readonly status: number
  /** Bytes of the response body as sent, without framing. */
  readonly bodyBytes: number
  /** Milliseconds, with fractions, from the request's head to the end of its answer. */
  readonly durationMs: number
}

/** What serving HTTP needs from whoever owns the sockets. */
export interface HttpServiceOptions {
  readonly handler: Handler
  readonly limits: HttpOptions
  /** `Application.maxBodyBytes`: overrides `limits.maxBodyBytes` for some requests. */
  readonly maxBodyBytes?: RouteBodyLimit | null | undefined
  readonly clock: Clock
  readonly metrics: ConnectionMetrics
  /** Counts how long requests take; without it nothing reads a clock for that. */
  readonly durations?: RequestDurations | null | undefined
  /** A handler failed. The client has been answered 500, or cut off where it was too late. */
  readonly onError: (error: unknown, request: HttpRequest) => void
  /** Called after each answer; null costs nothing. */
  readonly onAccess: ((entry: AccessEntry) => void) | null
}
