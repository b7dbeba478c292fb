import type { ConnectionMetrics, ConnectionShare, RequestDurations } from './exchange.ts'
import type { Handler } from './handler.ts'
import type { HttpOptions } from './http-options.ts'
import type { RefusalObserver, RequestAdmission } from './refusal-entry.ts'
import type { HttpRequest } from './request.ts'
import type { RequestLog } from './request-log.ts'
import type { RouteLimitsLookup } from './route-limits.ts'
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
  /** `Application.routeLimits`: overrides some of `limits` for some requests. */
  readonly routeLimits?: RouteLimitsLookup | null | undefined
  /** Asked before each request; null admits all and costs nothing. */
  readonly admission?: RequestAdmission | null | undefined
  readonly clock: Clock
  readonly metrics: ConnectionMetrics
  /** Without it no connection is closed for the balance between threads. */
  readonly share?: ConnectionShare | null
  /** Counts how long requests take; without it nothing reads a clock for that. */
  readonly durations?: RequestDurations | null | undefined
  /** A handler failed. The client has been answered 500, or cut off where it was too late. */
  readonly onError: (error: unknown, request: HttpRequest) => void
  /** As `WorkerContext.workerId`, for the diagnostics channels; 1 by default. */
  readonly workerId?: number | undefined
  /** What `request.log` logs to; without it nothing is logged. */
  readonly log?: RequestLog | undefined
  /** Called after each answer; null costs nothing. */
  readonly onAccess: ((entry: AccessEntry) => void) | null
  /** Told of each request refused; null costs nothing. */
  readonly onRefusal?: RefusalObserver | null | undefined
}
