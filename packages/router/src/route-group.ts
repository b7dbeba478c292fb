import { type ErrorHandler, type Handler, isToken, type Middleware } from '@rr/core'
import { callPlace } from './call-place.ts'
import { ANY_METHOD, COMMON_METHODS } from './method-table.ts'
import type { ParamNames, PathParams } from './path-params.ts'
import { RouteError } from './route-error.ts'
import type { NoSchema, RouteOptions, RouteSchema, ValidParts } from './route-options.ts'
import type { RouteArguments, RoutePlace, RouteRegistry } from './route-registry.ts'
import { RouteScope } from './route-scope.ts'

/** RFC 9110 §5.6.2. */

/**
 * Adds a route. The handler's `req.params` is typed from the pattern, its `req.state` and
 * `req.valid` from the options.
 *
 * @throws RouteError RR_ROUTE_INVALID, RR_ROUTE_DUPLICATE
 */
export interface AddRoute<Prefix extends string, Self> {
  <Path extends string>(
    pattern: Path,
    handler: Handler<PathParams<`${Prefix}${Path}`>, undefined, undefined>,
  ): Self
  <Path extends string, State = undefined, Schema extends RouteSchema = NoSchema>(
    pattern: Path,
    options: RouteOptions<State, Schema>,
    handler: Handler<PathParams<`${Prefix}${Path}`>, State, ValidParts<Schema>>,
  ): Self
}

/** Adds a route for a method of any name; otherwise as `AddRoute`. */
export interface AddMethodRoute<Prefix extends string, Self> {
  <Path extends string>(
    method: string,
    pattern: Path,
    handler: Handler<PathParams<`${Prefix}${Path}`>, undefined, undefined>,
  ): Self
  <Path extends string, State = undefined, Schema extends RouteSchema = NoSchema>(
    method: string,
    pattern: Path,
    options: RouteOptions<State, Schema>,
    handler: Handler<PathParams<`${Prefix}${Path}`>, State, ValidParts<Schema>>,
  ): Self
}

/** Never unless the prefix has every parameter that a router made with `createRouter<Needed>()` needs. */
export type MountCheck<Needed extends string, Prefix extends string> =
  ParamNames<Needed> extends ParamNames<Prefix> ? unknown : never

/** Collects routes under a prefix; a router is the one whose prefix is empty. */
export class RouteGroup<Prefix extends string = ''> {
  readonly #registry: RouteRegistry
  readonly #at: RoutePlace

  /** Adds a route for GET, and for HEAD unless that has a route of its own. */
  readonly get: AddRoute<Prefix, this> = this.#adder('GET')
  /** Adds a route for POST. */
  readonly post: AddRoute<Prefix, this> = this.#adder('POST')
  /** Adds a route for PUT. */
  readonly put: AddRoute<Prefix, this> = this.#adder('PUT')
  /** Adds a route for DELETE. */
  readonly delete: AddRoute<Prefix, this> = this.#adder('DELETE')
  /** Adds a route for PATCH. */
  readonly patch: AddRoute<Prefix, this> = this.#adder('PATCH')
  /** Adds a route for HEAD, in place of the one that GET brings. */
  readonly head: AddRoute<Prefix, this> = this.#adder('HEAD')
  /** Adds a route for OPTIONS, in place of the automatic answer. */
  readonly options: AddRoute<Prefix, this> = this.#adder('OPTIONS')
  /** Adds a route for every method that the same pattern has no other route for. */
  readonly all: AddRoute<Prefix, this> = this.#adder(ANY_METHOD)
  /**
   * Adds a route for a method of any name, such as PROPFIND or QUERY. Methods are case-sensitive
   * (RFC 9110 §9.1). CONNECT is refused: its target is no path.
   */
  readonly on: AddMethodRoute<Prefix, this> = this.#methodAdder()

  /** Made by `createRouter` and `group`. */
  constructor(registry: RouteRegistry, at: RoutePlace) {
    this.#registry = registry
    this.#at = at
  }

  /**
   * Puts middleware around the routes of this router or group and of the groups in it: the first is
   * outermost, and what is outside wraps what is inside. A router's own also wraps the answers that
   * it gives itself; a group's wraps the 405 and OPTIONS of its paths. To be called before the
   * first route, since it would be unclear whether it is meant for that one.
   *
   * @throws RouteError RR_ROUTE_INVALID for what is no function, and after a route
   * @example
   * app.use(accessLog(), cors())
   * app.group('/admin', (admin) => {
   *   admin.use(requireAdmin)
   *   admin.get('/', () => text('for few eyes'))
   * })
   */
  use(...middleware: readonly Middleware[]): this {
    this.#registry.use(this.#at.scope, middleware, callPlace(this.use))
    return this
  }

  /**
   * Answers for what the handlers and the middleware of this router or group threw and nobody
   * caught. What it throws itself goes to the error handler around it, at last to the default
   * (`errorResponse` of @rr/core). Errors with a status of 500 and more are reported to the log all
   * the same.
   *
   * @throws RouteError RR_ROUTE_INVALID, RR_ROUTE_DUPLICATE when there is one already
   * @example
   * app.onError((error) => error instanceof NotUnique ? problem(409) : errorResponse(error))
   */
  onError(handler: ErrorHandler): this {
    this.#registry.setErrorHandler(this.#at.scope, handler, callPlace(this.onError))
    return this
  }

  /**
   * Adds routes under a prefix, which may have parameters. In the group, the pattern `/` is the
   * prefix itself.
   *
   * @param add called once, at once
   * @throws RouteError RR_ROUTE_INVALID for a prefix that is no pattern, ends with `/` (unless it is
   *   only that) or has a wildcard
   * @example
   * app.group('/teams/:team', (team) => {
   *   team.get('/', (req) => text(req.params.team))
   *   team.get('/members/:id', (req) => text(req.params.id))
   * })
   */
  group<Path extends string>(
    prefix: Path,
    add: (group: RouteGroup<`${Prefix}${Path}`>) => void,
  ): this {
    const place = callPlace(this.group)
    const full = this.#registry.joinPrefix(this.#at.prefix, prefix, place)
    const scope = new RouteScope(this.#at.scope)
    const result: unknown = add(new RouteGroup(this.#registry, { prefix: full, scope }))
    if (result instanceof Promise) {
      throw new RouteError('RR_ROUTE_INVALID', `the group '${prefix}' (${place}) is asynchronous`)
    }
    return this
  }

  /**
   * Copies the routes of another router under a prefix, which may have parameters, with what wraps
   * them there, inside of what wraps them here. That router takes no more routes afterwards, since
   * they would be missing here.
   *
   * @param router one without a `match` fallback; made with `createRouter<'/teams/:team'>()` when
   *   its handlers want the prefix's parameters typed
   * @throws RouteError RR_ROUTE_INVALID, RR_ROUTE_DUPLICATE
   */
  mount<Path extends string, Needed extends string>(
    prefix: Path,
    router: RouteGroup<Needed> & MountCheck<Needed, `${Prefix}${Path}`>,
  ): this {
    const place = callPlace(this.mount)
    if (!(typeof router === 'object' && router !== null && #registry in router)) {
      throw new RouteError('RR_ROUTE_INVALID', `what is mounted (${place}) is not a router`)
    }
    const full = this.#registry.joinPrefix(this.#at.prefix, prefix, place)
    this.#registry.copyFrom(router.#registry, { prefix: full, scope: this.#at.scope }, place)
    return this
  }

  #adder(method: string): AddRoute<Prefix, this> {
    const add = (pattern: string, ...rest: RouteArguments): this => {
      this.#registry.add(method, this.#at, pattern, rest, callPlace(add))
      return this
    }
    return add as AddRoute<Prefix, this>
  }

  #methodAdder(): AddMethodRoute<Prefix, this> {
    const add = (method: string, pattern: string, ...rest: RouteArguments): this => {
      const place = callPlace(add)
      checkMethod(method, place)
      this.#registry.add(method, this.#at, pattern, rest, place)
      return this
    }
    return add as AddMethodRoute<Prefix, this>
  }
}

function checkMethod(method: string, place: string): void {
  const fault = methodFault(method)
  if (fault === null) return
  throw new RouteError(
    'RR_ROUTE_INVALID',
    `the method ${JSON.stringify(method)} (${place}) ${fault}`,
  )
}

function methodFault(method: string): string | null {
  if (typeof method !== 'string' || !isToken(method)) return 'is not a token (RFC 9110 §5.6.2)'
  if (method === ANY_METHOD) return 'is no method: use all()'
  if (method === 'CONNECT') return 'cannot be routed: its target is no path (RFC 9110 §9.3.6)'
  const upper = method.toUpperCase()
  if (method !== upper && COMMON_METHODS.includes(upper)) {
    return `never comes: methods are case-sensitive, it is ${upper} (RFC 9110 §9.1)`
  }
  return null
}
