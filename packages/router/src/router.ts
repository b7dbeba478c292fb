import type { Dispatcher, Handler, HandlerResult, HttpRequest } from '@rr/core'
import { allowedMethods, BAD_REQUEST, methodNotAllowed, NOT_FOUND } from './answers.ts'
import { callPlace } from './call-place.ts'
import { ANY_METHOD, allowValue, COMMON_METHODS } from './method-table.ts'
import type { PathParams } from './path-params.ts'
import { RouteGroup } from './route-group.ts'
import { type RegisteredRoute, RouteRegistry } from './route-registry.ts'
import { type Miss, NO_PARAMS, type ParamValues, RouteTable } from './route-table.ts'

/** A route as `routes()` and `find()` show it. */
export interface RouteInfo {
  /** `*` for a route added with `all`. */
  readonly method: string
  /** As written, prefixes included. */
  readonly pattern: string
  /** Where it was added: `file:line:column`. */
  readonly place: string
}

/** What `dispatch` would do with a method and a path. */
export type RouteLookup =
  | { readonly outcome: 'route'; readonly route: RouteInfo; readonly params: ParamValues }
  /** An automatic answer to OPTIONS, or a 405; `allow` lists the methods that there are. */
  | { readonly outcome: 'options' | 'method-not-allowed'; readonly allow: string }
  /** The fallback, or a 404. */
  | { readonly outcome: 'not-found' }
  /** A 400. */
  | { readonly outcome: 'bad-path' }

/** What serving a request needs of a route, made once for each. */
interface CompiledRoute {
  readonly handler: Handler
  readonly state: unknown
  readonly pattern: string
  readonly info: RouteInfo
}

/**
 * Finds the handler for a request. Routes are added first; the first request compiles them.
 *
 * `Prefix` names the parameters that the handlers expect of the prefix that this router is mounted
 * on; a router that serves by itself leaves it out.
 */
export class Router<Prefix extends string = ''> extends RouteGroup<Prefix> implements Dispatcher {
  readonly #registry: RouteRegistry
  #table: RouteTable<CompiledRoute> | null = null

  /** Made by `createRouter`. */
  constructor(registry: RouteRegistry) {
    super(registry, '')
    this.#registry = registry
  }

  /**
   * Sets what answers the requests whose path no route's pattern matches, in place of a 404. It does
   * not take what a 405 or an automatic OPTIONS answers; `all('/*rest', ...)` does.
   *
   * @throws RouteError RR_ROUTE_INVALID, RR_ROUTE_DUPLICATE when there is one already
   */
  match(handler: Handler<PathParams<''>, undefined>): this {
    this.#registry.setFallback(handler, callPlace(this.match))
    return this
  }

  /** Answers a request: sets its `params`, `state` and `route`, and calls the handler. */
  dispatch(request: HttpRequest): HandlerResult {
    const table = this.#table ?? this.#compiled()
    const endpoint = table.match(request.method, request.path)
    if (typeof endpoint === 'string') return this.#answerMiss(endpoint, table, request)
    const route = endpoint.value
    request.params = table.readParams(endpoint)
    request.state = route.state
    request.route = route.pattern
    return route.handler(request)
  }

  /** Compiles the routes, as the first request does. No route can be added afterwards. */
  compile(): this {
    this.#compiled()
    return this
  }

  /** The routes in the order in which they were added. */
  routes(): readonly RouteInfo[] {
    return this.#registry.routes.map(routeInfo)
  }

  /**
   * What `dispatch` would do, without doing it. Compiles the routes.
   *
   * @param path percent-encoded and without a query, as in a request
   */
  find(method: string, path: string): RouteLookup {
    const table = this.#compiled()
    const endpoint = table.match(method, path)
    if (typeof endpoint !== 'string') {
      return { outcome: 'route', route: endpoint.value.info, params: table.readParams(endpoint) }
    }
    if (method === 'OPTIONS' && path === '*') return { outcome: 'options', allow: this.#allowAll() }
    if (endpoint !== 'method-not-allowed') return { outcome: endpoint }
    const outcome = method === 'OPTIONS' ? 'options' : 'method-not-allowed'
    return { outcome, allow: allowFor(table, path) }
  }

  #answerMiss(miss: Miss, table: RouteTable<CompiledRoute>, request: HttpRequest): HandlerResult {
    const { method, path } = request
    if (miss === 'method-not-allowed') {
      const allow = allowFor(table, path)
      return method === 'OPTIONS' ? allowedMethods(allow) : methodNotAllowed(allow)
    }
    if (miss === 'bad-path') {
      // The asterisk form asks about the server and not about a path (RFC 9110 §9.3.7).
      return method === 'OPTIONS' && path === '*' ? allowedMethods(this.#allowAll()) : BAD_REQUEST
    }
    const { fallback } = this.#registry
    if (fallback === null) return NOT_FOUND
    // A request may come here from a route of another router, with that route's values.
    request.params = NO_PARAMS
    request.state = undefined
    request.route = null
    return fallback(request)
  }

  #compiled(): RouteTable<CompiledRoute> {
    if (this.#table === null) {
      this.#registry.close('the router is compiled, which its first request does')
      this.#table = new RouteTable(
        this.#registry.routes.map((route) => ({
          method: route.method,
          pattern: route.pattern,
          value: compileRoute(route),
        })),
      )
    }
    return this.#table
  }

  /** Allow for the whole server; where routes take any method, the common ones stand for them. */
  #allowAll(): string {
    const { routes, fallback } = this.#registry
    const methods = new Set(['OPTIONS'])
    for (const { method } of routes) if (method !== ANY_METHOD) methods.add(method)
    if (methods.has('GET')) methods.add('HEAD')
    if (fallback !== null || routes.some(({ method }) => method === ANY_METHOD)) {
      for (const method of COMMON_METHODS) methods.add(method)
    }
    return allowValue(methods)
  }
}

/**
 * Makes a router.
 *
 * @example
 * const app = createRouter()
 * app.get('/users/:id', (req) => json({ id: req.params.id }))
 * export default app
 */
export function createRouter<Prefix extends string = ''>(): Router<Prefix> {
  return new Router<Prefix>(new RouteRegistry())
}

/** Whatever is to wrap a route's handler is composed here, once, and costs other routes nothing. */
function compileRoute(route: RegisteredRoute): CompiledRoute {
  const { handler, state, pattern } = route
  return { handler, state, pattern: pattern.source, info: routeInfo(route) }
}

function routeInfo({ method, pattern, place }: RegisteredRoute): RouteInfo {
  return { method, pattern: pattern.source, place }
}

/** Allow for a path: the methods of all patterns that match it, since any of them may serve it. */
function allowFor(table: RouteTable<CompiledRoute>, path: string): string {
  const methods = new Set(['OPTIONS'])
  for (const found of table.tablesFor(path))
    for (const method of found.methods()) methods.add(method)
  return allowValue(methods)
}
