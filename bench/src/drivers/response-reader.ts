/**
 * Reads HTTP/1.1 answers as cheaply as it can: the status, how the body is framed, how long it is and
 * whether the connection stays open. It trusts the server under test and checks no more than it
 * needs to stay in step with it; no header is kept and no body is copied.
 */

/** What becomes of an answer. Nothing here may call back into the reader. */
export interface ResponseListener {
  /** The head of a final answer is there. True when it answers HEAD: then no body follows. */
  onHead(status: number): boolean
  /** An interim answer (RFC 9110 §15.2). */
  onInterim(status: number): void
  /** Body bytes, borrowed for the call; only while `wantsBody` is set. */
  onBody(bytes: Buffer, start: number, end: number): void
  /** The whole answer is there. */
  onResponse(status: number, bodyBytes: number, isReusable: boolean): void
}

const State = {
  head: 0,
  counted: 1,
  untilClose: 2,
  chunkSize: 3,
  chunkExtension: 4,
  chunkData: 5,
  chunkEnd: 6,
  trailer: 7,
} as const
type State = (typeof State)[keyof typeof State]

/** No server under test sends a head that long: it is out of step. */
const MAX_HEAD_BYTES = 64 * 1024
const INCOMPLETE = -1
const MALFORMED = -2
const LF = 10
const CR = 13
const SPACE = 32
const COLON = 58
const LOWER = 32
const LETTER_C = 99
const LETTER_L = 108
const LETTER_N = 110
const LETTER_T = 116
const UNKNOWN = -1
const CHUNKED = -2

export class ResponseReader {
  /** Set by the listener in `onHead` for the answers whose body it wants to see. */
  wantsBody = false
  readonly #listener: ResponseListener
  #state: State = State.head
  /** The start of a head whose end has not arrived. */
  #stash: Buffer | null = null
  #status = 0
  #isReusable = true
  #bodyBytes = 0
  /** Bytes of the body or of the chunk that are still to come. */
  #remaining = 0
  #isTrailerLineEmpty = true

  constructor(listener: ResponseListener) {
    this.#listener = listener
  }

  /** For a new connection. */
  reset(): void {
    this.#state = State.head
    this.#stash = null
    this.wantsBody = false
  }

  /** The peer has ended its side. False when it did so within an answer. */
  end(): boolean {
    if (this.#state === State.untilClose) this.#complete()
    return this.#state === State.head && this.#stash === null
  }

  /** False when the bytes make no sense: the connection is of no more use. */
  feed(input: Buffer, inputLength: number): boolean {
    let bytes = input
    let length = inputLength
    if (this.#stash !== null) {
      bytes = Buffer.concat([this.#stash, input.subarray(0, inputLength)])
      length = bytes.length
      this.#stash = null
    }
    let at = 0
    while (at < length) {
      if (this.#state === State.head) {
        const next = this.#readHead(bytes, at, length)
        if (next === INCOMPLETE) {
          // A copy: what came in is the caller's and is overwritten by the next read.
          this.#stash = Buffer.from(bytes.subarray(at, length))
          return this.#stash.length <= MAX_HEAD_BYTES
        }
        if (next === MALFORMED) return false
        at = next
      } else if (this.#state === State.counted || this.#state === State.untilClose) {
        at = this.#readBody(bytes, at, length)
      } else {
        at = this.#readChunked(bytes, at, length)
        if (at === MALFORMED) return false
      }
    }
    return true
  }

  /** One pass over the head, which looks at a line's name only where its first letter can matter. */
  #readHead(bytes: Buffer, start: number, length: number): number {
    // `HTTP/1.1 200`
    if (length - start < 12) return INCOMPLETE
    if (bytes[start] !== 72 || bytes[start + 8] !== SPACE) return MALFORMED
    const status =
      byteAt(bytes, start + 9) * 100 +
      byteAt(bytes, start + 10) * 10 +
      byteAt(bytes, start + 11) -
      48 * 111
    let bodyLength = UNKNOWN
    let isReusable = bytes[start + 7] !== 48
    let at = start + 12
    for (;;) {
      while (at < length && bytes[at] !== LF) at++
      at++
      // The head ends with CR LF, so a line is looked at only when two bytes of it are here.
      if (at + 1 >= length) return INCOMPLETE
      const first = byteAt(bytes, at)
      if (first === CR) break
      const letter = first | LOWER
      if (letter !== LETTER_C && letter !== LETTER_T) continue
      if (bytes[at + 14] === COLON && (byteAt(bytes, at + 8) | LOWER) === LETTER_L) {
        bodyLength = readDecimal(bytes, at + 15, length)
        if (bodyLength < 0) return bodyLength
      } else if (bytes[at + 10] === COLON && (byteAt(bytes, at + 3) | LOWER) === LETTER_N) {
        isReusable = !/close/i.test(lineAt(bytes, at, length)) && isReusable
      } else if (letter === LETTER_T && bytes[at + 17] === COLON) {
        if (/chunked\s*$/i.test(lineAt(bytes, at, length))) bodyLength = CHUNKED
      }
    }
    return this.#beginBody(status, bodyLength, isReusable) ? at + 2 : MALFORMED
  }

  /** RFC 9112 §6.3. */
  #beginBody(status: number, bodyLength: number, isReusable: boolean): boolean {
    if (!(status >= 100 && status <= 999) || status === 101) return false
    if (status < 200) {
      this.#listener.onInterim(status)
      return true
    }
    this.#status = status
    this.#isReusable = isReusable
    this.#bodyBytes = 0
    const isBodiless = this.#listener.onHead(status) || status === 204 || status === 304
    if (isBodiless || bodyLength === 0) {
      this.#complete()
    } else if (bodyLength === CHUNKED) {
      this.#remaining = 0
      this.#state = State.chunkSize
    } else if (bodyLength === UNKNOWN) {
      this.#isReusable = false
      this.#remaining = Number.POSITIVE_INFINITY
      this.#state = State.untilClose
    } else {
      this.#remaining = bodyLength
      this.#state = State.counted
    }
    return true
  }

  #readBody(bytes: Buffer, at: number, length: number): number {
    const end = Math.min(length, at + this.#remaining)
    if (this.wantsBody) this.#listener.onBody(bytes, at, end)
    this.#bodyBytes += end - at
    this.#remaining -= end - at
    if (this.#remaining === 0) this.#complete()
    return end
  }

  #readChunked(bytes: Buffer, at: number, length: number): number {
    if (this.#state === State.chunkData) return this.#readChunkData(bytes, at, length)
    const byte = byteAt(bytes, at)
    if (this.#state === State.chunkEnd) {
      if (byte === LF) this.#state = State.chunkSize
      else if (byte !== CR) return MALFORMED
    } else if (this.#state === State.trailer) {
      if (byte === LF) {
        if (this.#isTrailerLineEmpty) this.#complete()
        this.#isTrailerLineEmpty = true
      } else if (byte !== CR) {
        this.#isTrailerLineEmpty = false
      }
    } else if (byte === LF) {
      this.#isTrailerLineEmpty = true
      this.#state = this.#remaining === 0 ? State.trailer : State.chunkData
    } else if (this.#state === State.chunkSize) {
      const digit = hexDigit(byte)
      if (digit >= 0) this.#remaining = this.#remaining * 16 + digit
      else if (byte === CR || byte === SPACE || byte === 59) this.#state = State.chunkExtension
      else return MALFORMED
    }
    return at + 1
  }

  #readChunkData(bytes: Buffer, at: number, length: number): number {
    const end = Math.min(length, at + this.#remaining)
    if (this.wantsBody) this.#listener.onBody(bytes, at, end)
    this.#bodyBytes += end - at
    this.#remaining -= end - at
    if (this.#remaining === 0) this.#state = State.chunkEnd
    return end
  }

  #complete(): void {
    this.#state = State.head
    this.#listener.onResponse(this.#status, this.#bodyBytes, this.#isReusable)
    this.wantsBody = false
  }
}

/** 0 past the end, which is no byte that this reader looks for. */
function byteAt(bytes: Buffer, at: number): number {
  return bytes[at] ?? 0
}

/** A field's value as a number, INCOMPLETE when it goes to the end of what is there. */
function readDecimal(bytes: Buffer, start: number, length: number): number {
  let at = start
  while (bytes[at] === SPACE) at++
  let value = 0
  for (; at < length; at++) {
    const byte = byteAt(bytes, at)
    if (byte === CR || byte === SPACE) return value
    if (byte < 48 || byte > 57) return MALFORMED
    value = value * 10 + byte - 48
  }
  return INCOMPLETE
}

function lineAt(bytes: Buffer, start: number, length: number): string {
  let end = start
  while (end < length && bytes[end] !== CR) end++
  return bytes.toString('latin1', start, end)
}

function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48
  const letter = byte | LOWER
  return letter >= 97 && letter <= 102 ? letter - 87 : -1
}
