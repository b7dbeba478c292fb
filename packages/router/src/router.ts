import {
  composeMiddleware,
  type Dispatcher,
  type Handler,
  type HandlerResult,
  type HttpRequest,
  type RouteLimits,
} from '@rr/core'
import { allowedMethods, BAD_REQUEST, methodNotAllowed, NOT_FOUND } from './answers.ts'
import { callPlace } from './call-place.ts'
import { ANY_METHOD, allowValue, COMMON_METHODS } from './method-table.ts'
import type { PathParams } from './path-params.ts'
import { checkResponses } from './response-check.ts'
import { RouteGroup } from './route-group.ts'
import { type RegisteredRoute, RouteRegistry } from './route-registry.ts'
import { wrapInScopes } from './route-scope.ts'
import { type Miss, NO_PARAMS, type ParamValues, RouteTable } from './route-table.ts'
import { validateRequests } from './validation.ts'

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
  readonly limits: RouteLimits | null
  /** Answers a request for its path with a method that no route has. */
  readonly onMiss: Handler
}

/** What `createRouter` takes. */
export interface RouterOptions {
  /**
   * Whether answers are checked against the `response` schemas of their routes, those of mounted
   * routers included. Default: unless NODE_ENV is `production`.
   */
  readonly checkResponses?: boolean
}

/**
 * Finds the handler for a request. Routes are added first; the first request compiles them.
 *
 * `Prefix` names the parameters that the handlers expect of the prefix that this router is mounted
 * on; a router that serves by itself leaves it out.
 */
export class Router<Prefix extends string = ''> extends RouteGroup<Prefix> implements Dispatcher {
  readonly #registry: RouteRegistry
  readonly #checksResponses: boolean | undefined
  #table: RouteTable<CompiledRoute> | null = null
  #onMiss: Handler | null = null
  #hasLimits = false

  /** Made by `createRouter`. */
  constructor(registry: RouteRegistry, options: RouterOptions = {}) {
    super(registry, { prefix: '', scope: registry.scope })
    this.#registry = registry
    this.#checksResponses = options.checkResponses
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
    if (typeof endpoint === 'string') return this.#miss(endpoint, table, request)
    const route = endpoint.value
    request.params = table.readParams(endpoint)
    request.state = route.state
    request.route = route.pattern
    return route.handler(request)
  }

  /**
   * The limits that the route which would serve such a request has of its own; undefined for none.
   *
   * @param path percent-encoded and without a query, as in a request
   */
  routeLimits(method: string, path: string): RouteLimits | undefined {
    const table = this.#table ?? this.#compiled()
    // Most tables have no such route, and then nothing is looked up twice.
    if (!this.#hasLimits) return undefined
    const endpoint = table.match(method, path)
    return typeof endpoint === 'string' ? undefined : (endpoint.value.limits ?? undefined)
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

  /** Where no route has the method, the most specific pattern says whose middleware wraps that. */
  #miss(miss: Miss, table: RouteTable<CompiledRoute>, request: HttpRequest): HandlerResult {
    // A request may come here from a route of another router, with that route's values.
    request.params = NO_PARAMS
    request.state = undefined
    request.route = null
    const near = miss === 'method-not-allowed' ? table.tablesFor(request.path)[0]?.first : undefined
    const handler = near?.value.onMiss ?? this.#onMiss
    return handler === null ? this.#answerMiss(request) : handler(request)
  }

  /** Matches once more: middleware has come in between, and may have dispatched another request. */
  #answerMiss(request: HttpRequest): HandlerResult {
    const { method, path } = request
    const table = this.#compiled()
    const miss = table.match(method, path)
    if (miss === 'method-not-allowed') {
      const allow = allowFor(table, path)
      return method === 'OPTIONS' ? allowedMethods(allow) : methodNotAllowed(allow)
    }
    if (miss === 'bad-path') {
      // The asterisk form asks about the server and not about a path (RFC 9110 §9.3.7).
      return method === 'OPTIONS' && path === '*' ? allowedMethods(this.#allowAll()) : BAD_REQUEST
    }
    const { fallback } = this.#registry
    return fallback === null ? NOT_FOUND : fallback(request)
  }

  #compiled(): RouteTable<CompiledRoute> {
    if (this.#table === null) {
      this.#registry.close('the router is compiled, which its first request does')
      const { routes, scope } = this.#registry
      const answerMiss: Handler = (request) => this.#answerMiss(request)
      const checksResponses = this.#checksResponses ?? isDevelopment()
      this.#onMiss = scope.wrap(answerMiss)
      this.#hasLimits = routes.some(({ limits }) => limits !== null)
      this.#table = new RouteTable(
        routes.map((route) => ({
          method: route.method,
          pattern: route.pattern,
          value: compileRoute(route, answerMiss, checksResponses),
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
export function createRouter<Prefix extends string = ''>(options?: RouterOptions): Router<Prefix> {
  return new Router<Prefix>(new RouteRegistry(), options)
}

/** Whatever is to wrap a route's handler is composed here, once, and costs other routes nothing. */
function compileRoute(
  route: RegisteredRoute,
  answerMiss: Handler,
  checksResponses: boolean,
): CompiledRoute {
  const { state, pattern, scopes, schema, limits, sendTimeoutMs } = route
  const checks =
    checksResponses && schema.response !== undefined ? [checkResponses(schema.response)] : []
  const handler = composeMiddleware(
    [...route.middleware, ...checks],
    validateRequests(schema, route.handler),
  )
  return {
    handler: limitSending(sendTimeoutMs, wrapInScopes(scopes, handler)),
    state,
    pattern: pattern.source,
    info: routeInfo(route),
    limits,
    onMiss: wrapInScopes(scopes, answerMiss),
  }
}

/** Outside of the middleware, whose own answers it is for as well. */
function limitSending(ms: number | undefined, handler: Handler): Handler {
  if (ms === undefined) return handler
  return (request) => {
    request.sendTimeoutMs = ms
    return handler(request)
  }
}

/** The one look at the environment here: it is by this name that Node programs say where they run. */
function isDevelopment(): boolean {
  return process.env['NODE_ENV'] !== 'production'
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
