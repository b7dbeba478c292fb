import { catchErrors, type ErrorHandler } from './error-handler.ts'
import { RrError } from './errors.ts'
import { fetchHandler } from './fetch-handler.ts'
import type { Dispatcher, FetchApplication, Handler, RouteTable } from './handler.ts'
import { composeMiddleware, type Middleware } from './middleware.ts'
import type { RouteLimitsLookup } from './route-limits.ts'

/** What `setup` and `teardown` are told. */
export interface WorkerContext {
  /** 1 to `workers`; a replaced worker's successor has the same number. */
  readonly workerId: number
  /** How many workers the server has; 1 with `listen()`. */
  readonly workers: number
}

/** What `defineApp` takes beside the handler or where it is. */
export interface ApplicationParts {
  /**
   * Wraps whatever `handler` is, its 404s and the answers to its errors included. The first is
   * outermost.
   */
  readonly middleware?: readonly Middleware[]
  /**
   * Answers for what the handler and the middleware threw and nobody caught, in place of the default
   * (`errorResponse`), which answers when it throws itself. Errors with a status of 500 and more are
   * reported to the log all the same.
   */
  readonly errorHandler?: ErrorHandler
  /**
   * Limits by method and path, for a handler that has no `routeLimits` of its own, as a router has.
   *
   * @example
   * const health = { shed: false }
   * export default defineApp({ handler, routeLimits: (_, path) => path === '/health' ? health : undefined })
   */
  readonly routeLimits?: RouteLimitsLookup
  /** Runs once in each worker before it listens; when it throws, the worker has failed to start. */
  readonly setup?: (context: WorkerContext) => void | Promise<void>
  /** Runs once in each worker after its last connection has closed. */
  readonly teardown?: (context: WorkerContext) => void | Promise<void>
}

/** An application that has its handler with it. */
export interface HandlerDefinition extends ApplicationParts {
  /** A router, a handler function or an object with `fetch`. */
  readonly handler: Handler | Dispatcher | FetchApplication
  readonly routes?: undefined
}

/** An application whose handler is in a module of its own, to be loaded anew by itself. */
export interface RoutesDefinition extends ApplicationParts {
  /**
   * A module that exports by default a router, a handler function or an object with `fetch`. Each
   * worker imports it once `setup` is done, and again at each `reloadRoutes()`, while what `setup`
   * made stays.
   */
  readonly routes: URL
  readonly handler?: undefined
}

/** What `defineApp` takes. */
export type ApplicationDefinition = HandlerDefinition | RoutesDefinition

const DEFINED: unique symbol = Symbol('rr.application')

/** An application with its life cycle, made by `defineApp`. */
export type DefinedApplication = ApplicationDefinition & { readonly [DEFINED]: true }

/**
 * An application ready to serve, whatever form it was given in. Where `routesUrl` is not null, its
 * handler fails until what that module exports has been resolved and put in its place.
 */
export interface Application extends RouteTable {
  /** The module that holds the routes, or null where the application has them with it. */
  readonly routesUrl: string | null
  /**
   * Makes a table of other routes, inside this application's middleware and error handler.
   *
   * @param value a router, a handler function or an object with `fetch`
   * @throws RrError RR_APPLICATION_INVALID
   */
  readonly resolveRoutes: (value: unknown) => RouteTable
  /** True where it has a `setup` or a `teardown`. */
  readonly hasLifeCycle: boolean
  readonly setup: (context: WorkerContext) => void | Promise<void>
  readonly teardown: (context: WorkerContext) => void | Promise<void>
}

/**
 * Gives a handler of any form middleware, an error handler and a life cycle in each worker.
 *
 * @example
 * let pool: Pool
 * export default defineApp({
 *   handler: app,
 *   setup: async () => { pool = await connect() },
 *   teardown: () => pool.end(),
 *   middleware: [requestId(), cors()],
 *   errorHandler: (error) => error instanceof NotUnique ? problem(409) : errorResponse(error),
 * })
 * @example
 * export default defineApp({ routes: new URL('./routes.ts', import.meta.url), setup: connect })
 */
export function defineApp(definition: ApplicationDefinition): DefinedApplication {
  return { ...definition, [DEFINED]: true }
}

/**
 * Turns any form of application into one that can be served.
 *
 * @param value an application module's default export
 * @returns the handler, with a life cycle that may do nothing
 * @throws RrError RR_APPLICATION_INVALID, saying what was found instead
 */
export function resolveApplication(value: unknown): Application {
  const parts: ApplicationParts = isDefinedApplication(value) ? value : {}
  const resolveRoutes = (routes: unknown): RouteTable => ({
    handler: wrapHandler(resolveHandler(routes), parts),
    routeLimits: definedLimits(parts, routes),
  })
  const routesUrl = isDefinedApplication(value) ? resolveRoutesUrl(value) : null
  const handler: unknown = isDefinedApplication(value) ? value.handler : value
  const { setup, teardown } = parts
  return {
    ...resolveRoutes(routesUrl === null ? handler : routesAreMissing),
    routesUrl,
    resolveRoutes,
    hasLifeCycle: setup !== undefined || teardown !== undefined,
    setup: setup ?? nothing,
    teardown: teardown ?? nothing,
  }
}

function resolveRoutesUrl({ routes, handler }: ApplicationDefinition): string | null {
  if (routes === undefined) return null
  if (handler !== undefined) throw invalid('either handler or routes, not both')
  if (!((routes as unknown) instanceof URL)) {
    throw invalid(`routes takes the URL of a module, not ${describe(routes)}`)
  }
  return routes.href
}

function routesAreMissing(): never {
  throw new RrError('RR_SERVER_STATE', 'the routes of the application have not been loaded')
}

function wrapHandler(
  handler: Handler,
  { middleware = [], errorHandler }: ApplicationParts,
): Handler {
  if (!Array.isArray(middleware) || !middleware.every((one) => typeof one === 'function')) {
    throw invalid(`middleware takes a list of functions, not ${describe(middleware)}`)
  }
  const wrapped = composeMiddleware(middleware, handler)
  if (errorHandler === undefined) return wrapped
  if (typeof errorHandler !== 'function') {
    throw invalid(`errorHandler takes a function, not ${describe(errorHandler)}`)
  }
  return catchErrors(wrapped, errorHandler)
}

function invalid(why: string): RrError {
  return new RrError('RR_APPLICATION_INVALID', `defineApp: ${why}`)
}

function resolveHandler(value: unknown): Handler {
  if (typeof value === 'function') return value as Handler
  if (hasMethod(value, 'dispatch')) {
    const dispatcher = value as Dispatcher
    return (request) => dispatcher.dispatch(request)
  }
  if (hasMethod(value, 'fetch')) return fetchHandler(value as FetchApplication)
  throw new RrError(
    'RR_APPLICATION_INVALID',
    'an application exports by default a router, a handler function, an object with a fetch ' +
      `method or defineApp({...}), not ${describe(value)}`,
  )
}

function definedLimits(
  { routeLimits }: ApplicationParts,
  routes: unknown,
): RouteLimitsLookup | null {
  if (routeLimits === undefined) return resolveLimits(routes)
  if (typeof routeLimits !== 'function') {
    throw invalid(`routeLimits takes a function, not ${describe(routeLimits)}`)
  }
  return routeLimits
}

function resolveLimits(value: unknown): RouteLimitsLookup | null {
  if (!hasMethod(value, 'dispatch') || !hasMethod(value, 'routeLimits')) return null
  const dispatcher = value as Dispatcher
  return (method, path) => dispatcher.routeLimits?.(method, path)
}

/** True for what `defineApp` has made. */
export function isDefinedApplication(value: unknown): value is DefinedApplication {
  return typeof value === 'object' && value !== null && DEFINED in value
}

function hasMethod(value: unknown, name: string): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Record<string, unknown>)[name] === 'function'
  )
}

function describe(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (typeof value !== 'object') return `a ${typeof value}`
  const keys = Object.keys(value).slice(0, 5).join(', ')
  return keys === '' ? 'an empty object' : `an object with ${keys}`
}

function nothing(): void {}
