import { catchErrors, type ErrorHandler } from './error-handler.ts'
import { RrError } from './errors.ts'
import { fetchHandler } from './fetch-handler.ts'
import type { Dispatcher, FetchApplication, Handler } from './handler.ts'
import { composeMiddleware, type Middleware } from './middleware.ts'
import type { RouteLimitsLookup } from './route-limits.ts'

/** What `setup` and `teardown` are told. */
export interface WorkerContext {
  /** 1 to `workers`; a replaced worker's successor has the same number. */
  readonly workerId: number
  /** How many workers the server has; 1 with `listen()`. */
  readonly workers: number
}

/** What `defineApp` takes. */
export interface ApplicationDefinition {
  /** A router, a handler function or an object with `fetch`. */
  readonly handler: Handler | Dispatcher | FetchApplication
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

const DEFINED: unique symbol = Symbol('rr.application')

/** An application with its life cycle, made by `defineApp`. */
export interface DefinedApplication extends ApplicationDefinition {
  readonly [DEFINED]: true
}

/** An application ready to serve, whatever form it was given in. */
export interface Application {
  readonly handler: Handler
  /** The limits of routes, where the application has any (`Dispatcher.routeLimits`). */
  readonly routeLimits: RouteLimitsLookup | null
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
  if (isDefined(value)) {
    return {
      handler: wrapHandler(resolveHandler(value.handler), value),
      routeLimits: definedLimits(value),
      setup: value.setup ?? nothing,
      teardown: value.teardown ?? nothing,
    }
  }
  return {
    handler: resolveHandler(value),
    routeLimits: resolveLimits(value),
    setup: nothing,
    teardown: nothing,
  }
}

function wrapHandler(
  handler: Handler,
  { middleware = [], errorHandler }: ApplicationDefinition,
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

function definedLimits({ handler, routeLimits }: ApplicationDefinition): RouteLimitsLookup | null {
  if (routeLimits === undefined) return resolveLimits(handler)
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

function isDefined(value: unknown): value is DefinedApplication {
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
