import type { HeaderBlock } from './header-block.ts'
import type { HttpRequest } from './request.ts'

/** Makes headers of headers. What it throws is reported as an error of the handler. */
export type HeaderChange = (headers: HeaderBlock | null) => HeaderBlock | null

const changes = new WeakMap<HttpRequest, HeaderChange[]>()
/** Requests with changes that no answer has taken yet: 0 keeps every other answer from asking. */
let waiting = 0

/**
 * For middleware whose `next()` has rejected and that lets the error pass: changes the headers of
 * the answer that is made further out instead, by an error handler or the server. Without it an
 * error would lack what every answer must have, such as CORS fields. For middleware whose users
 * shall not have to think of that; what works on the whole answer of an error, its body too, is put
 * outside of `answerErrors()`.
 *
 * @example
 * try {
 *   return mark(await next())
 * } catch (error) {
 *   changeErrorHeaders(request, (headers) => markHeaders(headers))
 *   throw error
 * }
 */
export function changeErrorHeaders(request: HttpRequest, change: HeaderChange): void {
  const known = changes.get(request)
  if (known !== undefined) known.push(change)
  else {
    changes.set(request, [change])
    waiting++
  }
}

export function hasErrorHeaders(request: HttpRequest): boolean {
  return waiting > 0 && changes.has(request)
}

/** `headers` with all changes made, the innermost middleware's first. */
export function takeErrorHeaders(
  request: HttpRequest,
  headers: HeaderBlock | null,
): HeaderBlock | null {
  const list = changes.get(request) ?? []
  forgetErrorHeaders(request)
  return list.reduce((block, change) => change(block), headers)
}

/** Takes `changeErrorHeaders` back, for an answer that nobody gets. */
export function forgetErrorHeaders(request: HttpRequest): void {
  if (changes.delete(request)) waiting--
}
