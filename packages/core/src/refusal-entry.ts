import type { ErrorCode } from './errors.ts'
import type { ReachedLimit } from './reached-limit.ts'
import type { EndpointAddress } from './transport.ts'

/** Why a request was refused before, or while, a handler saw it. */
export type RequestRefusalCause =
  /** Malformed, over a limit, or too slow: the status tells which. */
  | 'protocol'
  /** `maxRequestsInFlight`. */
  | 'requests-in-flight'
  /** `maxRequestsInFlightPerWorker`. */
  | 'worker-requests-in-flight'
  /** `shedLoopDelayMs`. */
  | 'loop-delay'

/** Why a request or a whole connection was refused. */
export type RefusalCause =
  | RequestRefusalCause
  /** `maxConnections`. */
  | 'connections'
  /** `maxConnectionsPerClient`. */
  | 'client-connections'
  /** A PROXY protocol header that is wrong, late, missing, or not this peer's to send. */
  | 'proxy-protocol'

/** One refusal, as `onRefusal` is told of it. */
export interface RefusalEntry {
  readonly cause: RefusalCause
  /** What the client was answered; 0 where it was cut off without an answer. */
  readonly status: number
  /** Why, as the error codes have it. */
  readonly code: ErrorCode
  /** The option whose bound was met; null for what is malformed, and for limits on load. */
  readonly limit: ReachedLimit | null
  /** Why, in words, which the client was told too. Nothing in it comes from the client. */
  readonly reason: string
  /** The client's end of the connection. */
  readonly peer: EndpointAddress
  /** Null where a request's head could not be read, or none has come. */
  readonly method: string | null
  /** The request target as it was sent; null as `method` is. */
  readonly target: string | null
  /**
   * True when a handler was called, because the fault showed in the body or in its slowness: that
   * request has its own entry in the access log.
   */
  readonly isDispatched: boolean
}

/** Told of each refusal. Must not throw; without one a refusal costs a count. */
export type RefusalObserver = (refusal: RefusalEntry) => void

/**
 * Decides on each request before a handler is called. A request that it admits holds a slot until
 * its answer has ended and its handler has settled.
 */
export interface RequestAdmission {
  /** @returns why the request is refused, or null when it has a slot now */
  admit(): Exclude<RequestRefusalCause, 'protocol'> | null
  /** Gives the slot back; once for each that was admitted. */
  release(): void
}
