import { type DrainSource, endAtDrain, onceLeaving } from './end-at-drain.ts'
import { RrError } from './errors.ts'
import { EventQueue, type EventStreamStart } from './event-stream.ts'
import { HeaderBlock } from './header-block.ts'
import { HeartbeatIterator } from './heartbeat-iterator.ts'
import { type HttpResponse, makeStreamResponse, type ResponseInit } from './response.ts'
import { type ChunkReader, chunkReader, discardBody } from './response-stream.ts'
import { type ServerSentEvent, serializeEvent } from './server-sent-event.ts'

/** What events come from: an async iterable of them, or a function that sends them. */
export type SseSource =
  | AsyncIterable<ServerSentEvent>
  | ReadableStream<ServerSentEvent>
  | EventStreamStart

/** What `sse` takes beside the source. */
export interface SseInit extends ResponseInit {
  /**
   * After how long without an event a comment is sent, in ms, so that proxies do not give the
   * connection up and a client that has gone is noticed; default 15000, 0 turns it off. WHATWG HTML
   * §9.2.7 says about every 15 seconds.
   */
  readonly heartbeatMs?: number
  /** For a function: how much may wait for a slow client, in characters; default 1048576. */
  readonly maxQueuedCharacters?: number
  /**
   * The request that is answered: the stream then ends by itself at a notice of a drain, and an
   * EventSource connects again, to a server that stays. Without it an open stream holds a drain
   * until its deadline. As `endAtDrain`; of a function's stream, what was sent still goes out.
   */
  readonly drain?: DrainSource | null | undefined
  /**
   * What such a stream ends with, such as `{ retry: 500 }`: how long an EventSource waits before it
   * connects again. Default nothing.
   */
  readonly drainEvent?: ServerSentEvent | undefined
}

const HEARTBEAT_MS = 15_000
/** The longest time that a timer of Node takes. */
const MAX_HEARTBEAT_MS = 2_147_483_647
const MAX_QUEUED_CHARACTERS = 1_048_576

const HEADERS = new HeaderBlock([
  ['content-type', 'text/event-stream'],
  ['cache-control', 'no-cache'],
  // nginx, and what speaks like it, would hold events back until a buffer is full.
  ['x-accel-buffering', 'no'],
])

/**
 * An event stream, which a browser reads with EventSource (WHATWG HTML §9.2). Each event leaves at
 * once. When the client leaves, the iterable is ended or the signal of the function's stream
 * aborts; an error in either, and an event that cannot be sent, cuts the connection.
 *
 * @throws RrError RR_OPTION_INVALID; RR_HEADER_INVALID, RR_RESPONSE_INVALID as `text`, or for a
 *   `drainEvent` that cannot be sent
 * @example
 * app.get('/prices', (request) => sse(pricesSince(lastEventId(request)), { drain: request }))
 * app.get('/chat', () => sse((stream) => {
 *   const tell = (data: string) => stream.send({ data })
 *   chat.on('line', tell)
 *   stream.signal.addEventListener('abort', () => chat.off('line', tell))
 * }))
 */
export function sse(source: SseSource, init: SseInit = {}): HttpResponse {
  const heartbeatMs = checkWhole('heartbeatMs', init.heartbeatMs ?? HEARTBEAT_MS, MAX_HEARTBEAT_MS)
  const maxCharacters = checkWhole(
    'maxQueuedCharacters',
    init.maxQueuedCharacters ?? MAX_QUEUED_CHARACTERS,
    Number.MAX_SAFE_INTEGER,
  )
  if (typeof source !== 'function' && !isAsyncIterable(source)) {
    throw new RrError('RR_RESPONSE_INVALID', 'sse() takes an async iterable or a function')
  }
  const { drain = null, drainEvent } = init
  if (drain !== null && typeof drain?.onDrain !== 'function') {
    throw new RrError('RR_OPTION_INVALID', 'sse: drain takes the request that is answered')
  }
  if (drainEvent !== undefined) serializeEvent(drainEvent)
  const ending = drain === null ? null : { request: drain, event: drainEvent }
  return makeStreamResponse(
    HEADERS,
    new EventBody(source, heartbeatMs, maxCharacters, ending),
    init,
  )
}

/**
 * The id of the last event that a client which reconnects has seen (WHATWG HTML §9.2.4), or null.
 *
 * @param request an rr request or a standard one
 */
export function lastEventId(request: {
  readonly headers: { get(name: string): string | null }
}): string | null {
  const value = request.headers.get('last-event-id')
  // Sent as UTF-8, while header values are read a byte a character.
  return value === null || value === '' ? null : Buffer.from(value, 'latin1').toString('utf8')
}

function isAsyncIterable(source: unknown): boolean {
  return typeof source === 'object' && source !== null && Symbol.asyncIterator in source
}

function checkWhole(name: string, value: number, maximum: number): number {
  if (Number.isSafeInteger(value) && value >= 0 && value <= maximum) return value
  throw new RrError('RR_OPTION_INVALID', `sse: ${name} is a whole number up to ${maximum}`)
}

/** How a stream ends at a drain. */
interface DrainEnding {
  readonly request: DrainSource
  readonly event: ServerSentEvent | undefined
}

class EventBody implements AsyncIterable<string> {
  readonly #source: SseSource
  readonly #heartbeatMs: number
  readonly #maxCharacters: number
  readonly #ending: DrainEnding | null

  constructor(
    source: SseSource,
    heartbeatMs: number,
    maxCharacters: number,
    ending: DrainEnding | null,
  ) {
    this.#source = source
    this.#heartbeatMs = heartbeatMs
    this.#maxCharacters = maxCharacters
    this.#ending = ending
  }

  [Symbol.asyncIterator](): AsyncIterator<string, undefined> {
    const source = this.#source
    const reader = typeof source === 'function' ? this.#queue(source) : this.#events(source)
    return new HeartbeatIterator(reader, this.#heartbeatMs)
  }

  #queue(start: EventStreamStart): ChunkReader<string> {
    const queue = new EventQueue(start, this.#maxCharacters)
    const ending = this.#ending
    if (ending !== null) {
      onceLeaving(ending.request, () => {
        if (ending.event !== undefined) queue.send(ending.event)
        queue.close()
      })
    }
    return queue
  }

  #events(source: Exclude<SseSource, EventStreamStart>): ChunkReader<string> {
    const ending = this.#ending
    return serializedEvents(
      chunkReader(ending === null ? source : endAtDrain(source, ending.request, ending.event)),
    )
  }

  /** Nobody will read it. */
  destroy(): void {
    if (typeof this.#source !== 'function') discardBody(this.#source)
  }
}

function serializedEvents(reader: ChunkReader<ServerSentEvent>): ChunkReader<string> {
  return {
    next: async () => {
      const { done, value } = await reader.next()
      return done ? { done, value } : { done: false, value: serializeEvent(value) }
    },
    cancel: (error) => reader.cancel(error),
  }
}
