import { type HttpRequest, HttpResponse, type ResponseValue } from '@rr/core'
import type { RouteLookup, Router } from '../../src/index.ts'

/** As much of a request as a router sees and sets. */
export function fakeRequest(method: string, path: string): HttpRequest {
  const request = { method, path, params: {}, state: undefined, route: null }
  return request as unknown as HttpRequest
}

/** What the router answers, by a handler or by itself, as a plain value. */
export async function answer<Prefix extends string>(
  router: Router<Prefix>,
  method: string,
  path: string,
): Promise<ResponseValue> {
  const value = (await router.dispatch(fakeRequest(method, path))) as ResponseValue
  if (!(value instanceof HttpResponse)) return value
  const { status, headers, body } = value
  return { status, headers: Object.fromEntries(headers?.pairs ?? []), body }
}

/** The pattern that serves the request, or what happens instead. */
export function served<Prefix extends string>(
  router: Router<Prefix>,
  method: string,
  path: string,
): string {
  const lookup = router.find(method, path)
  return lookup.outcome === 'route' ? lookup.route.pattern : lookup.outcome
}

/** The parameters of the route that serves the request. */
export function paramsOf<Prefix extends string>(
  router: Router<Prefix>,
  method: string,
  path: string,
): Record<string, string> {
  const lookup: RouteLookup = router.find(method, path)
  if (lookup.outcome !== 'route') throw new Error(`${method} ${path}: ${lookup.outcome}`)
  return { ...lookup.params }
}

/** A handler for routes that are only looked up. */
export function unused(): ResponseValue {
  return { status: 200 }
}
