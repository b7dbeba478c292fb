import { RrError } from './errors.ts'
import type { Handler, HandlerResult } from './handler.ts'
import type { HttpRequest } from './request.ts'
import { HttpResponse } from './response.ts'
import { toResponse } from './response-value.ts'
import { keepUnsent } from './unsent-bodies.ts'
import { isWebResponse, readWebResponse } from './web-response.ts'

/**
 * Calls what is inside: the next middleware, at last the handler. The answer is always an
 * HttpResponse, whatever the handler gave; it rejects with what was thrown inside.
 */
export type Next = () => Promise<HttpResponse>

/**
 * Wraps handlers: answers by itself, or calls `next` (once at most) and answers with what that
 * gives, changed or not.
 *
 * @example
 * const timing: Middleware = async (request, next) => {
 *   const start = performance.now()
 *   const response = await next()
 *   return response.with({ headers: { 'server-timing': `app;dur=${performance.now() - start}` } })
 * }
 */
export type Middleware = (request: HttpRequest, next: Next) => HandlerResult

/**
 * `handler` inside `middleware`, of which the first is outermost. Made once, at start. In what it
 * returns, a second call of `next` for one request throws an RrError RR_NEXT_REPEATED.
 *
 * @returns `handler` itself when there is no middleware
 * @example
 * export default composeMiddleware([timing, requestId()], () => text('Hello, World!'))
 */
export function composeMiddleware(middleware: readonly Middleware[], handler: Handler): Handler {
  return middleware.reduceRight<Handler>(wrap, handler)
}

function wrap(inner: Handler, outer: Middleware): Handler {
  return (request) => {
    let isCalled = false
    return outer(request, async () => {
      if (isCalled) throw new RrError('RR_NEXT_REPEATED', 'next() was called twice')
      isCalled = true
      const value = await inner(request)
      const response = value instanceof HttpResponse ? value : await toHttpResponse(value)
      keepUnsent(request, response.body)
      return response
    })
  }
}

function toHttpResponse(value: unknown): HttpResponse | Promise<HttpResponse> {
  return isWebResponse(value) ? readWebResponse(value) : toResponse(value)
}
