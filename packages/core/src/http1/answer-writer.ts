// By name: the global is an accessor, which optimised code calls each time.
import { Buffer } from 'node:buffer'
import type { HeaderBlock } from '../header-block.ts'
import type { Clock } from '../transport.ts'
import { dateLine } from './http-date.ts'
import type { Output } from './output.ts'
import { chooseFraming, lengthError, statusHasBody } from './response-framing.ts'
import {
  CONNECTION_CLOSE,
  CONNECTION_DEFAULT,
  CONNECTION_KEEP_ALIVE,
  CONTINUE,
  FRAME_CHUNKED,
  FRAME_NONE,
  serializeInterimHead,
  serializeResponseHead,
} from './response-head.ts'

/** Writes the answers of one connection, whole or in parts, in the form that each request asks for. */
export class AnswerWriter {
  /** Of the answer begun last. */
  status = 0
  /** Bytes of its body so far, without framing. */
  bodyBytes = 0
  readonly #output: Output
  readonly #clock: Clock
  #isHead = false
  #isHttp10 = false
  #framing = 0

  constructor(output: Output, clock: Clock) {
    this.#output = output
    this.#clock = clock
  }

  /** Says what request is answered next. */
  begin(isHead: boolean, isHttp10: boolean): void {
    this.#isHead = isHead
    this.#isHttp10 = isHttp10
    this.status = 0
    this.bodyBytes = 0
  }

  writeContinue(): void {
    this.#output.addText(CONTINUE)
  }

  /**
   * Writes an answer before the final one (RFC 9110 §15.2).
   *
   * @returns false where there is none: HTTP/1.0 knows of no interim answers, and what a client
   *   that takes no bytes would be sent must not pile up
   */
  writeInterim(status: number, headers: HeaderBlock | null): boolean {
    if (this.#isHttp10 || this.#output.isBlocked) return false
    this.#output.addText(serializeInterimHead(status, headers))
    return true
  }

  /** True when the body begun last is followed by a trailer section (RFC 9112 §7.1.2). */
  get isChunked(): boolean {
    return this.#framing === FRAME_CHUNKED
  }

  /** @throws RrError RR_RESPONSE_LENGTH, before anything is written */
  writeWhole(
    status: number,
    headers: HeaderBlock | null,
    body: string | Uint8Array | null,
    keepAlive: boolean,
  ): void {
    const length = typeof body === 'string' ? Buffer.byteLength(body) : (body?.length ?? 0)
    const framing = chooseFraming(status, headers, body === null && this.#isHead ? -1 : length)
    const head = this.#serializeHead(status, headers, framing, keepAlive)
    if (body === null || this.#isHead || !statusHasBody(status)) {
      this.#output.addText(head)
      return
    }
    this.bodyBytes = length
    if (typeof body !== 'string') this.#output.addBytes(head, body, '')
    else if (length === body.length) this.#output.addAscii(head, body)
    else this.#output.addBytes(head, Buffer.from(body), '')
  }

  /** True for a body to come whose end only the end of the connection can show (RFC 9112 §6.3). */
  endsWithConnection(status: number, headers: HeaderBlock | null): boolean {
    return this.#streamFraming(status, headers) === FRAME_NONE && statusHasBody(status)
  }

  /**
   * Writes the head of an answer whose body is to come.
   *
   * @returns false when the answer has no body
   */
  writeHead(status: number, headers: HeaderBlock | null, keepAlive: boolean): boolean {
    this.#framing = this.#streamFraming(status, headers)
    this.#output.addText(this.#serializeHead(status, headers, this.#framing, keepAlive))
    return !this.#isHead && statusHasBody(status)
  }

  /** @throws RrError RR_RESPONSE_LENGTH when the body is longer than was announced */
  writeChunk(chunk: Uint8Array): void {
    const length = this.bodyBytes + chunk.length
    if (this.#framing >= 0 && length > this.#framing) throw lengthError(this.#framing, length)
    this.bodyBytes = length
    if (this.#framing === FRAME_CHUNKED) {
      this.#output.addBytes(`${chunk.length.toString(16)}\r\n`, chunk, '\r\n')
    } else {
      this.#output.addBytes('', chunk, '')
    }
  }

  /**
   * @param trailers sent where the framing has a place for them
   * @throws RrError RR_RESPONSE_LENGTH when the body is shorter than was announced
   */
  writeEnd(trailers: HeaderBlock | null): void {
    if (this.#framing >= 0 && this.bodyBytes < this.#framing) {
      throw lengthError(this.#framing, this.bodyBytes)
    }
    if (this.#framing === FRAME_CHUNKED) this.#output.addText(`0\r\n${trailers?.lines ?? ''}\r\n`)
  }

  #streamFraming(status: number, headers: HeaderBlock | null): number {
    if (!statusHasBody(status)) return chooseFraming(status, headers, 0)
    if (headers !== null && headers.contentLength >= 0) return headers.contentLength
    return this.#isHttp10 ? FRAME_NONE : FRAME_CHUNKED
  }

  #serializeHead(
    status: number,
    headers: HeaderBlock | null,
    framing: number,
    keepAlive: boolean,
  ): string {
    this.status = status
    this.bodyBytes = 0
    const persistence = keepAlive
      ? this.#isHttp10
        ? CONNECTION_KEEP_ALIVE
        : CONNECTION_DEFAULT
      : CONNECTION_CLOSE
    const date = dateLine(this.#clock.nowMs)
    return serializeResponseHead(status, headers, framing, persistence, date)
  }
}
