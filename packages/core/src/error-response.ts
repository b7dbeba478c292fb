import { HttpError, RrError } from './errors.ts'
import { type HttpResponse, type ProblemDetails, problem } from './response.ts'

/** For what cannot even be looked at. */
const INTERNAL_ERROR = problem(500)

/**
 * The answer to what a handler threw, as rr gives it where the application has no handler of errors:
 * `application/problem+json` (RFC 9457) with the status of an HttpError or RrError, else 500. Below
 * 500 the error's message is the `detail`; from 500 on it is for the log only. The code of an RrError
 * is the member `code`. Never throws.
 *
 * @example
 * app.onError((error) => error instanceof NotUnique ? problem(409) : errorResponse(error))
 */
export function errorResponse(error: unknown): HttpResponse {
  try {
    return describeError(error)
  } catch {
    // Thrown values can be Proxies, of which any look can throw, and details can be circular.
    return INTERNAL_ERROR
  }
}

function describeError(error: unknown): HttpResponse {
  if (error instanceof RrError) {
    const { status, code, message, headers } = error
    const init = headers === null ? undefined : { headers }
    return problem(status, status < 500 ? { detail: message, code } : { code }, init)
  }
  if (!(error instanceof HttpError)) return INTERNAL_ERROR
  const { status, message, details } = error
  if (status >= 500) return problem(status)
  const members: ProblemDetails = message === '' ? {} : { detail: message }
  return problem(status, { ...members, ...details })
}

/** The status that answers what was thrown. */
export function statusOf(error: unknown): number {
  try {
    return error instanceof HttpError || error instanceof RrError ? error.status : 500
  } catch {
    return 500
  }
}

/** True for what a client brings about: not for the log. */
export function isClientFault(error: unknown): boolean {
  if (statusOf(error) < 500) return true
  try {
    return error instanceof Error && error.name === 'AbortError'
  } catch {
    return false
  }
}
