import {
  discardUnsent,
  type HttpRequest,
  type Middleware,
  problem,
  resolveOptions,
  takeLateErrors,
} from '@rr/core'
import { checkFunction, checkKeys, invalidOption } from './option-checks.ts'
import { releaseBody } from './release-body.ts'

const WHERE = 'timeout()'

const TIME = {
  ms: {
    type: 'integer',
    default: 30_000,
    minimum: 1,
    maximum: 86_400_000,
    doc: 'Milliseconds until the answer is given up.',
  },
} as const

/** What `timeout` takes beside the time. */
export interface TimeoutOptions {
  /** Default 503; 504 for a handler that asks another server (RFC 9110 §15.6.5). */
  readonly status?: 503 | 504
  /**
   * Told of an error that comes after the client has been answered; default: console.error. What
   * is thrown because the signal aborted is not told.
   */
  readonly onLateError?: (error: unknown, request: HttpRequest) => void
}

/**
 * Answers 503 when what is inside takes longer than `ms` to answer. The handler runs on: it should
 * stop when `request.signal` aborts, whose reason is then a DOMException named TimeoutError. What it
 * answers later is let go of. The body of an answer that is streamed may take as long as it likes.
 *
 * @param ms 1 to 86400000, until there is an answer
 * @throws RrError RR_OPTION_UNKNOWN, RR_OPTION_INVALID
 * @example
 * composeMiddleware([timeout(2000)], async (request) => {
 *   const rows = await db.query(sql, { signal: request.signal })
 *   return json(rows)
 * })
 */
export function timeout(ms: number, options: TimeoutOptions = {}): Middleware {
  // Undefined would be the default of the table, and a limit has none.
  resolveOptions(TIME, { ms: ms ?? 0 }, WHERE)
  checkKeys(options, ['status', 'onLateError'], WHERE)
  checkFunction(WHERE, 'onLateError', options.onLateError)
  const { status = 503, onLateError = reportLate } = options
  if (status !== 503 && status !== 504) {
    throw invalidOption(WHERE, 'status', '503 or 504', status)
  }
  const tellLate = (error: unknown, request: HttpRequest): void => {
    try {
      if (!isStopped(request, error)) onLateError(error, request)
    } catch (failure) {
      reportLate(failure)
    }
  }
  return (request, next) =>
    new Promise((resolve, reject) => {
      let isExpired = false
      const timer = setTimeout(() => {
        isExpired = true
        request.abort(new DOMException(`no answer within ${ms} ms`, 'TimeoutError'))
        resolve(problem(status, { detail: `there was no answer within ${ms} ms` }))
      }, ms)
      next().then(
        (response) => {
          clearTimeout(timer)
          if (!isExpired) return resolve(response)
          releaseBody(response)
          for (const error of takeLateErrors(request)) tellLate(error, request)
        },
        (error: unknown) => {
          clearTimeout(timer)
          if (!isExpired) return reject(error)
          discardUnsent(request)
          for (const late of [...takeLateErrors(request), error]) tellLate(late, request)
        },
      )
    })
}

/** True for what a handler throws that was stopped by the signal. */
function isStopped({ signal }: HttpRequest, error: unknown): boolean {
  return error === signal.reason || (error instanceof Error && error.name === 'AbortError')
}

function reportLate(error: unknown): void {
  console.error('an error after the time for an answer had passed:', error)
}
