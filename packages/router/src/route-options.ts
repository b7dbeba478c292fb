import { BODY_LIMITS, HTTP_OPTIONS, type Middleware, type RouteLimits } from '@rr/core'
import { RouteError } from './route-error.ts'
import { checkMiddleware } from './route-scope.ts'
import { isStandardSchema, type SchemaOutput, type StandardSchema } from './standard-schema.ts'

/** What a route may have beside its handler. */
export interface RouteOptions<State, Schema extends RouteSchema = RouteSchema> {
  /** A value that the route's handler finds as `req.state`; the same one for every request. */
  readonly state?: State
  /** Wraps the handler, inside what the router and its groups `use`. The first is outermost. */
  readonly middleware?: readonly Middleware[]
  /** How large the body of a request may be, in bytes, 0 or more. Default: the server's option. */
  readonly maxBodyBytes?: number
  /**
   * Milliseconds for a whole request with a body to arrive, from its first byte, 1 to 86400000; past
   * it 408. Default: the server's option.
   */
  readonly requestTimeoutMs?: number
  /**
   * Least average rate at which a request with a body must arrive, 0 (unchecked) to 1073741824.
   * Default: the server's option.
   */
  readonly minBytesPerSecond?: number
  /**
   * Milliseconds before `minBytesPerSecond` is checked, 0 to 3600000. Default: the server's option.
   */
  readonly minRateGraceMs?: number
  /**
   * Milliseconds that a client may take none of the bytes of the answer that wait for it, 1 to
   * 3600000; then it is cut. Default: the server's option.
   */
  readonly sendTimeoutMs?: number
  /**
   * False for a route that is served even while the server refuses others for its load
   * (`maxRequestsInFlight`, `maxRequestsInFlightPerWorker`, `shedLoopDelayMs`): a health check.
   * Default true.
   */
  readonly shed?: boolean
  /** What requests must be like; the handler finds the outcome as `req.valid`. */
  readonly schema?: Schema
}

/**
 * Schemas of any Standard Schema library for the parts of a request, and for the answer. A request
 * that does not match is answered 422, as `application/problem+json` with the path of each fault.
 */
export interface RouteSchema {
  /** Takes the path parameters: an object of strings. */
  readonly params?: StandardSchema
  /** Takes the query's parameters: an object of strings, an array where a name comes again. */
  readonly query?: StandardSchema
  /** Takes the header fields: an object of strings, names in lower case. */
  readonly headers?: StandardSchema
  /**
   * Takes the body: JSON, or the fields of an application/x-www-form-urlencoded form as `query` has
   * them. Undefined where there is none; another media type is answered 415.
   */
  readonly body?: StandardSchema
  /**
   * Takes what a JSON or text answer of status 200 to 299 says. Checked in development only, where
   * an answer that does not match becomes a 500 and is logged; streams are not checked.
   */
  readonly response?: StandardSchema
}

/** The type of a route without schemas. */
export type NoSchema = Readonly<Record<never, never>>

/** What a route's schemas make of a request: `req.valid`. */
export type ValidParts<Schema extends RouteSchema> = [keyof Schema] extends [never]
  ? undefined
  : {
      readonly [Part in Exclude<keyof Schema, 'response'>]: Schema[Part] extends StandardSchema
        ? SchemaOutput<Schema[Part]>
        : never
    }

/** A route's options, checked. */
export interface CheckedOptions {
  readonly state: unknown
  readonly middleware: readonly Middleware[]
  /** Null where all of them are the server's; else the same object for each request. */
  readonly limits: RouteLimits | null
  readonly sendTimeoutMs: number | undefined
  readonly schema: RouteSchema
}

const NUMBERS = [...BODY_LIMITS, 'sendTimeoutMs'] as const
const OPTIONS = ['state', 'middleware', ...NUMBERS, 'shed', 'schema']
const SCHEMA_PARTS = ['params', 'query', 'headers', 'body', 'response']

/** @throws RouteError RR_ROUTE_INVALID */
export function readRouteOptions(options: unknown, what: string): CheckedOptions {
  checkKeys(options, OPTIONS, `${what} is invalid: its options`)
  const { state, middleware = [], schema = {}, ...limits } = options as RouteOptions<unknown>
  if (!Array.isArray(middleware)) throw invalid(`${what} is invalid: its middleware is not a list`)
  checkMiddleware(middleware, what)
  checkLimits(limits, what)
  checkKeys(schema, SCHEMA_PARTS, `${what} is invalid: its schema`)
  for (const [part, one] of Object.entries(schema)) {
    if (one === undefined || isStandardSchema(one)) continue
    throw invalid(`${what} is invalid: its schema of ${part} follows no Standard Schema version 1`)
  }
  const { sendTimeoutMs, ...others } = limits
  return {
    state,
    middleware: [...middleware],
    limits: Object.values(others).some((limit) => limit !== undefined) ? others : null,
    sendTimeoutMs,
    schema: { ...schema },
  }
}

/** A route's own limits are within the bounds of the server's options of the same names. */
function checkLimits(limits: RouteOptions<unknown>, what: string): void {
  for (const name of NUMBERS) {
    const value = limits[name]
    const { minimum, maximum } = HTTP_OPTIONS[name]
    if (value === undefined) continue
    if (Number.isSafeInteger(value) && value >= minimum && value <= maximum) continue
    throw invalid(
      `${what} is invalid: ${name} is a whole number from ${minimum} to ${maximum}, not ${String(value)}`,
    )
  }
  if (limits.shed !== undefined && typeof limits.shed !== 'boolean') {
    throw invalid(`${what} is invalid: shed is true or false, not ${String(limits.shed)}`)
  }
}

function checkKeys(value: unknown, known: readonly string[], what: string): void {
  if (typeof value !== 'object' || value === null) throw invalid(`${what} are not an object`)
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) {
      throw invalid(`${what} have no option '${key}'; there is ${known.join(', ')}`)
    }
  }
}

function invalid(message: string): RouteError {
  return new RouteError('RR_ROUTE_INVALID', message)
}
