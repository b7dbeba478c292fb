import { type ChunkReader, chunkReader, type StreamBody } from '@rr/core'
import { type Compressor, type Encoder, MAX_WRITE_BYTES } from './content-codings.ts'

const DONE = { done: true, value: undefined } as const

/**
 * A streamed body, compressed while it is sent. Each chunk of the source is flushed, so that an
 * event reaches the client when it is produced; one is read only when the one before has been
 * taken. When the answer is given up, so is the source, also while it is being waited for: that is
 * why this is no generator.
 */
export class CompressedBody implements AsyncIterableIterator<Uint8Array> {
  readonly #source: ChunkReader
  readonly #compressor: Compressor
  #encoder: Encoder | null = null
  /** What is left of the chunk read last. */
  #rest: Uint8Array | null = null
  #isEnded = false

  constructor(source: StreamBody, compressor: Compressor) {
    this.#source = chunkReader(source)
    this.#compressor = compressor
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    while (!this.#isEnded) {
      const output = await this.#step()
      if (output !== null && output.length > 0) return { done: false, value: output }
    }
    return DONE
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.destroy()
    return DONE
  }

  /** Lets go of the source and of the encoder's memory. */
  destroy(): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#source.cancel(null)
    this.#encoder?.destroy()
  }

  /** One write, or the end; null while there is nothing to give out. */
  async #step(): Promise<Uint8Array | null> {
    if (this.#rest === null) {
      const { done, value } = await this.#source.next()
      // Given up while the source was waited for.
      if (this.#isEnded) return null
      if (done === true) return await this.#finish()
      this.#rest = toBytes(value)
    }
    const part = this.#rest.subarray(0, MAX_WRITE_BYTES)
    this.#rest = part.length < this.#rest.length ? this.#rest.subarray(part.length) : null
    return part.length === 0 ? null : await this.#write(part)
  }

  #write(part: Uint8Array): Promise<Uint8Array | null> {
    const encoder = this.#startEncoder()
    return new Promise((resolve, reject) => {
      encoder.write(part, (error) => {
        if (error === null || error === undefined) resolve(encoder.read())
        else if (this.#isEnded) resolve(null)
        else reject(error)
      })
    })
  }

  async #finish(): Promise<Uint8Array | null> {
    const encoder = this.#startEncoder()
    const output = await new Promise<Uint8Array | null>((resolve) => {
      const parts: Uint8Array[] = []
      encoder.on('data', (part: Uint8Array) => parts.push(part))
      encoder.once('end', () => resolve(Buffer.concat(parts)))
      encoder.once('close', () => resolve(null))
      encoder.end()
    })
    this.#isEnded = true
    encoder.destroy()
    return output
  }

  #startEncoder(): Encoder {
    if (this.#encoder === null) {
      this.#encoder = this.#compressor.createEncoder()
      // Whoever writes is told; an event that nobody hears would end the process.
      this.#encoder.on('error', () => {})
    }
    return this.#encoder
  }
}

function toBytes(chunk: unknown): Uint8Array {
  if (typeof chunk === 'string') return Buffer.from(chunk)
  if (chunk instanceof Uint8Array) return chunk
  throw new TypeError(`a response stream yields Uint8Array or string chunks, not ${typeof chunk}`)
}
