import type { EventEmitter } from 'node:events'
import type { Exchange, StreamSource } from './exchange.ts'
import { type TrailerSource, trailerBlock } from './response-trailers.ts'
import { toError } from './thrown-value.ts'

/** What one stream may send before others have their turn: a few hundred microseconds of work. */
const TURN_CHUNKS = 32
const TURN_BYTES = 262_144

/** What a body is pulled from: an iterator, or a stream's reader. */
export interface ChunkReader<Chunk = Uint8Array | string> {
  next(): Promise<IteratorResult<Chunk, unknown>>
  cancel(error: Error | null): void
}

export function chunkReader<Chunk>(
  body: AsyncIterable<Chunk> | ReadableStream<Chunk>,
): ChunkReader<Chunk> {
  if (body instanceof ReadableStream) {
    const reader = body.getReader()
    return {
      next: async () => {
        const { done, value } = await reader.read()
        return done ? { done: true, value: undefined } : { done: false, value }
      },
      cancel: (error) => void reader.cancel(error).catch(ignore),
    }
  }
  const iterator = body[Symbol.asyncIterator]()
  return {
    next: () => iterator.next(),
    cancel: () => void endIterator(iterator, body).catch(ignore),
  }
}

/**
 * A Node stream that fails while nobody listens ends the process: a file that is not there, before
 * its first chunk is asked for or after it was let go of. Whoever reads it is told all the same.
 */
export function guardNodeStream(body: object): void {
  if (!('pipe' in body && 'on' in body && typeof body.on === 'function')) return
  // Once, however many answers it goes through.
  const { listenerCount } = body as Partial<EventEmitter>
  if (listenerCount?.call(body, 'error', ignore) !== 1) body.on('error', ignore)
}

/** Lets go of an answer that nobody will get, whatever it is. */
export function discardValue(value: unknown): void {
  const body: unknown = (value as { body?: unknown } | null | undefined)?.body
  if (typeof body === 'object' && body !== null) discardBody(body)
}

/** Lets go of a body that nobody will get. */
export function discardBody(body: object): void {
  if (body instanceof ReadableStream) {
    if (!body.locked) void body.cancel().catch(ignore)
  } else {
    void endIterator(null, body).catch(ignore)
  }
}

/**
 * Ends an iterator. Async, so that one that is not what it should be cannot throw into whoever
 * stops it. A generator that is waiting inside next() runs its finally blocks once that has settled,
 * which for a Node stream that has nothing to give is never: those are destroyed as well.
 */
async function endIterator(iterator: AsyncIterator<unknown> | null, body: object): Promise<void> {
  if ('destroy' in body && typeof body.destroy === 'function') {
    guardNodeStream(body)
    body.destroy()
  }
  await iterator?.return?.()
}

/**
 * Sends a body as it is produced: one chunk at a time, waiting while the client does not take
 * what was sent, and stopping when it has gone.
 */
export class ResponseStream implements StreamSource {
  readonly #exchange: Exchange
  readonly #reader: ChunkReader
  readonly #trailers: TrailerSource | null
  #cancelled = false
  #resume: (() => void) | null = null

  constructor(exchange: Exchange, reader: ChunkReader, trailers: TrailerSource | null) {
    this.#exchange = exchange
    this.#reader = reader
    this.#trailers = trailers
  }

  /**
   * Sends all chunks and ends the answer.
   *
   * @returns null, or the error of the producer; the answer has then been cut off
   */
  async run(): Promise<Error | null> {
    try {
      let chunks = 0
      let bytes = 0
      while (!this.#cancelled) {
        const { done, value } = await this.#reader.next()
        if (this.#cancelled) break
        if (done) {
          await this.#end()
          break
        }
        const chunk = toBytes(value)
        if (!this.#exchange.writeStream(chunk)) await this.#writable()
        chunks++
        bytes += chunk.length
        // A producer that never waits, and a client that keeps up, would have the thread for
        // themselves: promises and drains come before any other connection's input.
        if (chunks >= TURN_CHUNKS || bytes >= TURN_BYTES) {
          await nextTurn()
          chunks = 0
          bytes = 0
        }
      }
      return null
    } catch (thrown) {
      if (this.#cancelled) return null
      const error = toError(thrown)
      this.#exchange.abortStream(error)
      this.#cancel(error)
      return error
    }
  }

  /** Ends the answer, with trailers where they are wanted. What fails in them cuts the connection. */
  async #end(): Promise<void> {
    const exchange = this.#exchange
    if (this.#trailers === null || !exchange.takesTrailers) {
      exchange.endStream(null)
      return
    }
    const trailers = trailerBlock(await this.#trailers())
    if (!this.#cancelled) exchange.endStream(trailers)
  }

  onWritable(): void {
    const resume = this.#resume
    this.#resume = null
    resume?.()
  }

  onCancel(error: Error | null): void {
    this.#cancel(error)
    this.onWritable()
  }

  #cancel(error: Error | null): void {
    if (this.#cancelled) return
    this.#cancelled = true
    this.#reader.cancel(error)
  }

  #writable(): Promise<void> {
    return new Promise((resolve) => {
      this.#resume = resolve
    })
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

function toBytes(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk
  if (typeof chunk === 'string') return Buffer.from(chunk)
  throw new TypeError(
    `a response stream yields Uint8Array or string chunks, not ${typeof chunk}; ` +
      'ndjson() sends the values of a stream in object mode',
  )
}

function ignore(): void {}
