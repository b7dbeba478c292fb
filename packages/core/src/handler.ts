import type { HttpRequest } from './request.ts'
import type { ResponseValue } from './response.ts'

/** What a handler may answer with: a response value or a standard `Response`, now or later. */
export type HandlerResult = ResponseValue | Response | Promise<ResponseValue | Response>

/** Answers requests. Whatever it throws becomes a 500, or the status of an HttpError. */
export type Handler<Params = Readonly<Record<string, string>>, State = unknown> = (
  request: HttpRequest<Params, State>,
) => HandlerResult

/** An object that answers requests, such as a router. */
export interface Dispatcher {
  /** Answers one request, as a handler does. */
  dispatch(request: HttpRequest): HandlerResult
}

/** Any web-standard application: Hono, H3, itty and others export one. */
export interface FetchApplication {
  /** Answers one request; `sourceRequest` gives the rr request behind it. */
  fetch(request: Request): Response | Promise<Response>
}
