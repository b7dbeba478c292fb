import type { Middleware } from '@rr/core'
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
  readonly maxBodyBytes: number | undefined
  readonly schema: RouteSchema
}

const OPTIONS = ['state', 'middleware', 'maxBodyBytes', 'schema']
const SCHEMA_PARTS = ['params', 'query', 'headers', 'body', 'response']

/** @throws RouteError RR_ROUTE_INVALID */
export function readRouteOptions(options: unknown, what: string): CheckedOptions {
  checkKeys(options, OPTIONS, `${what} is invalid: its options`)
  const { state, middleware = [], maxBodyBytes, schema = {} } = options as RouteOptions<unknown>
  if (!Array.isArray(middleware)) throw invalid(`${what} is invalid: its middleware is not a list`)
  checkMiddleware(middleware, what)
  if (maxBodyBytes !== undefined && !(Number.isSafeInteger(maxBodyBytes) && maxBodyBytes >= 0)) {
    throw invalid(
      `${what} is invalid: maxBodyBytes is a whole number from 0 on, not ${String(maxBodyBytes)}`,
    )
  }
  checkKeys(schema, SCHEMA_PARTS, `${what} is invalid: its schema`)
  for (const [part, one] of Object.entries(schema)) {
    if (one === undefined || isStandardSchema(one)) continue
    throw invalid(`${what} is invalid: its schema of ${part} follows no Standard Schema version 1`)
  }
  return { state, middleware: [...middleware], maxBodyBytes, schema: { ...schema } }
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
