import {
  catchErrors,
  composeMiddleware,
  type ErrorHandler,
  type Handler,
  type Middleware,
} from '@rr/core'
import { RouteError } from './route-error.ts'

/**
 * What a router or a group puts around its routes. `use` comes before the routes that it is for, and
 * a later one is refused: whether it wraps the routes above it is a question to which other routers
 * give different answers, and a guard must not depend on it. So all scopes of a route have all their
 * middleware when the route is added.
 */
export class RouteScope {
  readonly #parent: RouteScope | null
  readonly #middleware: Middleware[] = []
  #errorHandler: ErrorHandler | null = null
  #errorHandlerPlace = ''
  /** Where the first route came, here or below. */
  #firstRoutePlace: string | null = null

  constructor(parent: RouteScope | null) {
    this.#parent = parent
  }

  /** This scope inside those around it, the outermost first. */
  get chain(): readonly RouteScope[] {
    return this.#parent === null ? [this] : [...this.#parent.chain, this]
  }

  /** A route is added here or below. */
  noteRoute(place: string): void {
    this.#firstRoutePlace ??= place
  }

  use(middleware: readonly unknown[], place: string): void {
    const what = `use() (${place})`
    if (this.#firstRoutePlace !== null) {
      throw invalid(what, `comes after a route that it would not wrap (${this.#firstRoutePlace})`)
    }
    this.#middleware.push(...checkMiddleware(middleware, what))
  }

  setErrorHandler(handler: unknown, place: string): void {
    const what = `onError() (${place})`
    if (typeof handler !== 'function')
      throw invalid(what, `takes a function, not ${typeof handler}`)
    if (this.#errorHandler !== null) {
      throw new RouteError(
        'RR_ROUTE_DUPLICATE',
        `${what} comes after another (${this.#errorHandlerPlace})`,
      )
    }
    this.#errorHandler = handler as ErrorHandler
    this.#errorHandlerPlace = place
  }

  /** The error handler is outside of the middleware, so that it hears of that too. */
  wrap(handler: Handler): Handler {
    const wrapped = composeMiddleware(this.#middleware, handler)
    return this.#errorHandler === null ? wrapped : catchErrors(wrapped, this.#errorHandler)
  }
}

/** `handler` inside scopes, of which the first is outermost. */
export function wrapInScopes(scopes: readonly RouteScope[], handler: Handler): Handler {
  return scopes.reduceRight<Handler>((inner, scope) => scope.wrap(inner), handler)
}

/** @throws RouteError RR_ROUTE_INVALID */
export function checkMiddleware(list: readonly unknown[], what: string): readonly Middleware[] {
  for (const one of list) {
    if (typeof one !== 'function') {
      throw invalid(what, `takes middleware functions, not ${one === null ? 'null' : typeof one}`)
    }
  }
  return list as readonly Middleware[]
}

function invalid(what: string, why: string): RouteError {
  return new RouteError('RR_ROUTE_INVALID', `${what} ${why}`)
}
