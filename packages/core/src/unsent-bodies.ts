import type { HttpRequest } from './request.ts'
import type { ResponseBody } from './response.ts'
import { discardBody } from './response-stream.ts'

/**
 * Streams that were answered with inside middleware. When it fails afterwards nobody else knows of
 * them, and each would keep its file or connection open.
 */
const unsent = new WeakMap<HttpRequest, Set<object>>()

export function keepUnsent(request: HttpRequest, body: ResponseBody): void {
  if (typeof body !== 'object' || body === null || body instanceof Uint8Array) return
  const bodies = unsent.get(request)
  if (bodies === undefined) unsent.set(request, new Set([body]))
  else bodies.add(body)
}

/**
 * For middleware that answers by itself when `next()` has rejected: lets go of the streams that were
 * answered with further in, before what failed. Error handlers need not; their answers do it.
 *
 * @param answer given in place of the error, which may have one of the streams for its body
 * @example
 * const fallback: Middleware = (request, next) =>
 *   next().catch(() => {
 *     discardUnsent(request)
 *     return text('try again later', { status: 503 })
 *   })
 */
export function discardUnsent(request: HttpRequest, answer: unknown = null): void {
  const bodies = unsent.get(request)
  if (bodies === undefined) return
  unsent.delete(request)
  const kept: unknown = (answer as { body?: unknown } | null | undefined)?.body
  for (const body of bodies) if (body !== kept) discardBody(body)
}
