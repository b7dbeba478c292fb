import type { HttpRequest } from './request.ts'
import type { ResponseValue } from './response.ts'

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
   * The most bytes that the body of such a request may have, in place of the server's
   * `maxBodyBytes`: lower or higher. Asked before `dispatch`, for requests with a body only; one
   * whose announced length is over the limit is answered 413 and never dispatched.
   *
   * @param path the target's path as in `HttpRequest.path`
   * @returns a whole number from 0, or undefined for the server's limit, which also holds when
   *   this returns anything else or throws
   */
  maxBodyBytes?(method: string, path: string): number | undefined
}

/** `Dispatcher.maxBodyBytes` by itself. */
export type RouteBodyLimit = (method: string, path: string) => number | undefined

/** What answers requests, ready to be called. */
export interface RouteTable {
  readonly handler: Handler
  /** The body limits of routes, where there are any. */
  readonly maxBodyBytes: RouteBodyLimit | null
}

/** Any web-standard application: Hono, H3, itty and others export one. */
export interface FetchApplication {
  /**
   * Answers one request; `sourceRequest` gives the rr request behind it. An rr response will do as
   * well: it can have what no `Response` has, such as trailers.
   */
  fetch(request: Request): HandlerResult
}
