import type { Handler, Middleware, RouteLimits } from '@rr/core'
import { ANY_METHOD } from './method-table.ts'
import { type Pattern, parsePattern } from './pattern.ts'
import { RouteError } from './route-error.ts'
import { type RouteSchema, readRouteOptions } from './route-options.ts'
import { RouteScope } from './route-scope.ts'

/** What follows the pattern when a route is added; checked here, as JavaScript callers may err. */
export type RouteArguments =
  | readonly [handler: unknown]
  | readonly [options: unknown, handler: unknown]

/** Where routes are added: a router, or a group. */
export interface RoutePlace {
  /** Empty for a router. */
  readonly prefix: string
  readonly scope: RouteScope
}

/** A route as it was added. */
export interface RegisteredRoute {
  /** A method, or ANY_METHOD. */
  readonly method: string
  readonly pattern: Pattern
  readonly state: unknown
  readonly limits: RouteLimits | null
  readonly sendTimeoutMs: number | undefined
  readonly schema: RouteSchema
  /** What it is in, the outermost first. */
  readonly scopes: readonly RouteScope[]
  /** Its own, inside of its scopes. */
  readonly middleware: readonly Middleware[]
  readonly handler: Handler
  /** Where it was added: `file:line:column`. */
  readonly place: string
}

interface Fallback {
  readonly handler: Handler
  readonly place: string
}

/** The routes of a router and its groups, checked one by one as they come. */
export class RouteRegistry {
  /** What is around every route, and around the answers where there is none. */
  readonly scope: RouteScope = new RouteScope(null)
  readonly #routes: RegisteredRoute[] = []
  readonly #byKey = new Map<string, RegisteredRoute>()
  #fallback: Fallback | null = null
  #closedBecause: string | null = null

  get routes(): readonly RegisteredRoute[] {
    return this.#routes
  }

  get fallback(): Handler | null {
    return this.#fallback?.handler ?? null
  }

  /** Takes no more routes, for that reason. */
  close(reason: string): void {
    this.#closedBecause ??= reason
  }

  use(scope: RouteScope, middleware: readonly unknown[], place: string): void {
    this.#checkOpen(`use() (${place})`)
    scope.use(middleware, place)
  }

  setErrorHandler(scope: RouteScope, handler: unknown, place: string): void {
    this.#checkOpen(`onError() (${place})`)
    scope.setErrorHandler(handler, place)
  }

  add(method: string, at: RoutePlace, source: string, args: RouteArguments, place: string): void {
    const what = `the route ${routeName(method, source)} (${place})`
    const [options, handler] = args.length === 1 ? [{}, args[0]] : args
    this.#checkOpen(what)
    const pattern = readPattern(at.prefix, source, what)
    checkHandler(handler, what)
    const checked = readRouteOptions(options, what)
    this.#insert({ ...checked, method, pattern, handler, place, scopes: at.scope.chain })
  }

  setFallback(handler: unknown, place: string): void {
    const what = `the fallback (${place})`
    this.#checkOpen(what)
    checkHandler(handler, what)
    if (this.#fallback !== null) {
      const first = this.#fallback.place
      throw new RouteError('RR_ROUTE_DUPLICATE', `${what} comes after another (${first})`)
    }
    this.#fallback = { handler, place }
  }

  copyFrom(other: RouteRegistry, { prefix, scope }: RoutePlace, place: string): void {
    const what = `the mount of a router on '${prefix || '/'}' (${place})`
    this.#checkOpen(what)
    if (other === this) throw invalid(what, 'is of the router itself or of a group of it')
    if (other.#fallback !== null) {
      const hint = `a match() fallback (${other.#fallback.place}): give it all('/*rest', ...) instead`
      throw invalid(what, `is of one with ${hint}`)
    }
    for (const route of other.#routes) {
      const from = `${route.place}, mounted at ${place}`
      const name = `the route ${routeName(route.method, route.pattern.source)} (${from})`
      const pattern = readPattern(prefix, route.pattern.source, name)
      this.#insert({ ...route, pattern, place: from, scopes: [...scope.chain, ...route.scopes] })
    }
    other.close(`the router was mounted (${place}), and what is added now would be missing there`)
  }

  /** A prefix below a prefix; empty for the root. */
  joinPrefix(outer: string, prefix: string, place: string): string {
    const what = `the prefix '${prefix}' (${place})`
    this.#checkOpen(what)
    if (prefix === '/') return outer
    const pattern = readPattern(outer, prefix, what)
    const last = pattern.segments.at(-1)
    if (last?.kind === 'wildcard') throw invalid(what, 'is invalid: it ends with a wildcard')
    if (pattern.source.endsWith('/')) throw invalid(what, "is invalid: it ends with '/'")
    return pattern.source
  }

  #insert(route: RegisteredRoute): void {
    const key = `${route.method} ${route.pattern.shape}`
    const earlier = this.#byKey.get(key)
    if (earlier !== undefined) {
      throw new RouteError(
        'RR_ROUTE_DUPLICATE',
        `the route ${describeRoute(route)} matches the same requests as ${describeRoute(earlier)}`,
      )
    }
    for (const scope of route.scopes) scope.noteRoute(route.place)
    this.#byKey.set(key, route)
    this.#routes.push(route)
  }

  #checkOpen(what: string): void {
    if (this.#closedBecause !== null) throw invalid(what, `is too late: ${this.#closedBecause}`)
  }
}

function describeRoute(route: RegisteredRoute): string {
  return `${routeName(route.method, route.pattern.source)} (${route.place})`
}

function routeName(method: string, source: unknown): string {
  return `${method === ANY_METHOD ? 'ALL' : method} ${String(source)}`
}

/** The pattern below a prefix, where `/` alone is the prefix itself. */
function readPattern(prefix: string, source: unknown, what: string): Pattern {
  if (typeof source !== 'string') throw invalid(what, 'is invalid: its pattern is not a string')
  // Checked before it is joined: 'x' under '/api' must not become '/apix'.
  if (!source.startsWith('/')) throw invalid(what, "is invalid: it must start with '/'")
  const joined = source === '/' && prefix !== '' ? prefix : prefix + source
  const pattern = parsePattern(joined)
  if ('fault' in pattern) throw invalid(what, `is invalid: ${pattern.fault}`)
  return pattern
}

function checkHandler(handler: unknown, what: string): asserts handler is Handler {
  if (typeof handler === 'function') return
  throw invalid(what, `has no handler function, but ${handler === null ? null : typeof handler}`)
}

function invalid(what: string, why: string): RouteError {
  return new RouteError('RR_ROUTE_INVALID', `${what} ${why}`)
}
