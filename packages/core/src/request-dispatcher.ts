import { isThenable, takeAnsweredErrors } from './error-handler.ts'
import { forgetErrorHeaders, hasErrorHeaders, takeErrorHeaders } from './error-headers.ts'
import { errorResponse, isClientFault, statusOf } from './error-response.ts'
import type { BodyLimit, Exchange, RequestService } from './exchange.ts'
import type { Handler, RouteBodyLimit } from './handler.ts'
import type { HeaderBlock } from './header-block.ts'
import type { AccessEntry, HttpServiceOptions } from './http-service-options.ts'
import { HttpRequest } from './request.ts'
import { HttpResponse, type StreamBody } from './response.ts'
import { chunkReader, discardValue, ResponseStream } from './response-stream.ts'
import { acceptsTrailers } from './response-trailers.ts'
import { toResponse } from './response-value.ts'
import { discardUnsent } from './unsent-bodies.ts'
import { isWebResponse, readWebResponse, sendWebResponse } from './web-response.ts'

/** Calls the handler of each request and sends what it answers: the semantics over any protocol. */
export class RequestDispatcher implements RequestService {
  readonly bodyLimit: BodyLimit | null
  readonly #handler: Handler
  readonly #decompressBodies: boolean
  readonly #onError: HttpServiceOptions['onError']
  readonly #onAccess: ((entry: AccessEntry) => void) | null
  readonly #isTimed: boolean

  constructor(options: HttpServiceOptions) {
    const { maxBodyBytes } = options
    this.bodyLimit =
      maxBodyBytes == null ? null : bodyLimit(maxBodyBytes, options.limits.maxBodyBytes)
    this.#handler = options.handler
    this.#decompressBodies = options.limits.decompressBodies
    this.#onError = options.onError
    this.#onAccess = options.onAccess
    this.#isTimed = options.durations != null
  }

  onRequest(exchange: Exchange): void {
    const request = new HttpRequest(exchange, this.#decompressBodies)
    if (this.#isTimed) exchange.timed = request
    if (this.#onAccess !== null) this.#observe(exchange, request, this.#onAccess)
    try {
      const handler = this.#handler
      const result: unknown = handler(request)
      if (result instanceof HttpResponse) this.#send(exchange, request, result)
      else if (isThenable(result)) this.#await(exchange, request, result)
      else this.#sendAny(exchange, request, result)
    } catch (error) {
      this.#fail(exchange, request, error)
    }
  }

  #await(exchange: Exchange, request: HttpRequest, result: PromiseLike<unknown>): void {
    const { sequence } = exchange
    result.then(
      (value) => {
        this.#reportAnswered(exchange, request, sequence)
        // The client may have gone, or been answered, while the handler was at work.
        if (exchange.sequence !== sequence) {
          forgetErrorHeaders(request)
          return discardValue(value)
        }
        try {
          this.#sendAny(exchange, request, value)
        } catch (error) {
          this.#fail(exchange, request, error)
        }
      },
      (error: unknown) => {
        this.#reportAnswered(exchange, request, sequence)
        if (exchange.sequence === sequence) return this.#fail(exchange, request, error)
        discardUnsent(request)
        forgetErrorHeaders(request)
        if (!isClientFault(error)) this.#onError(error, request)
      },
    )
  }

  #sendAny(exchange: Exchange, request: HttpRequest, value: unknown): void {
    if (value instanceof HttpResponse) this.#send(exchange, request, value)
    else if (isWebResponse(value) && hasErrorHeaders(request)) {
      // What is to change its headers needs a value to work on.
      this.#await(exchange, request, readWebResponse(value))
    } else if (isWebResponse(value)) {
      void sendWebResponse(exchange, value, (error) => this.#onError(error, request))
    } else this.#send(exchange, request, toResponse(value))
  }

  #send(exchange: Exchange, request: HttpRequest, answer: HttpResponse): void {
    const response = hasErrorHeaders(request) ? withErrorHeaders(request, answer) : answer
    const { body } = response
    if (body === null || typeof body === 'string' || body instanceof Uint8Array) {
      exchange.respond(response.status, response.headers, body)
    } else {
      this.#stream(exchange, request, response, body)
    }
  }

  #stream(
    exchange: Exchange,
    request: HttpRequest,
    { status, headers, trailers }: HttpResponse,
    body: StreamBody,
  ): void {
    const wanted = trailers !== null && acceptsTrailers(request.headers) ? trailers : null
    const stream = new ResponseStream(exchange, chunkReader(body), wanted)
    exchange.startStream(status, headers, stream)
    void stream.run().then((error) => {
      if (error === null || (exchange.hasClientLeft && isClientFault(error))) return
      this.#onError(error, request)
    })
  }

  /** Answers for a handler that failed. Nothing has been written: the protocol checks first. */
  #fail(exchange: Exchange, request: HttpRequest, error: unknown): void {
    // Who gives up because the client seems to have left has not failed.
    const isFailure = statusOf(error) >= 500 && !(exchange.hasClientLeft && isClientFault(error))
    discardUnsent(request)
    const { status, headers, body } = errorResponse(error)
    exchange.respond(status, this.#errorHeaders(request, headers), body as string)
    if (isFailure) this.#onError(error, request)
  }

  #errorHeaders(request: HttpRequest, headers: HeaderBlock | null): HeaderBlock | null {
    if (!hasErrorHeaders(request)) return headers
    try {
      return takeErrorHeaders(request, headers)
    } catch (error) {
      this.#onError(error, request)
      return headers
    }
  }

  /** What an error handler of the application has answered is for the log all the same. */
  #reportAnswered(exchange: Exchange, request: HttpRequest, sequence: number): void {
    for (const error of takeAnsweredErrors(request)) {
      const isHere = exchange.sequence === sequence && !exchange.hasClientLeft
      if (isHere || !isClientFault(error)) this.#onError(error, request)
    }
  }

  #observe(exchange: Exchange, request: HttpRequest, onAccess: (entry: AccessEntry) => void): void {
    const start = performance.now()
    // Asked for now, while the socket still knows: a client that has left has no address.
    void exchange.peer
    exchange.endListener = (status, bodyBytes) => {
      try {
        onAccess({ request, status, bodyBytes, durationMs: performance.now() - start })
      } catch (error) {
        // The exchange ends whatever its observer does.
        this.#onError(error, request)
      }
    }
  }
}

/** Whatever the application answers or throws, a request has a limit. */
function bodyLimit(ofRoute: RouteBodyLimit, ofServer: number): BodyLimit {
  return (method, path) => {
    try {
      const limit: unknown = ofRoute(method, path)
      return Number.isSafeInteger(limit) && (limit as number) >= 0 ? (limit as number) : ofServer
    } catch {
      return ofServer
    }
  }
}

function withErrorHeaders(request: HttpRequest, answer: HttpResponse): HttpResponse {
  const headers = takeErrorHeaders(request, answer.headers)
  return new HttpResponse(answer.status, headers, answer.body, answer.trailers)
}
