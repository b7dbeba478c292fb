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
   * How large the body of such a request may be, where that is not for the server's option to say.
   *
   * @param path as `dispatch` finds it in the request
   */
  maxBodyBytes?(method: string, path: string): number | undefined
}

/** Any web-standard application: Hono, H3, itty and others export one. */
export interface FetchApplication {
  /** Answers one request; `sourceRequest` gives the rr request behind it. */
  fetch(request: Request): Response | Promise<Response>
}
