import { decodeBody } from './body-decoding.ts'
import { type BodySource, cancelledError, collectBytes, sourceStream } from './body-source.ts'
import { RrError } from './errors.ts'
import type { BodySink, Exchange } from './exchange.ts'

/** How much of a body may wait for a slow reader before the client is made to wait. */
const HIGH_WATER_BYTES = 65_536
/** What a waiting chunk counts as at least: a byte costs an object of about that size. */
const LEAST_CHUNK_BYTES = 256

interface Waiter {
  resolve(chunk: Uint8Array | null): void
  reject(error: Error): void
}

/**
 * A request body between the protocol that delivers it and the handler that reads it. Chunks
 * queue up to a bound; past it the exchange is paused, so that a handler that does not read never
 * grows memory.
 */
export class RequestBody implements BodySink, BodySource {
  trailers = ''
  used = false
  /** Whether its Content-Encoding is undone for who reads it. */
  readonly decompress: boolean
  readonly #exchange: Exchange
  readonly #maxBytes: number
  readonly #chunks: Uint8Array[] = []
  #queuedBytes = 0
  #paused = false
  #ended = false
  #error: Error | null = null
  #waiter: Waiter | null = null

  constructor(exchange: Exchange, decompress: boolean) {
    this.decompress = decompress
    this.#exchange = exchange
    this.#maxBytes = exchange.maxBodyBytes
  }

  onChunk(chunk: Uint8Array): void {
    const waiter = this.#waiter
    if (waiter !== null) {
      this.#waiter = null
      waiter.resolve(chunk)
      return
    }
    this.#chunks.push(chunk)
    this.#queuedBytes += costOf(chunk)
    if (this.#queuedBytes >= HIGH_WATER_BYTES && !this.#paused) {
      this.#paused = true
      this.#exchange.pauseBody()
    }
  }

  onEnd(trailers: string): void {
    this.trailers = trailers
    this.#ended = true
    this.#paused = false
    this.#waiter?.resolve(null)
    this.#waiter = null
  }

  onError(error: Error): void {
    this.#error = error
    this.#paused = false
    this.#chunks.length = 0
    this.#waiter?.reject(error)
    this.#waiter = null
  }

  /** The next chunk, or null at the end. One call at a time. */
  read(): Promise<Uint8Array | null> {
    if (this.#error !== null) return Promise.reject(this.#error)
    const chunk = this.#chunks.shift()
    if (chunk !== undefined) {
      this.#queuedBytes -= costOf(chunk)
      this.#resumeWhenDrained()
      return Promise.resolve(chunk)
    }
    if (this.#ended) return Promise.resolve(null)
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject }
    })
  }

  /**
   * Gives the body to its one reader.
   *
   * @param contentEncoding the codings to undo (RFC 9110 §8.4), or null
   * @throws RrError RR_BODY_USED; RR_MEDIA_TYPE_UNSUPPORTED for a coding that is not known
   */
  open(contentEncoding: string | null): BodySource {
    const source =
      contentEncoding === null ? this : decodeBody(this, contentEncoding, this.#maxBytes)
    this.#use()
    return source
  }

  async bytes(contentEncoding: string | null): Promise<Uint8Array> {
    return collectBytes(this.open(contentEncoding))
  }

  stream(contentEncoding: string | null): ReadableStream<Uint8Array> {
    return sourceStream(this.open(contentEncoding))
  }

  /** What still comes is thrown away by the protocol. Whoever waits for it, or asks, is told. */
  cancel(): void {
    this.#chunks.length = 0
    this.#queuedBytes = 0
    if (this.#ended || this.#error !== null) return
    this.#error = cancelledError()
    this.#exchange.bodySink = null
    this.#resumeWhenDrained()
    this.#waiter?.reject(this.#error)
    this.#waiter = null
  }

  #use(): void {
    if (this.used) throw new RrError('RR_BODY_USED', 'the request body has been read already')
    this.used = true
    if (!this.#ended && this.#error === null) this.#exchange.wantBody()
  }

  #resumeWhenDrained(): void {
    if (!this.#paused || this.#queuedBytes >= HIGH_WATER_BYTES) return
    this.#paused = false
    this.#exchange.resumeBody()
  }
}

function costOf(chunk: Uint8Array): number {
  return Math.max(chunk.length, LEAST_CHUNK_BYTES)
}
