import type { HttpRequest } from './request.ts'
import type { ResponseValue } from './response.ts'
import type { RouteLimits } from './route-limits.ts'

/** What a handler may answer with: a response value or a standard `Response`, now or later. */
export type HandlerResult = ResponseValue | Response | Promise<ResponseValue | Response>

/** Answers requests. Whatever it throws becomes a 500, or the status of an HttpError. */
export type Handler<Params = Readonly<Record<string, string>>, State = unknown, Valid = unknown> = (
  request: HttpRequest<Params, State, Valid>,
) => HandlerResult

/** An object that answers requests, such as a router. */
export interface Dispatcher {
  /** Answers one request, as a handler does. */
  dispatch(request: HttpRequest): HandlerResult
  /**
   * The limits of such a request, in place of the server's. Asked before `dispatch`, once for a
   * request with a body (one whose announced length is over the limit is answered 413 and never
   * dispatched), and for one that is about to be refused for the load of the server.
   *
   * @param path the target's path as in `HttpRequest.path`
   * @returns the same object for the same route, or undefined for the server's limits, which hold
   *   too when this throws
   */
  routeLimits?(method: string, path: string): RouteLimits | undefined
}

/** Any web-standard application: Hono, H3, itty and others export one. */
export interface FetchApplication {
  /**
   * Answers one request; `sourceRequest` gives the rr request behind it. An rr response will do as
   * well: it can have what no `Response` has, such as trailers.
   */
  fetch(request: Request): HandlerResult
}
