import type { Exchange, StreamSource } from './exchange.ts'
import type { StreamBody } from './response.ts'

/** What a body is pulled from: an iterator, or a stream's reader. */
export interface ChunkReader {
  next(): Promise<IteratorResult<Uint8Array | string, unknown>>
  cancel(error: Error | null): void
}

export function chunkReader(body: StreamBody): ChunkReader {
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
  let isStarted = false
  return {
    next: () => {
      isStarted = true
      return iterator.next()
    },
    // A generator that is waiting inside next() runs its finally blocks once that has settled.
    cancel: () => void endIterator(iterator, isStarted ? null : body).catch(ignore),
  }
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
 * stops it.
 *
 * @param unread the body when nothing has been read from it: its generator then has no finally
 *   block to run, and a Node stream would stay open
 */
async function endIterator(
  iterator: AsyncIterator<unknown> | null,
  unread: object | null,
): Promise<void> {
  if (unread !== null && 'destroy' in unread && typeof unread.destroy === 'function') {
    unread.destroy()
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
  #cancelled = false
  #resume: (() => void) | null = null

  constructor(exchange: Exchange, reader: ChunkReader) {
    this.#exchange = exchange
    this.#reader = reader
  }

  /**
   * Sends all chunks and ends the answer.
   *
   * @returns null, or the error of the producer; the answer has then been cut off
   */
  async run(): Promise<Error | null> {
    try {
      while (!this.#cancelled) {
        const { done, value } = await this.#reader.next()
        if (this.#cancelled) break
        if (done) {
          this.#exchange.endStream()
          break
        }
        if (!this.#exchange.writeStream(toBytes(value))) await this.#writable()
      }
      return null
    } catch (thrown) {
      if (this.#cancelled) return null
      const error = thrown instanceof Error ? thrown : new Error(String(thrown))
      this.#exchange.abortStream(error)
      this.#cancel(error)
      return error
    }
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

function toBytes(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk
  if (typeof chunk === 'string') return Buffer.from(chunk)
  throw new TypeError(`a response stream yields Uint8Array or string chunks, not ${typeof chunk}`)
}

function ignore(): void {}
