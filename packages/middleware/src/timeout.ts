import {
  discardBody,
  type HttpRequest,
  type HttpResponse,
  type Middleware,
  problem,
  resolveOptions,
} from '@rr/core'
import { checkFunction, checkKeys, invalidOption } from './option-checks.ts'

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
 * stop when `timeoutSignal(request)` aborts. What it answers later is let go of. The body of an
 * answer that is streamed may take as long as it likes.
 *
 * @param ms 1 to 86400000, until there is an answer
 * @throws RrError RR_OPTION_UNKNOWN, RR_OPTION_INVALID
 * @example
 * composeMiddleware([timeout(2000)], async (request) => {
 *   const rows = await db.query(sql, { signal: timeoutSignal(request) })
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
  return (request, next) => {
    const limit = new TimeLimit(limits.get(request) ?? null, request)
    limits.set(request, limit)
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        limit.expire()
        resolve(problem(status, { detail: `there was no answer within ${ms} ms` }))
      }, ms)
      next().then(
        (response) => {
          clearTimeout(timer)
          if (limit.isExpired) discard(response)
          else resolve(response)
        },
        (error: unknown) => {
          clearTimeout(timer)
          if (!limit.isExpired) reject(error)
          else if (!limit.isReason(error)) onLateError(error, request)
        },
      )
    })
  }
}

/**
 * A signal that aborts when a `timeout` around the handler has passed, or when the client goes:
 * `request.signal` alone tells of the client only. Its reason is then a DOMException named
 * TimeoutError. Without a `timeout` it is `request.signal`.
 *
 * @example
 * const answer = await fetch(upstream, { signal: timeoutSignal(request) })
 */
export function timeoutSignal(request: HttpRequest): AbortSignal {
  return limits.get(request)?.signal ?? request.signal
}

const limits = new WeakMap<HttpRequest, TimeLimit>()

/** The innermost limit of a request, with those around it. Signals are made when asked for. */
class TimeLimit {
  isExpired = false
  readonly #outer: TimeLimit | null
  readonly #request: HttpRequest
  #controller: AbortController | null = null
  #signal: AbortSignal | null = null

  constructor(outer: TimeLimit | null, request: HttpRequest) {
    this.#outer = outer
    this.#request = request
  }

  get signal(): AbortSignal {
    if (this.#signal === null) {
      this.#controller = new AbortController()
      if (this.isExpired) this.#controller.abort(timeoutError())
      const outer = this.#outer === null ? this.#request.signal : this.#outer.signal
      this.#signal = AbortSignal.any([this.#controller.signal, outer])
    }
    return this.#signal
  }

  expire(): void {
    this.isExpired = true
    this.#controller?.abort(timeoutError())
  }

  /** True for what a handler throws that was stopped by the signal. */
  isReason(error: unknown): boolean {
    const signal = this.#signal
    if (signal === null || !signal.aborted) return false
    return error === signal.reason || (error instanceof Error && error.name === 'AbortError')
  }
}

function timeoutError(): DOMException {
  return new DOMException('the time for an answer has passed', 'TimeoutError')
}

function discard({ body }: HttpResponse): void {
  if (typeof body === 'object' && body !== null && !(body instanceof Uint8Array)) discardBody(body)
}

function reportLate(error: unknown): void {
  console.error('an error after the time for an answer had passed:', error)
}
