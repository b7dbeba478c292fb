import { RrError } from '../errors.ts'
import type {
  BodySink,
  ConnectionMetrics,
  Exchange,
  RequestService,
  StreamSource,
} from '../exchange.ts'
import { HeaderBlock } from '../header-block.ts'
import type { HttpOptions } from '../http-options.ts'
import type {
  Clock,
  EndpointAddress,
  ProtocolConnection,
  TlsFacts,
  Transport,
} from '../transport.ts'
import { ChunkedBody, type ChunkedBodyFault } from './chunked-body.ts'
import { dateLine } from './http-date.ts'
import { InputStash } from './input-stash.ts'
import { LLHTTP_OK, LLHTTP_PAUSED, llhttp, WINDOW_BYTES } from './llhttp.ts'
import { Output } from './output.ts'
import { parseRefusal } from './parse-refusal.ts'
import { PartialHead } from './partial-head.ts'
import { ReceivePace } from './receive-pace.ts'
import { REFUSALS, type Refusal, refusalText } from './refusal.ts'
import { checkHeadLimits, RequestHead, readRequestHead } from './request-head.ts'
import { chooseFraming, lengthError, statusHasBody } from './response-framing.ts'
import {
  CONNECTION_CLOSE,
  CONNECTION_DEFAULT,
  CONNECTION_KEEP_ALIVE,
  CONTINUE,
  FRAME_CHUNKED,
  FRAME_NONE,
  serializeResponseHead,
} from './response-head.ts'

/** What all connections of a listener share. */
export interface Http1Context {
  readonly limits: HttpOptions
  readonly clock: Clock
  readonly metrics: ConnectionMetrics
  readonly service: RequestService
}

// What is expected from the client (README.md has the figure).
/** The next request, of which nothing has come. */
const READ_AWAITING = 0
/** The rest of a head. */
const READ_HEAD = 1
/** The rest of a body of known length. */
const READ_FIXED = 2
/** The rest of a chunked body. */
const READ_CHUNKED = 3
/** Nothing: the request is whole, and what follows waits until it is answered. */
const READ_COMPLETE = 4
/** Nothing more: what still comes is dropped, so that the last answer is not lost to a reset. */
const READ_LINGERING = 5
const READ_CLOSED = 6

// What is owed to the client.
/** Nothing: there is no request. */
const WRITE_IDLE = 0
/** A whole answer. */
const WRITE_OWED = 1
/** The rest of an answer. */
const WRITE_STREAMING = 2
/** Nothing more, though the request's body is not all here yet. */
const WRITE_ANSWERED = 3

/** How much pipelined input may wait before reading stops. */
const STASH_BYTES = 65_536
/** Heads are parsed from a window of this size: enough for nearly all, cheap to fill again. */
const HEAD_WINDOW_BYTES = 8192

/** Facts of the request being read; valid while the handler is called, shared by the thread. */
const facts = new RequestHead()
/** The parser at the start of a message, for whoever begins one. */
let idleParser = llhttp.acquire()

const CHUNKED_REFUSALS: { readonly [fault in ChunkedBodyFault]: Refusal } = {
  'body-too-large': REFUSALS.bodyTooLarge,
  'chunk-extensions': REFUSALS.chunkExtensions,
  'trailers-too-large': REFUSALS.headersTooLarge,
  'trailer-forbidden': REFUSALS.trailerForbidden,
}
const REFUSAL_HEADERS = new HeaderBlock([['content-type', 'text/plain; charset=utf-8']])

/** Assigned by the class, which alone can reach its private parts. */
let settleLater: (connection: Http1Connection) => void

/**
 * One HTTP/1 connection (RFC 9112), sans-I/O: a read state, a write state, and the exchange of
 * the request being answered. Requests are handled one after the other: a pipelined one waits
 * until the answer before it is complete, so that the order can never be wrong.
 */
export class Http1Connection implements ProtocolConnection, Exchange {
  static {
    settleLater = (connection) => {
      connection.#isFlushPlanned = false
      connection.#settle()
    }
  }

  sequence = 0
  hasBody = false
  bodySink: BodySink | null = null
  failure: Error | null = null
  abortListener: ((error: Error) => void) | null = null
  endListener: ((status: number, bodyBytes: number) => void) | null = null

  readonly #transport: Transport
  readonly #context: Http1Context
  readonly #output: Output
  #read = READ_AWAITING
  #write = WRITE_IDLE
  /** llhttp's state, while a head or a chunked body is only in part here; else 0. */
  #parser = 0
  #partial: PartialHead | null = null
  #chunked: ChunkedBody | null = null
  #remaining = 0
  #stash: InputStash | null = null
  #pace: ReceivePace | null = null
  #emptyLine = 0
  #isConsuming = false
  #isFlushPlanned = false
  #isReadingPaused = false
  #isBodyPaused = false
  #isInputEnded = false
  #isDraining = false
  /** When an idle connection is closed. */
  #idleUntilMs: number
  #lingerUntilMs = 0
  #unsentBytes = 0
  #stalledUntilMs = 0
  // The request being answered.
  #isHead = false
  #isHttp10 = false
  #keepAlive = true
  #awaitsContinue = false
  #discardedBytes = 0
  // Its answer.
  #status = 0
  #bodyBytes = 0
  #framing = 0
  #source: StreamSource | null = null

  constructor(transport: Transport, context: Http1Context) {
    this.#transport = transport
    this.#context = context
    this.#output = new Output(transport)
    this.#idleUntilMs = context.clock.nowMs + context.limits.headersTimeoutMs
    transport.setDeadline(this.#idleUntilMs)
  }

  // ---- Exchange: facts ----

  get method(): string {
    return facts.method
  }
  get target(): string {
    return facts.target
  }
  get path(): string {
    return facts.path
  }
  get queryString(): string {
    return facts.queryString
  }
  get authority(): string | null {
    return facts.authority
  }
  get httpVersion(): '1.0' | '1.1' {
    return facts.httpVersion
  }
  get head(): string {
    return facts.text
  }
  get fieldsStart(): number {
    return facts.fieldsStart
  }
  get peer(): EndpointAddress {
    return this.#transport.peer
  }
  get local(): EndpointAddress {
    return this.#transport.local
  }
  get tls(): TlsFacts | null {
    return this.#transport.tls
  }

  // ---- ProtocolConnection: events ----

  onData(bytes: Uint8Array, offset: number, length: number): void {
    if (!this.#canRead()) return
    if (this.#stash !== null && this.#stash.length > 0) {
      this.#stash.keep(bytes, offset, offset + length)
    } else {
      try {
        this.#consume(bytes, offset, offset + length)
      } finally {
        llhttp.unload()
      }
    }
    this.#settle()
  }

  onEnd(): void {
    this.#isInputEnded = true
    this.#continueInput()
    this.#settle()
  }

  onDrain(): void {
    this.#output.isBlocked = false
    // A connection is idle from when its answer was sent, which a slow client takes long over.
    if (this.#read === READ_AWAITING && !this.#isDraining) this.#beginIdle()
    this.#source?.onWritable()
    this.#continueInput()
    this.#settle()
  }

  onDrainNotice(idleDeadlineMs: number): void {
    this.#isDraining = true
    this.#keepAlive = false
    this.#idleUntilMs = Math.min(this.#idleUntilMs, idleDeadlineMs)
    this.#updateDeadline()
  }

  onClose(error: Error | null): void {
    if (this.#read === READ_CLOSED) return
    const wasOwed = this.#write === WRITE_OWED || this.#write === WRITE_STREAMING
    this.#read = READ_CLOSED
    this.#releaseParser()
    this.#stash = null
    const status = this.#write === WRITE_STREAMING ? this.#status : 0
    if (wasOwed) this.#failExchange(status, abortedError(error))
    else this.#dropBody(abortedError(error))
  }

  onTimeout(): void {
    const { nowMs } = this.#context.clock
    if (this.#read === READ_LINGERING) {
      if (nowMs >= this.#lingerUntilMs) this.#endLinger(nowMs)
    } else if (this.#output.isBlocked) {
      this.#updateStall()
      if (nowMs >= this.#stalledUntilMs) this.#cutOff(stalledError())
    } else if (this.#read === READ_AWAITING) {
      if (nowMs >= this.#idleUntilMs) this.#shutDown()
    } else if (nowMs >= this.#receiveDeadlineMs()) {
      this.#refuse(REFUSALS.timeout)
    }
    this.#settle()
  }

  // ---- Input ----

  #canRead(): boolean {
    return this.#read < READ_LINGERING
  }

  #isReceivingBody(): boolean {
    return this.#read === READ_FIXED || this.#read === READ_CHUNKED
  }

  #consume(bytes: Uint8Array, from: number, to: number): void {
    this.#isConsuming = true
    try {
      let position = from
      while (position < to && this.#canRead()) {
        if (!this.#canContinue()) {
          this.#stash ??= new InputStash()
          this.#stash.keep(bytes, position, to)
          break
        }
        if (this.#read <= READ_HEAD) position = this.#readHead(bytes, position, to)
        else if (this.#read === READ_FIXED) position = this.#readFixed(bytes, position, to)
        else position = this.#readChunked(bytes, position, to)
      }
    } finally {
      this.#isConsuming = false
    }
  }

  /** Goes on with input that had to wait, and with its end. */
  #continueInput(): void {
    if (this.#isConsuming) return
    const stash = this.#stash
    if (stash !== null && stash.length > 0 && this.#canContinue()) {
      stash.drainInto((bytes, from, to) => this.#consume(bytes, from, to))
    }
    if (this.#isInputEnded && (stash === null || stash.length === 0)) this.#endInput()
  }

  #canContinue(): boolean {
    return this.#read < READ_COMPLETE && !(this.#output.isBlocked && this.#read <= READ_HEAD)
  }

  #readHead(bytes: Uint8Array, from: number, to: number): number {
    let position = from
    if (this.#read === READ_AWAITING) {
      const byte = bytes[position] as number
      if (byte === 0x0d || byte === 0x0a || this.#emptyLine === 1) {
        return this.#readEmptyLine(byte, position)
      }
      llhttp.beginHead()
    } else {
      this.#partial?.restore(llhttp)
    }
    const seen = this.#partial?.length ?? 0
    const parser = this.#parser === 0 ? idleParser : this.#parser
    const end = llhttp.load(bytes, position, to, HEAD_WINDOW_BYTES)
    const code = llhttp.executeHead(parser, position, end, seen)
    const stop = llhttp.consumed
    const length = seen + stop - position
    this.#isHead = length > 4 && llhttp.isHead(parser)
    const overLimit = checkHeadLimits(llhttp, length, this.#context.limits)
    if (overLimit !== null) {
      this.#refuse(overLimit)
      return to
    }
    if (code === LLHTTP_OK) {
      this.#keepHead(position, end)
      return end
    }
    if (code !== LLHTTP_PAUSED) {
      this.#refuse(parseRefusal(llhttp, parser, length))
      return to
    }
    let text = llhttp.text(position, stop)
    if (this.#partial !== null) text = this.#partial.text + text
    const refused = readRequestHead(text, llhttp, parser, this.#context.limits, facts)
    if (refused !== null) {
      this.#refuse(refused)
      return to
    }
    position = stop
    this.#beginExchange()
    return position
  }

  /** Takes one CRLF before a request line (RFC 9112 §2.2), and no other empty line. */
  #readEmptyLine(byte: number, position: number): number {
    if (byte === (this.#emptyLine === 0 ? 0x0d : 0x0a) && this.#emptyLine < 2) {
      this.#emptyLine++
    } else {
      this.#refuse(REFUSALS.emptyLines)
    }
    return position + 1
  }

  #keepHead(from: number, to: number): void {
    if (this.#parser === 0) {
      this.#parser = idleParser
      idleParser = llhttp.acquire()
    }
    if (this.#partial === null) {
      this.#partial = new PartialHead()
      this.#startPace()
    }
    this.#read = READ_HEAD
    this.#partial.save(llhttp, llhttp.text(from, to))
    this.#pace?.add(to - from)
  }

  #readFixed(bytes: Uint8Array, from: number, to: number): number {
    const length = Math.min(to - from, this.#remaining)
    this.#remaining -= length
    const isLast = this.#remaining === 0
    this.#deliverBody(this.bodySink === null ? null : copyBytes(bytes, from, length), length)
    // Over the bound on what is thrown away, the connection has been closed.
    if (isLast && this.#read === READ_FIXED) this.#endBody('')
    return from + length
  }

  #readChunked(bytes: Uint8Array, from: number, to: number): number {
    const chunked = this.#chunked as ChunkedBody
    const end = llhttp.load(bytes, from, to, WINDOW_BYTES)
    const code = llhttp.executeBody(this.#parser, from, end, chunked)
    const data = llhttp.decoded()
    const stop = llhttp.consumed
    const isComplete = llhttp.messageComplete
    if (chunked.fault !== null) {
      this.#refuse(CHUNKED_REFUSALS[chunked.fault])
      return to
    }
    if (code !== LLHTTP_OK && !isComplete) {
      this.#refuse(parseRefusal(llhttp, this.#parser, 1))
      return to
    }
    this.#deliverBody(data, stop - from)
    if (isComplete && this.#read === READ_CHUNKED) this.#endBody(chunked.trailers)
    return stop
  }

  /** @param wireBytes what the data took on the wire, framing included */
  #deliverBody(data: Uint8Array | null, wireBytes: number): void {
    this.#pace?.add(wireBytes)
    if (this.bodySink !== null) {
      if (data !== null) this.bodySink.onChunk(data)
      return
    }
    this.#discardedBytes += wireBytes
    const isWorthWhile = this.#discardedBytes <= this.#context.limits.maxDiscardBytes
    if (this.#write === WRITE_ANSWERED && !isWorthWhile) this.#shutDown()
  }

  #endBody(trailers: string): void {
    this.#read = READ_COMPLETE
    this.#awaitsContinue = false
    this.#releaseParser()
    const sink = this.bodySink
    this.bodySink = null
    this.#isBodyPaused = false
    sink?.onEnd(trailers)
    if (this.#write === WRITE_ANSWERED) this.#nextRequest()
  }

  /** The client sends no more (FIN), and what it sent has been read. */
  #endInput(): void {
    if (this.#read === READ_AWAITING) this.#shutDown()
    else if (this.#read === READ_COMPLETE) this.#keepAlive = false
    else if (this.#canRead()) this.#refuse(REFUSALS.incomplete)
  }

  // ---- The exchange ----

  #beginExchange(): void {
    this.#isHttp10 = facts.httpVersion === '1.0'
    this.#keepAlive = facts.keepAlive && !this.#isDraining
    this.#awaitsContinue = facts.expectContinue && facts.bodyLength !== 0
    this.#emptyLine = 0
    this.#discardedBytes = 0
    this.#partial = null
    this.#write = WRITE_OWED
    this.hasBody = facts.bodyLength !== 0
    if (this.hasBody) {
      this.#beginBody(facts.bodyLength)
    } else {
      this.#read = READ_COMPLETE
      this.#releaseParser()
    }
    this.#context.metrics.requestStarted()
    this.#context.service.onRequest(this)
  }

  #beginBody(length: number): void {
    if (this.#read === READ_AWAITING) this.#startPace()
    if (length < 0) {
      if (this.#parser === 0) {
        this.#parser = idleParser
        idleParser = llhttp.acquire()
      }
      llhttp.resume(this.#parser)
      this.#chunked = new ChunkedBody(this.#context.limits)
      this.#read = READ_CHUNKED
    } else {
      this.#releaseParser()
      this.#remaining = length
      this.#read = READ_FIXED
    }
  }

  #releaseParser(): void {
    this.#chunked = null
    if (this.#parser === 0) {
      llhttp.reset(idleParser)
    } else {
      llhttp.release(this.#parser)
      this.#parser = 0
    }
  }

  #startPace(): void {
    const { clock, limits } = this.#context
    this.#pace ??= new ReceivePace(limits)
    // The first head of a connection has its time from the start of the connection.
    const isFirst = this.sequence === 0 && !this.#isDraining
    const headUntilMs = isFirst ? this.#idleUntilMs : clock.nowMs + limits.headersTimeoutMs
    this.#pace.start(clock.nowMs, headUntilMs)
  }

  wantBody(): void {
    if (!this.#awaitsContinue || this.#write !== WRITE_OWED) return
    this.#awaitsContinue = false
    this.#output.addText(CONTINUE)
    this.#planFlush()
  }

  pauseBody(): void {
    if (this.bodySink === null) return
    this.#isBodyPaused = true
    this.#updateReading()
  }

  resumeBody(): void {
    if (!this.#isBodyPaused) return
    this.#isBodyPaused = false
    this.#settle()
  }

  // ---- Output ----

  respond(status: number, headers: HeaderBlock | null, body: string | Uint8Array | null): void {
    if (this.#write !== WRITE_OWED) return
    const length = typeof body === 'string' ? Buffer.byteLength(body) : (body?.length ?? 0)
    const framing = chooseFraming(status, headers, body === null && this.#isHead ? -1 : length)
    const head = this.#serializeHead(status, headers, framing)
    if (body === null || this.#isHead || !statusHasBody(status)) {
      this.#output.addText(head)
    } else {
      this.#bodyBytes = length
      if (typeof body !== 'string') this.#output.addBytes(head, body, '')
      else if (length === body.length) this.#output.addAscii(head, body)
      else this.#output.addBytes(head, Buffer.from(body), '')
    }
    this.#endAnswer()
  }

  startStream(status: number, headers: HeaderBlock | null, source: StreamSource): void {
    if (this.#write !== WRITE_OWED) {
      source.onCancel(null)
      return
    }
    const framing = this.#streamFraming(status, headers)
    this.#output.addText(this.#serializeHead(status, headers, framing))
    if (this.#isHead || !statusHasBody(status)) {
      source.onCancel(null)
      this.#endAnswer()
      return
    }
    this.#framing = framing
    this.#source = source
    this.#write = WRITE_STREAMING
    this.#planFlush()
  }

  #streamFraming(status: number, headers: HeaderBlock | null): number {
    if (!statusHasBody(status)) return chooseFraming(status, headers, 0)
    if (headers !== null && headers.contentLength >= 0) return headers.contentLength
    if (!this.#isHttp10) return FRAME_CHUNKED
    // Without framing the end of the connection is the end of the body (RFC 9112 §6.3).
    this.#keepAlive = false
    return FRAME_NONE
  }

  writeStream(chunk: Uint8Array): boolean {
    if (this.#write !== WRITE_STREAMING || chunk.length === 0) return true
    const length = this.#bodyBytes + chunk.length
    if (this.#framing >= 0 && length > this.#framing) throw lengthError(this.#framing, length)
    this.#bodyBytes = length
    if (this.#framing === FRAME_CHUNKED) {
      this.#output.addBytes(`${chunk.length.toString(16)}\r\n`, chunk, '\r\n')
    } else {
      this.#output.addBytes('', chunk, '')
    }
    this.#planFlush()
    return !this.#output.isBlocked
  }

  endStream(): void {
    if (this.#write !== WRITE_STREAMING) return
    if (this.#framing >= 0 && this.#bodyBytes < this.#framing) {
      throw lengthError(this.#framing, this.#bodyBytes)
    }
    if (this.#framing === FRAME_CHUNKED) this.#output.addText('0\r\n\r\n')
    this.#endAnswer()
  }

  abortStream(error: Error): void {
    if (this.#write !== WRITE_STREAMING) return
    this.#output.flush()
    this.#cutOff(error)
  }

  #serializeHead(status: number, headers: HeaderBlock | null, framing: number): string {
    if (headers?.close === true) this.#keepAlive = false
    // A client told to wait for 100 may send its body or not: nobody can tell what comes next.
    if (this.#awaitsContinue) this.#keepAlive = false
    if (this.#remaining > this.#context.limits.maxDiscardBytes) this.#keepAlive = false
    this.#status = status
    this.#bodyBytes = 0
    const persistence = this.#keepAlive
      ? this.#isHttp10
        ? CONNECTION_KEEP_ALIVE
        : CONNECTION_DEFAULT
      : CONNECTION_CLOSE
    const date = dateLine(this.#context.clock.nowMs)
    return serializeResponseHead(status, headers, framing, persistence, date)
  }

  /** The answer is complete. */
  #endAnswer(): void {
    const status = this.#status
    this.#write = WRITE_ANSWERED
    this.#finishExchange(status)
    if (this.bodySink !== null) this.#dropBody(answeredError())
    if (this.#read === READ_COMPLETE) this.#nextRequest()
    else if (!this.#keepAlive) this.#shutDown()
    if (!this.#isConsuming) {
      this.#continueInput()
      this.#planFlush()
    }
  }

  #nextRequest(): void {
    this.#write = WRITE_IDLE
    if (!this.#keepAlive) {
      this.#shutDown()
      return
    }
    this.#read = READ_AWAITING
    this.#isHead = false
    this.#beginIdle()
  }

  #beginIdle(): void {
    this.#idleUntilMs = this.#context.clock.nowMs + this.#context.limits.keepAliveTimeoutMs
  }

  #finishExchange(status: number): void {
    this.sequence++
    this.#source = null
    this.abortListener = null
    this.#context.metrics.requestFinished()
    const { endListener } = this
    if (endListener === null) return
    this.endListener = null
    endListener(status, this.#bodyBytes)
  }

  /** The exchange ends without a whole answer. */
  #failExchange(status: number, error: Error): void {
    const { abortListener } = this
    const source = this.#source
    this.failure = error
    this.#write = WRITE_ANSWERED
    this.#finishExchange(status)
    this.#dropBody(error)
    source?.onCancel(error)
    abortListener?.(error)
  }

  #dropBody(error: Error): void {
    const sink = this.bodySink
    this.bodySink = null
    this.#isBodyPaused = false
    sink?.onError(error)
  }

  /**
   * Refuses what the client sent: one error answer where one is still possible, then close. The
   * framing of what follows is in doubt, so nothing more is processed.
   */
  #refuse(refused: Refusal): void {
    const earlier = this.#write
    if (earlier !== WRITE_ANSWERED) this.#context.metrics.requestRejected(refused.status)
    this.#keepAlive = false
    if (earlier === WRITE_STREAMING) {
      this.abortStream(new RrError(refused.code, refused.reason))
      return
    }
    if (earlier !== WRITE_ANSWERED) this.#writeRefusal(refused)
    this.#shutDown()
    if (earlier === WRITE_OWED) {
      this.#failExchange(refused.status, new RrError(refused.code, refused.reason))
    }
  }

  #writeRefusal(refused: Refusal): void {
    const body = refusalText(refused)
    const head = this.#serializeHead(refused.status, REFUSAL_HEADERS, body.length)
    if (this.#isHead) {
      this.#output.addText(head)
    } else {
      this.#output.addText(head + body)
      this.#bodyBytes = body.length
    }
  }

  /** Sends what is left and closes; what the client still sends is read and dropped (RFC 9112 §9.6). */
  #shutDown(): void {
    if (this.#read >= READ_LINGERING) return
    this.#stopReading()
    this.#output.flush()
    this.#updateStall()
    this.#transport.end()
  }

  /** Closes at once, in a way that the client can tell from a regular end. `onClose` follows. */
  #cutOff(error: Error): void {
    this.#stopReading()
    this.#transport.destroy(error)
  }

  #stopReading(): void {
    this.#releaseParser()
    this.#stash = null
    this.#partial = null
    this.#isBodyPaused = false
    this.#read = READ_LINGERING
    this.#lingerUntilMs = this.#context.clock.nowMs + this.#context.limits.lingerTimeoutMs
  }

  /** The time to linger is over, but for a client that has been taking the answer all along. */
  #endLinger(nowMs: number): void {
    const wasSending = this.#unsentBytes > 0
    this.#updateStall()
    if (wasSending && nowMs < this.#stalledUntilMs) {
      this.#lingerUntilMs = nowMs + this.#context.limits.lingerTimeoutMs
    } else {
      this.#transport.destroy(wasSending ? stalledError() : undefined)
    }
  }

  // ---- After each event ----

  /** Sends the batch, and brings reading and the deadline in line with the state. */
  #settle(): void {
    if (this.#read === READ_CLOSED) return
    this.#output.flush()
    this.#updateReading()
    this.#updateDeadline()
  }

  /** Sends at the end of the turn, so that answers that come together leave together. */
  #planFlush(): void {
    if (this.#isConsuming || this.#isFlushPlanned) return
    this.#isFlushPlanned = true
    process.nextTick(settleLater, this)
  }

  #updateReading(): void {
    const stashed = this.#stash === null ? 0 : this.#stash.length
    const pause =
      this.#canRead() &&
      (this.#isBodyPaused || stashed > STASH_BYTES || (stashed > 0 && this.#output.isBlocked))
    this.#updatePace(pause)
    if (pause === this.#isReadingPaused) return
    this.#isReadingPaused = pause
    if (pause) this.#transport.pause()
    else this.#transport.resume()
  }

  /** A client is not slow while it is made to wait: for the reader, or for a 100 (Continue). */
  #updatePace(isReadingPaused: boolean): void {
    if (this.#pace === null) return
    const { nowMs } = this.#context.clock
    if (isReadingPaused || this.#awaitsContinue) this.#pace.pause(nowMs)
    else this.#pace.resume(nowMs)
  }

  #updateDeadline(): void {
    this.#transport.setDeadline(this.#deadlineMs())
  }

  #deadlineMs(): number {
    if (this.#read === READ_LINGERING) return this.#lingerUntilMs
    if (this.#output.isBlocked) {
      this.#updateStall()
      return this.#stalledUntilMs
    }
    this.#stalledUntilMs = 0
    if (this.#read === READ_AWAITING) return this.#idleUntilMs
    return this.#receiveDeadlineMs()
  }

  /** When what is still to come of a request is too slow. */
  #receiveDeadlineMs(): number {
    const isHead = this.#read === READ_HEAD
    if (this.#pace === null || !(isHead || this.#isReceivingBody())) return Number.POSITIVE_INFINITY
    return this.#pace.deadlineMs(isHead)
  }

  /** A client has time to take something, from when it last did, not all the time it wants. */
  #updateStall(): void {
    const { clock, limits } = this.#context
    const unsent = this.#transport.bufferedBytes
    if (this.#stalledUntilMs === 0 || unsent < this.#unsentBytes) {
      this.#stalledUntilMs = clock.nowMs + limits.sendTimeoutMs
    }
    this.#unsentBytes = unsent
  }
}

function copyBytes(bytes: Uint8Array, from: number, length: number): Uint8Array {
  // Not from Node's pool: the application owns the whole ArrayBuffer, and sees nothing else in it.
  const copy = Buffer.allocUnsafeSlow(length)
  copy.set(bytes.subarray(from, from + length))
  return copy
}

function abortedError(cause: Error | null): RrError {
  const message = 'the client closed the connection before its request was answered'
  return new RrError('RR_REQUEST_ABORTED', message, cause === null ? undefined : { cause })
}

function answeredError(): RrError {
  return new RrError('RR_REQUEST_ABORTED', 'the request was answered before its body was read')
}

function stalledError(): RrError {
  return new RrError('RR_REQUEST_ABORTED', 'the client took no bytes within sendTimeoutMs')
}
