import { isRequestWatched, noteError, publishError, watchRequest } from './diagnostics.ts'
import { isThenable, takeAnsweredErrors } from './error-handler.ts'
import { forgetErrorHeaders, hasErrorHeaders, takeErrorHeaders } from './error-headers.ts'
import { errorResponse, isClientFault, statusOf } from './error-response.ts'
import type { Exchange, RequestService } from './exchange.ts'
import type { Handler, RouteTable } from './handler.ts'
import type { HeaderBlock } from './header-block.ts'
import type { HttpOptions } from './http-options.ts'
import type { AccessEntry, HttpServiceOptions } from './http-service-options.ts'
import { HttpRequest } from './request.ts'
import { runInRequest } from './request-context.ts'
import { LogSource, SILENT_LOG } from './request-log.ts'
import { HttpResponse, type StreamBody } from './response.ts'
import { chunkReader, discardValue, ResponseStream } from './response-stream.ts'
import { acceptsTrailers } from './response-trailers.ts'
import { toResponse } from './response-value.ts'
import { type BodyLimitsLookup, type RouteLimitsLookup, RouteLimitsReader } from './route-limits.ts'
import { discardUnsent } from './unsent-bodies.ts'
import { isWebResponse, readWebResponse, sendWebResponse } from './web-response.ts'

/** Calls the handler of each request and sends what it answers: the semantics over any protocol. */
export class RequestDispatcher implements RequestService {
  bodyLimits: BodyLimitsLookup | null = null
  isExempt: ((method: string, path: string) => boolean) | null = null
  readonly #limits: HttpOptions
  #handler: Handler
  readonly #decompressBodies: boolean
  readonly #tellLog: HttpServiceOptions['onError']
  readonly #onAccess: ((entry: AccessEntry) => void) | null
  readonly #workerId: number
  readonly #log: LogSource
  readonly #requestContext: boolean
  readonly #isTimed: boolean

  constructor(options: HttpServiceOptions) {
    this.#limits = options.limits
    this.#limitRoutes(options.routeLimits ?? null)
    this.#handler = options.handler
    this.#decompressBodies = options.limits.decompressBodies
    this.#workerId = options.workerId ?? 1
    this.#log = options.log === undefined ? SILENT_LOG : new LogSource(options.log)
    this.#requestContext = options.limits.requestContext
    this.#tellLog = options.onError
    this.#onAccess = options.onAccess
    this.#isTimed = options.durations != null
  }

  /** For requests that begin from now on; those under way end as they began. */
  replaceRoutes({ handler, routeLimits }: RouteTable): void {
    this.#limitRoutes(routeLimits)
    this.#handler = handler
  }

  #limitRoutes(routeLimits: RouteLimitsLookup | null): void {
    const reader = routeLimits === null ? null : new RouteLimitsReader(routeLimits, this.#limits)
    this.bodyLimits = reader && ((method, path) => reader.bodyLimits(method, path))
    this.isExempt = reader && ((method, path) => reader.isExempt(method, path))
  }

  onRequest(exchange: Exchange): void {
    const request = new HttpRequest(exchange, this.#decompressBodies, this.#log)
    if (this.#isTimed) exchange.timed = request
    if (this.#onAccess !== null) this.#observe(exchange, request, this.#onAccess)
    if (this.#requestContext || isRequestWatched()) this.#runSeen(exchange, request)
    else this.#run(exchange, request, this.#handler)
  }

  /** Apart from `onRequest`, so that closures are made only where they are needed. */
  #runSeen(exchange: Exchange, request: HttpRequest): void {
    const run = (handler: Handler): void => {
      if (!this.#requestContext) this.#run(exchange, request, handler)
      else runInRequest(request, () => this.#run(exchange, request, handler))
    }
    if (!isRequestWatched()) run(this.#handler)
    else watchRequest(exchange, { request, workerId: this.#workerId }, this.#handler, run)
  }

  #run(exchange: Exchange, request: HttpRequest, handler: Handler): void {
    try {
      const result: unknown = handler(request)
      if (result instanceof HttpResponse) this.#send(exchange, request, result)
      else if (isThenable(result)) this.#await(exchange, request, result)
      else this.#sendAny(exchange, request, result)
    } catch (error) {
      exchange.handlerSettled()
      this.#fail(exchange, request, error)
    }
  }

  onListenerError(error: unknown, request: object): void {
    this.#onError(error, request as HttpRequest)
  }

  #await(exchange: Exchange, request: HttpRequest, result: PromiseLike<unknown>): void {
    const { sequence } = exchange
    exchange.awaitHandler()
    result.then(
      (value) => {
        exchange.handlerSettled()
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
        exchange.handlerSettled()
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
    noteError(request, error)
    if (isFailure) publishError(request, error, this.#workerId)
    const { status, headers, body } = errorResponse(error)
    exchange.respond(status, this.#errorHeaders(request, headers), body as string)
    if (isFailure) this.#tellLog(error, request)
  }

  #onError(error: unknown, request: HttpRequest): void {
    publishError(request, error, this.#workerId)
    this.#tellLog(error, request)
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

function withErrorHeaders(request: HttpRequest, answer: HttpResponse): HttpResponse {
  const headers = takeErrorHeaders(request, answer.headers)
  return new HttpResponse(answer.status, headers, answer.body, answer.trailers)
}
