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
 * @throws RrError RR_OPTION_INVALID; RR_HEADER_INVALID, RR_RESPONSE_INVALID as `text`
 * @example
 * app.get('/prices', (request) => sse(pricesSince(lastEventId(request))))
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
  return makeStreamResponse(HEADERS, new EventBody(source, heartbeatMs, maxCharacters), init)
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

class EventBody implements AsyncIterable<string> {
  readonly #source: SseSource
  readonly #heartbeatMs: number
  readonly #maxCharacters: number

  constructor(source: SseSource, heartbeatMs: number, maxCharacters: number) {
    this.#source = source
    this.#heartbeatMs = heartbeatMs
    this.#maxCharacters = maxCharacters
  }

  [Symbol.asyncIterator](): AsyncIterator<string, undefined> {
    const source = this.#source
    const reader =
      typeof source === 'function'
        ? new EventQueue(source, this.#maxCharacters)
        : serializedEvents(chunkReader(source))
    return new HeartbeatIterator(reader, this.#heartbeatMs)
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
