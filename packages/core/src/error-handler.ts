import { forgetErrorHeaders } from './error-headers.ts'
import { errorResponse, statusOf } from './error-response.ts'
import type { Handler, HandlerResult } from './handler.ts'
import type { Middleware } from './middleware.ts'
import type { HttpRequest } from './request.ts'
import { discardUnsent } from './unsent-bodies.ts'

/**
 * Answers for what handlers and middleware threw and nobody caught. When it throws itself, what it
 * threw goes to the next error handler outwards, at last to the default answer (`errorResponse`).
 */
export type ErrorHandler = (error: unknown, request: HttpRequest) => HandlerResult

/**
 * Errors from 500 on that an error handler has answered, until the dispatcher reports them: a page
 * that says sorry must not keep them from the log.
 */
const answered = new WeakMap<HttpRequest, unknown[]>()
/** Spares requests the look into the map; too high where a handler is called without a dispatcher. */
let answeredCount = 0
const NONE: readonly unknown[] = []

/** `handler` with `onError` around it. A request that does not fail pays one call. */
export function catchErrors(handler: Handler, onError: ErrorHandler): Handler {
  return (request) => {
    let result: HandlerResult
    try {
      result = handler(request)
    } catch (error) {
      return answerError(error, request, onError)
    }
    if (!isThenable(result)) return result
    return Promise.resolve(result).catch((error: unknown) => answerError(error, request, onError))
  }
}

/**
 * A middleware that answers for what is thrown inside of it, so that the middleware outside works on
 * that answer as on any other: compresses it, or does whatever else it does after `next()`.
 *
 * Fields alone do not need it: those of `cors`, `securityHeaders` and the like are on answers to
 * errors anyway, whoever makes these (`changeErrorHeaders`). An `onError` or `errorHandler` further
 * out does not hear of what is answered here.
 *
 * @param onError default: `errorResponse`
 * @example
 * export default defineApp({ handler: app, middleware: [compression(), answerErrors()] })
 */
export function answerErrors(onError: ErrorHandler = errorResponse): Middleware {
  return (request, next) => next().catch((error: unknown) => answerError(error, request, onError))
}

/** Asynchronous, so that a failure's answer always comes to the dispatcher as a promise. */
async function answerError(
  error: unknown,
  request: HttpRequest,
  onError: ErrorHandler,
): Promise<Awaited<HandlerResult>> {
  try {
    const result = await onError(error, request)
    if (statusOf(error) >= 500) keepForReport(request, error)
    discardUnsent(request, result)
    return result
  } catch (thrown) {
    // What was thrown is reported by whoever answers it.
    if (thrown !== error && statusOf(error) >= 500) keepForReport(request, error)
    throw thrown
  }
}

/**
 * The errors from 500 on that error handlers have answered for a request; given once. The server logs
 * them; for middleware that had answered before, and lets go of what comes late.
 */
export function takeAnsweredErrors(request: HttpRequest): readonly unknown[] {
  if (answeredCount === 0) return NONE
  const errors = answered.get(request)
  if (errors === undefined) return NONE
  answered.delete(request)
  answeredCount--
  return errors
}

/**
 * For middleware that has answered already, such as a time limit, when what is inside comes to its
 * end: nobody else will report the errors from 500 on that an error handler has answered there, nor
 * take the fields that were meant for such an answer.
 *
 * @returns those errors, mostly none
 */
export function takeLateErrors(request: HttpRequest): readonly unknown[] {
  forgetErrorHeaders(request)
  return takeAnsweredErrors(request)
}

function keepForReport(request: HttpRequest, error: unknown): void {
  const errors = answered.get(request)
  if (errors === undefined) {
    answered.set(request, [error])
    answeredCount++
  } else errors.push(error)
}

export function isThenable(value: unknown): value is PromiseLike<Awaited<HandlerResult>> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  )
}
