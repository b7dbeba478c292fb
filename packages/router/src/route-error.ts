import type { ErrorCode } from '@rr/core'

/** The codes of the mistakes that a route table can hold, as core lists them. */
export type RouteErrorCode = Extract<ErrorCode, 'RR_ROUTE_INVALID' | 'RR_ROUTE_DUPLICATE'>

/**
 * A mistake in the route table, thrown where the route is registered, so at start. It has the shape
 * of core's RrError; the router imports nothing but types from core.
 */
export class RouteError extends Error {
  /** RR_ROUTE_INVALID or RR_ROUTE_DUPLICATE; the message names the place of the call. */
  readonly code: RouteErrorCode

  constructor(code: RouteErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }

  override get name(): string {
    return 'RouteError'
  }
}
