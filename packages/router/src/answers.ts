import type { ResponseValue } from '@rr/core'

const PLAIN_TEXT = Object.freeze({ 'content-type': 'text/plain; charset=utf-8' })

/** No pattern matches the path, and there is no fallback. */
export const NOT_FOUND: ResponseValue = plainText(404, 'Not Found')

/** The path is not percent-encoded UTF-8, or has a dot segment. */
export const BAD_REQUEST: ResponseValue = plainText(400, 'Bad Request')

/** Patterns match the path, but none has the method (RFC 9110 §15.5.6). */
export function methodNotAllowed(allow: string): ResponseValue {
  return { status: 405, headers: { ...PLAIN_TEXT, allow }, body: 'Method Not Allowed' }
}

/** The automatic answer to OPTIONS (RFC 9110 §9.3.7). */
export function allowedMethods(allow: string): ResponseValue {
  return { status: 204, headers: { allow }, body: null }
}

function plainText(status: number, body: string): ResponseValue {
  return Object.freeze({ status, headers: PLAIN_TEXT, body })
}
