import { FORBIDDEN_TRAILERS } from '../forbidden-trailers.ts'
import type { HttpOptions } from '../http-options.ts'

/** Bytes of a chunk-size line that are not counted as extensions: 64 bits in hexadecimal. */
const CHUNK_LINE_ALLOWANCE = 16
/** What llhttp is answered with, to go on or to end the parse. */
const GO_ON = 0
const PAUSE = 21

export type ChunkedBodyFault =
  | 'body-too-large'
  | 'chunk-extensions'
  | 'trailers-too-large'
  | 'trailers-too-many'
  | 'trailer-forbidden'

/**
 * A chunked body between two reads: how much has come, and what its framing has cost. llhttp does
 * the decoding (RFC 9112 §7.1) and tells where the data and the trailers are; extensions it passes
 * over in silence, so their length is what lies between two pieces of data.
 */
export class ChunkedBody {
  /** The limit that was broken; the parse ends where it is. */
  fault: ChunkedBodyFault | null = null
  /** Bytes of the body's encoded form parsed so far. */
  seen = 0
  /** Bytes of data so far. */
  length = 0
  /** Trailer field lines, each with its CRLF once the body is complete. */
  trailers = ''
  readonly #limits: HttpOptions
  readonly #maxBodyBytes: number
  #dataEnd = 0
  #isFirstLine = true
  #extensionBytes = 0
  #trailersStart = -1
  #trailerCount = 0
  #trailerName = ''
  #inTrailerName = false

  /** @param maxBodyBytes the limit of this body, in place of that in `limits` */
  constructor(limits: HttpOptions, maxBodyBytes: number) {
    this.#limits = limits
    this.#maxBodyBytes = maxBodyBytes
  }

  /** A piece of data at `start`, counted from the body's first encoded byte. */
  data(start: number, length: number): number {
    if (start !== this.#dataEnd) this.#countLine(start - this.#dataEnd)
    if (this.length + length > this.#maxBodyBytes) this.fault ??= 'body-too-large'
    if (this.fault !== null) return PAUSE
    this.length += length
    this.#dataEnd = start + length
    return GO_ON
  }

  /** A trailer's name, or a part of one where it was cut by the end of the input. */
  trailerName(start: number, part: string): number {
    if (!this.#inTrailerName) {
      if (this.#trailersStart < 0) this.#beginTrailers(start)
      else this.trailers += '\r\n'
      this.#inTrailerName = true
      this.#trailerName = ''
    }
    this.#trailerName += part
    this.trailers += part
    return this.fault === null ? GO_ON : PAUSE
  }

  trailerValue(part: string): number {
    if (this.#inTrailerName) {
      this.#inTrailerName = false
      this.#trailerCount++
      if (this.#trailerCount > this.#limits.maxHeaders) this.fault ??= 'trailers-too-many'
      if (FORBIDDEN_TRAILERS.has(this.#trailerName.toLowerCase())) {
        this.fault ??= 'trailer-forbidden'
      }
      this.trailers += ':'
    }
    this.trailers += part
    return this.fault === null ? GO_ON : PAUSE
  }

  /**
   * The input, the body or what can be parsed of it ends at `position`.
   *
   * @param isInTrailers true when that is known, though no name has been told
   */
  endInput(position: number, complete: boolean, isInTrailers: boolean): void {
    this.seen = position
    if (this.#trailersStart < 0) {
      if (!isInTrailers) this.#countUnfinishedLine(position)
      return
    }
    // The line that ends the body is not one of the trailers, nor is its CR if it has come to that.
    const block = position - this.#trailersStart - (complete ? 2 : 1)
    if (block > this.#limits.maxHeaderBlockBytes) this.fault ??= 'trailers-too-large'
    if (complete) this.trailers += '\r\n'
  }

  #beginTrailers(start: number): void {
    this.#trailersStart = start
    this.#countLine(start - this.#dataEnd)
  }

  /** Counts a chunk-size line with its CRLF and, but for the first, the CRLF of the chunk before. */
  #countLine(bytes: number): void {
    const line = bytes - (this.#isFirstLine ? 2 : 4)
    this.#isFirstLine = false
    if (line > CHUNK_LINE_ALLOWANCE) this.#extensionBytes += line - CHUNK_LINE_ALLOWANCE
    if (this.#extensionBytes > this.#limits.maxChunkExtensionBytes)
      this.fault ??= 'chunk-extensions'
  }

  /** The same for a line whose end is not known to have come: what is surely too long already. */
  #countUnfinishedLine(position: number): void {
    // As above, with the CRLF that ends a body without trailers.
    const line = position - this.#dataEnd - (this.#isFirstLine ? 4 : 6)
    const bytes = this.#extensionBytes + Math.max(0, line - CHUNK_LINE_ALLOWANCE)
    if (bytes > this.#limits.maxChunkExtensionBytes) this.fault ??= 'chunk-extensions'
  }
}
