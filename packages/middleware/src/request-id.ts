import type { Middleware } from '@rr/core'

/** Puts the request's identifier into the answer. */
export function requestId(): Middleware {
  return async (request, next) => {
    const response = await next()
    return response.with({ headers: { 'x-request-id': request.id } })
  }
}
