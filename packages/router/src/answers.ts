import { empty, type HttpResponse, problem } from '@rr/core'

/** No pattern matches the path, and there is no fallback. */
export const NOT_FOUND: HttpResponse = Object.freeze(problem(404))

/** The path is not percent-encoded UTF-8, or has a dot segment. */
export const BAD_REQUEST: HttpResponse = Object.freeze(
  problem(400, { detail: 'the path has a dot segment or is not percent-encoded UTF-8' }),
)

const METHOD_NOT_ALLOWED: HttpResponse = problem(405)

/** Patterns match the path, but none has the method (RFC 9110 §15.5.6). */
export function methodNotAllowed(allow: string): HttpResponse {
  return METHOD_NOT_ALLOWED.with({ headers: { allow } })
}

/** The automatic answer to OPTIONS (RFC 9110 §9.3.7). */
export function allowedMethods(allow: string): HttpResponse {
  return empty({ headers: { allow } })
}
