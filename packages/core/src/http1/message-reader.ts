import type { RequestService } from '../exchange.ts'
import type { HttpOptions } from '../http-options.ts'
import type { BodyLimits } from '../route-limits.ts'
import { ChunkedBody, type ChunkedBodyFault } from './chunked-body.ts'
import { LLHTTP_OK, LLHTTP_PAUSED, llhttp, WINDOW_BYTES } from './llhttp.ts'
import { parseRefusal } from './parse-refusal.ts'
import { PartialHead } from './partial-head.ts'
import { REFUSALS, type Refusal } from './refusal.ts'
import { checkHeadLimits, RequestHead, readRequestHead } from './request-head.ts'

/** Heads are parsed from a window of this size: enough for nearly all, cheap to fill again. */
const HEAD_WINDOW_BYTES = 8192
const CR = 0x0d
const LF = 0x0a

const CHUNKED_REFUSALS: { readonly [fault in ChunkedBodyFault]: Refusal } = {
  'body-too-large': REFUSALS.bodyTooLarge,
  'chunk-extensions': REFUSALS.chunkExtensions,
  'trailers-too-large': REFUSALS.headerBlockTooLarge,
  'trailers-too-many': REFUSALS.headersTooMany,
  'trailer-forbidden': REFUSALS.trailerForbidden,
}

/** The head read last in this thread: valid until the next one, so take from it what is kept. */
export const requestHead: RequestHead = new RequestHead()
/** The parser at the start of a message, for whoever begins one. */
let idleParser = llhttp.acquire()

/**
 * Reads the messages of one connection, in whatever pieces they come. Between messages it holds
 * nothing: a parser is taken only for a message of which a part is here.
 */
export class MessageReader {
  /** How far the last call used its input. */
  position = 0
  /** Why the message is refused; nothing can be read after it. */
  refusal: Refusal | null = null
  /** True once the method is known to be HEAD. */
  isHead = false
  isBodyComplete = false
  /** Trailer field lines, once the body is complete. */
  trailers = ''
  /** Bytes to come of a body of known length. */
  remaining = 0
  /** What holds for the body. */
  bodyLimits: BodyLimits

  readonly #limits: HttpOptions
  readonly #service: Pick<RequestService, 'bodyLimits'>
  /** llhttp's state, while a head or a chunked body is only in part here; else 0. */
  #parser = 0
  #partial: PartialHead | null = null
  #chunked: ChunkedBody | null = null
  /** How much of an empty line has come before a request line: nothing, its CR, all of it. */
  #emptyLine = 0

  /** @param service whose limits may change from one request to the next */
  constructor(limits: HttpOptions, service: Pick<RequestService, 'bodyLimits'>) {
    this.#limits = limits
    this.#service = service
    this.bodyLimits = limits
  }

  /** True while a part of a head is here. */
  get hasPart(): boolean {
    return this.#partial !== null
  }

  /** @returns true when the head is whole, and in `requestHead` */
  readHead(bytes: Uint8Array, from: number, to: number): boolean {
    const partial = this.#partial
    if (partial === null) {
      const byte = bytes[from] as number
      if (byte === CR || byte === LF || this.#emptyLine === 1) {
        this.#readEmptyLine(byte, from)
        return false
      }
      llhttp.beginHead()
    } else {
      partial.restore(llhttp)
    }
    const seen = partial === null ? 0 : partial.length
    const parser = this.#parser === 0 ? idleParser : this.#parser
    const end = llhttp.load(bytes, from, to, HEAD_WINDOW_BYTES)
    const code = llhttp.executeHead(parser, from, end, seen)
    const stop = llhttp.consumed
    const length = seen + stop - from
    this.position = stop
    this.isHead = length > 4 && llhttp.isHead(parser)
    this.refusal = checkHeadLimits(llhttp, length, this.#limits)
    if (this.refusal !== null) return false
    if (code === LLHTTP_OK) {
      this.#keep(from, end)
      return false
    }
    if (code !== LLHTTP_PAUSED) {
      this.refusal = parseRefusal(llhttp, parser, length)
      return false
    }
    const rest = llhttp.text(from, stop)
    const text = partial === null ? rest : partial.text + rest
    this.refusal = readRequestHead(text, llhttp, parser, requestHead)
    if (this.refusal === null && requestHead.bodyLength !== 0) this.refusal = this.#limitBody()
    return this.refusal === null
  }

  /** After a whole head: gets ready for its body, if it has one. */
  beginBody(): void {
    const { bodyLength } = requestHead
    this.#partial = null
    this.#emptyLine = 0
    this.isBodyComplete = false
    this.trailers = ''
    if (bodyLength >= 0) {
      this.remaining = bodyLength
      this.release()
      return
    }
    this.#takeParser()
    llhttp.resume(this.#parser)
    this.#chunked = new ChunkedBody(this.#limits, this.bodyLimits.maxBodyBytes)
  }

  /**
   * Reads a part of the body.
   *
   * @param isWanted false when the data is thrown away
   * @returns the data, which is the caller's, or null when it is nothing
   */
  readBody(bytes: Uint8Array, from: number, to: number, isWanted: boolean): Uint8Array | null {
    return this.#chunked === null
      ? this.#readFixed(bytes, from, to, isWanted)
      : this.#readChunked(this.#chunked, bytes, from, to)
  }

  /** Lets go of what is held for a message. */
  release(): void {
    this.#partial = null
    this.#chunked = null
    if (this.#parser === 0) {
      llhttp.reset(idleParser)
    } else {
      llhttp.release(this.#parser)
      this.#parser = 0
    }
  }

  #limitBody(): Refusal | null {
    const { method, path, bodyLength } = requestHead
    const limitsOf = this.#service.bodyLimits ?? null
    this.bodyLimits = limitsOf === null ? this.#limits : limitsOf(method, path)
    return bodyLength > this.bodyLimits.maxBodyBytes ? REFUSALS.bodyTooLarge : null
  }

  /** Takes one CRLF before a request line (RFC 9112 §2.2), and no other empty line. */
  #readEmptyLine(byte: number, from: number): void {
    const isExpected = byte === (this.#emptyLine === 0 ? CR : LF)
    if (isExpected && this.#emptyLine < 2) this.#emptyLine++
    else this.refusal = REFUSALS.emptyLines
    this.position = from + 1
    this.isHead = false
  }

  #keep(from: number, to: number): void {
    this.#takeParser()
    this.#partial ??= new PartialHead()
    this.#partial.save(llhttp, llhttp.text(from, to))
  }

  #takeParser(): void {
    if (this.#parser !== 0) return
    this.#parser = idleParser
    idleParser = llhttp.acquire()
  }

  #readFixed(bytes: Uint8Array, from: number, to: number, isWanted: boolean): Uint8Array | null {
    const length = Math.min(to - from, this.remaining)
    this.remaining -= length
    this.isBodyComplete = this.remaining === 0
    this.position = from + length
    return isWanted ? copyBytes(bytes, from, length) : null
  }

  #readChunked(
    chunked: ChunkedBody,
    bytes: Uint8Array,
    from: number,
    to: number,
  ): Uint8Array | null {
    const end = llhttp.load(bytes, from, to, WINDOW_BYTES)
    const code = llhttp.executeBody(this.#parser, from, end, chunked)
    this.position = llhttp.consumed
    this.isBodyComplete = llhttp.messageComplete
    this.trailers = chunked.trailers
    if (chunked.fault !== null) {
      this.refusal = CHUNKED_REFUSALS[chunked.fault]
    } else if (code !== LLHTTP_OK && !this.isBodyComplete) {
      this.refusal = parseRefusal(llhttp, this.#parser, 1)
    }
    return this.refusal === null ? llhttp.decoded() : null
  }
}

function copyBytes(bytes: Uint8Array, from: number, length: number): Uint8Array {
  // Not from Node's pool: the application owns the whole ArrayBuffer, and sees nothing else in it.
  const copy = Buffer.allocUnsafeSlow(length)
  copy.set(bytes.subarray(from, from + length))
  return copy
}
