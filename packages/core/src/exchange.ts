import type { DrainNotice } from './drain-notice.ts'
import type { ForwardingPolicy } from './forwarding.ts'
import type { HeaderBlock } from './header-block.ts'
import type { ReachedLimit } from './reached-limit.ts'
import type { RequestRefusalCause } from './refusal-entry.ts'
import type { BodyLimitsLookup } from './route-limits.ts'
import type { EndpointAddress, TlsFacts } from './transport.ts'

/** What a request's head says, whatever the protocol. */
export interface RequestFacts {
  readonly method: string
  /** The request target as it was sent (RFC 9112 §3.2). */
  readonly target: string
  /** The target's path, without the query; `*` for the asterisk form. */
  readonly path: string
  /** What follows the first `?` of the target; empty without one. */
  readonly queryString: string
  /** The authority of an absolute-form target, which overrides Host (RFC 9112 §3.2.2), or null. */
  readonly authority: string | null
  readonly httpVersion: '1.0' | '1.1' | '2'
  /** A string with the field lines (`name: value CRLF`) from `fieldsStart` on, as received. */
  readonly head: string
  readonly fieldsStart: number
}

/**
 * The hinge between a protocol connection and request/response semantics: one request and its
 * answer. Each protocol implements it once; semantics know nothing else of a protocol.
 *
 * After the answer is complete every method is a no-op, so a handler that is late harms nobody.
 */
export interface Exchange {
  /** Changes when the exchange ends: what holds an older number has outlived its request. */
  readonly sequence: number
  /** Valid only during `RequestService.onRequest`: what is kept of it is taken then. */
  readonly request: RequestFacts
  readonly hasBody: boolean
  /** Most bytes that this request's body may have: the route's limit, or the server's. */
  readonly maxBodyBytes: number
  /** Milliseconds that the client may take none of the bytes waiting for it; may be set. */
  sendTimeoutMs: number
  readonly peer: EndpointAddress
  readonly local: EndpointAddress
  readonly tls: TlsFacts | null
  /** Which proxies are believed what they say of their clients; null for none. */
  readonly forwarding: ForwardingPolicy | null

  /** Takes the body; null discards what is still to come. Set during `onRequest` at the latest. */
  bodySink: BodySink | null
  /** Why the exchange that ended last did so without its answer having been sent whole, or null. */
  readonly failure: Error | null
  /** Told when the exchange ends without its answer having been sent whole. */
  abortListener: ((error: Error) => void) | null
  /** True once the client has said that it sends no more (FIN) while its answer is owed. */
  readonly hasClientLeft: boolean
  /** Told when that happens. An answer may still reach a client that has closed its side only. */
  leaveListener: ((error: Error) => void) | null
  /** Told once, before the head of the final answer is written. */
  answerListener: ((status: number, headers: HeaderBlock | null) => void) | null
  /** What the connection was last told of a drain, also before this exchange; or null. */
  readonly drainNotice: DrainNotice | null
  /** Told of each notice that comes before the exchange ends. */
  drainListener: ((notice: DrainNotice) => void) | null
  /** Told once when the exchange ends: the status sent (0 for none) and the body's bytes. */
  endListener: ((status: number, bodyBytes: number) => void) | null
  /** What the duration of this exchange is counted for, where that is counted; see RequestDurations. */
  timed: TimedRequest | null

  /** A function of the application failed that no answer waits for. Never throws. */
  reportError(error: unknown, request: object): void
  /** The application asks for the body: answers `Expect: 100-continue`. */
  wantBody(): void
  pauseBody(): void
  resumeBody(): void

  /**
   * The handler has not settled yet. What the request holds it keeps until `handlerSettled`, even
   * when the exchange ends before: a client that leaves must not set the handlers free to pile up.
   */
  awaitHandler(): void
  handlerSettled(): void

  /**
   * Sends an interim answer (RFC 9110 §15.2) before the final one. False when it was not sent: the
   * answer has begun, the client's protocol has none, or it takes no bytes at the moment.
   */
  sendInterim(status: number, headers: HeaderBlock | null): boolean
  /** Answers with a whole body. */
  respond(status: number, headers: HeaderBlock | null, body: string | Uint8Array | null): void
  /** Answers with a body to come; `source` is told when it may go on or must stop. */
  startStream(status: number, headers: HeaderBlock | null, source: StreamSource): void
  /** Sends a part of the body; false means: wait for `onWritable`. */
  writeStream(chunk: Uint8Array): boolean
  /** True while a body is being sent that trailers can follow. */
  readonly takesTrailers: boolean
  /** @param trailers what follows the body; dropped where `takesTrailers` is false */
  endStream(trailers: HeaderBlock | null): void
  /** Ends the answer in a way that the client can tell from a complete one. */
  abortStream(error: Error): void
}

/** Adds a listener to those that are told when the exchange ends without a whole answer. */
export function addAbortListener(exchange: Exchange, listener: (error: Error) => void): void {
  const earlier = exchange.abortListener
  exchange.abortListener =
    earlier === null
      ? listener
      : (error) => {
          earlier(error)
          listener(error)
        }
}

/** Adds a listener to those that are told once when the exchange ends, in whatever way. */
export function addEndListener(
  exchange: Exchange,
  listener: (status: number, bodyBytes: number) => void,
): void {
  const earlier = exchange.endListener
  exchange.endListener =
    earlier === null
      ? listener
      : (status, bodyBytes) => {
          listener(status, bodyBytes)
          earlier(status, bodyBytes)
        }
}

/** Receives a request body. Chunks are owned by the receiver. */
export interface BodySink {
  onChunk(chunk: Uint8Array): void
  /** The body is complete; `trailers` holds the trailer field lines, often empty. */
  onEnd(trailers: string): void
  /** The body will never be complete. */
  onError(error: Error): void
}

/** Produces a response body. */
export interface StreamSource {
  onWritable(): void
  /** The client has gone, or takes no body (HEAD, 204, 304): stop producing. */
  onCancel(error: Error | null): void
}

/** What semantics offer to a protocol connection. */
export interface RequestService {
  /** A request head has arrived; its handler is called before this returns. */
  onRequest(exchange: Exchange): void
  /**
   * What limits the body of such a request, where that depends on the request; without it it does
   * not. Asked once for each request with a body, before it is refused or handled; may be another
   * one from then on.
   */
  readonly bodyLimits?: BodyLimitsLookup | null
  /** Whether such a request is served where admission refuses it. Asked then only. */
  readonly isExempt?: ((method: string, path: string) => boolean) | null
  /** `Exchange.reportError`, for the log. */
  onListenerError(error: unknown, request: object): void
}

/** What the duration of a request is counted by. Read when the exchange has ended. */
export interface TimedRequest {
  readonly method: string
  /** The pattern of its route, or null. */
  readonly route: string | null
}

/**
 * Counts how long requests take; called on the hot path. Reading the clock is most of what that
 * costs, so the requests of one batch of input share a reading at its start, and those of them that
 * are answered at once share one at its end, which is when their answers leave.
 */
export interface RequestDurations {
  /** When the batch began that is being read, in milliseconds; valid after `requestBegan`. */
  readonly batchStartMs: number
  /** A request of the batch that is being read has arrived. */
  requestBegan(): void
  /**
   * It has been answered before its handler returned; `batchEnded` follows.
   *
   * @param status 0 when nothing of an answer was sent
   */
  requestAnswered(request: TimedRequest, status: number): void
  /** An exchange that began at `startMs` has ended in any other way. */
  requestEnded(request: TimedRequest, status: number, startMs: number): void
  /** A batch of input has been read. */
  batchEnded(): void
}

/** Counts kept by whoever owns the connection; called on the hot path. */
export interface ConnectionMetrics {
  /** A request is handed to the application. */
  requestStarted(): void
  /** Its answer is complete, or cut off. */
  requestFinished(): void
  /**
   * A request refused: malformed, over a limit, too slow, or one too many. When that shows in its
   * body, a handler has been called, and it counts as started and finished too.
   */
  requestRejected(status: number, cause: RequestRefusalCause): void
  /** A client has met the bound of an option, and was refused or cut off for it. */
  limitReached(limit: ReachedLimit): void
}

/** Whether a thread has more than its share of the connections. */
export interface ConnectionShare {
  /**
   * How many of its keep-alive connections are to be closed with their next answer, so that their
   * clients connect anew, and most of them elsewhere.
   */
  readonly surplus: number
  /** One is being closed for it. */
  shed(): void
}
