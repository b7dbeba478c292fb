import {
  type Channel,
  channel,
  type TracingChannel,
  tracingChannel,
} from 'node:diagnostics_channel'
import { isThenable } from './error-handler.ts'
import { addEndListener, type Exchange } from './exchange.ts'
import type { Handler } from './handler.ts'
import type { HeaderBlock } from './header-block.ts'
import type { RefusalEntry } from './refusal-entry.ts'
import type { HttpRequest } from './request.ts'
import { outsideRequests } from './request-context.ts'

/** An application protocol by its ALPN name (RFC 7301), HTTP/1.0 included. */
export type ProtocolName = 'http/1.0' | 'http/1.1' | 'h2'

/**
 * What the channels of requests are told: one object for each request, the same in all of them, so
 * that a subscriber can keep what it knows of the request by it (in a WeakMap). Fields are filled in
 * as the request goes on.
 */
export interface RequestMessage {
  /** The request. Its body is the handler's; reading it here would take it away. */
  readonly request: HttpRequest
  /** As `WorkerContext.workerId`. */
  readonly workerId: number
  readonly protocol: ProtocolName
  /** The template of the route, such as `/users/:id`; null before the router has matched, or without one. */
  readonly route: string | null
  /** When the head had been read, as `performance.now()` in milliseconds. */
  readonly startMs: number
  /** Of the answer: from `rr:request:response` on. At the end 0 where none was sent. */
  readonly status: number
  /** The answer's header fields as the application gave them; null before the answer or without any. */
  readonly headers: HeaderBlock | null
  /** What the handler gave, or what its promise gave: from `end` or `asyncEnd` of the tracing channel on. */
  readonly result: unknown
  /**
   * What the handler threw, whatever its status; what broke the answer's body; or why the answer was
   * not sent whole, such as a client that left. Null when nothing went wrong.
   */
  readonly error: unknown
  /** Bytes of the answer's body as sent, without framing; null before the end. */
  readonly bodyBytes: number | null
  /** Milliseconds from the head to the end of the answer; null before the end. */
  readonly durationMs: number | null
}

/** What `rr:refusal` is told: what `onRefusal` is, and where. */
export interface RefusalMessage extends RefusalEntry {
  readonly workerId: number
}

/** The channels of this package, by name, with what they are told. */
export interface RequestChannels {
  /** A request's head has been read; its handler is called next. */
  readonly 'rr:request:start': RequestMessage
  /** The head of the answer is about to be written. */
  readonly 'rr:request:response': RequestMessage
  /** The answer was sent whole, or never will be. Told once for each start. */
  readonly 'rr:request:end': RequestMessage
  /** A failure that is the server's: what the error log is told. */
  readonly 'rr:request:error': RequestMessage
  readonly 'rr:refusal': RefusalMessage
}

/** The names of the plain channels of this package. */
export const REQUEST_CHANNELS: readonly (keyof RequestChannels)[] = [
  'rr:request:start',
  'rr:request:response',
  'rr:request:end',
  'rr:request:error',
  'rr:refusal',
]

/**
 * The name for `tracingChannel()`: its `start`, `end`, `asyncStart`, `asyncEnd` and `error` are about
 * the call of the handler. Stores bound to `start` are those of the handler and of the answer's body.
 *
 * @example
 * tracingChannel(REQUEST_TRACING).start.bindStore(storage, (message) => makeSpan(message))
 */
export const REQUEST_TRACING = 'rr:request'

class Watched implements RequestMessage {
  readonly request: HttpRequest
  readonly workerId: number
  readonly protocol: ProtocolName
  readonly startMs: number = performance.now()
  status = 0
  headers: HeaderBlock | null = null
  result: unknown = undefined
  error: unknown = null
  bodyBytes: number | null = null
  durationMs: number | null = null

  constructor(request: HttpRequest, workerId: number) {
    this.request = request
    this.workerId = workerId
    this.protocol = request.httpVersion === '2' ? 'h2' : `http/${request.httpVersion}`
  }

  get route(): string | null {
    return this.request.route
  }
}

// Held here: the registry of Node keeps channels weakly.
const started: Channel = channel('rr:request:start')
const answered: Channel = channel('rr:request:response')
const ended: Channel = channel('rr:request:end')
const failed: Channel = channel('rr:request:error')
const refused: Channel = channel('rr:refusal')
const tracing: TracingChannel<Watched, Watched> = tracingChannel(REQUEST_TRACING)

const watched = new WeakMap<HttpRequest, Watched>()

/** The one check that a request pays for: 8 ns where nobody listens (docs/guide/diagnostics.md). */
export function isRequestWatched(): boolean {
  return (
    started.hasSubscribers ||
    ended.hasSubscribers ||
    answered.hasSubscribers ||
    tracing.hasSubscribers
  )
}

/** Tells of a request from now to its end. `handle` is given the handler to call, and sends what it answers. */
export function watchRequest(
  exchange: Exchange,
  message: { readonly request: HttpRequest; readonly workerId: number },
  handler: Handler,
  handle: (handler: Handler) => void,
): void {
  const state = new Watched(message.request, message.workerId)
  watched.set(state.request, state)
  // Asked for now: a client that has left has no address.
  void exchange.peer
  exchange.answerListener = (status, headers) => {
    exchange.answerListener = null
    state.status = status
    state.headers = headers
    answered.publish(state)
  }
  addEndListener(exchange, (status, bodyBytes) => {
    exchange.answerListener = null
    state.status = status
    state.bodyBytes = bodyBytes
    state.durationMs = performance.now() - state.startMs
    state.error ??= exchange.failure
    ended.publish(state)
  })
  outsideRequests(() => {
    started.publish(state)
    if (!tracing.hasSubscribers) handle(handler)
    else tracing.start.runStores(state, () => handle(traced(handler, state)))
  })
}

/** As `tracePromise` and `traceSync` do, which know either a promise or none. */
function traced(handler: Handler, state: Watched): Handler {
  const { end, asyncStart, asyncEnd, error } = tracing
  const fail = (thrown: unknown): void => {
    state.error = thrown
    error.publish(state)
  }
  const settle = (): void => {
    asyncStart.publish(state)
    asyncEnd.publish(state)
  }
  return (request) => {
    try {
      const result: unknown = handler(request)
      if (!isThenable(result)) {
        state.result = result
        return result as ReturnType<Handler>
      }
      const settled = Promise.resolve(result).then(
        (value) => {
          state.result = value
          settle()
          return value
        },
        (thrown: unknown) => {
          fail(thrown)
          settle()
          throw thrown
        },
      )
      return settled as ReturnType<Handler>
    } catch (thrown) {
      fail(thrown)
      throw thrown
    } finally {
      end.publish(state)
    }
  }
}

/** Keeps what a handler threw for those who hear of the end: that comes with the answer. */
export function noteError(request: HttpRequest, error: unknown): void {
  const state = watched.get(request)
  if (state !== undefined) state.error = error
}

/** Tells of a failure that is the server's. */
export function publishError(request: HttpRequest, error: unknown, workerId: number): void {
  if (!failed.hasSubscribers) return
  const state = watched.get(request) ?? new Watched(request, workerId)
  state.error = error
  failed.publish(state)
}

/** Whether anybody hears of refusals. */
export function isRefusalHeard(): boolean {
  return refused.hasSubscribers
}

/** Tells of what a client sent and no handler gets, or of a connection that was not let in. */
export function publishRefusal(entry: RefusalEntry, workerId: number): void {
  if (refused.hasSubscribers) refused.publish({ ...entry, workerId } satisfies RefusalMessage)
}
