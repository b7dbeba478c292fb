// Longer than most files here, on purpose: this is one state machine. What could be told apart from
// its states is in files of its own (reader, writer, output, stash, pace, stall, slot, refusals); what is left is
// which event does what in which state, and reading it needs all of it in one place.

import type { DrainNotice } from '../drain-notice.ts'
import { RrError } from '../errors.ts'
import type {
  BodySink,
  Exchange,
  RequestDurations,
  RequestFacts,
  StreamSource,
  TimedRequest,
} from '../exchange.ts'
import type { ForwardingPolicy } from '../forwarding.ts'
import type { HeaderBlock } from '../header-block.ts'
import type { ReachedLimit } from '../reached-limit.ts'
import { outsideRequests } from '../request-context.ts'
import type { EndpointAddress, ProtocolConnection, TlsFacts, Transport } from '../transport.ts'
import { abortedError, answeredError, stalledError } from './abort-error.ts'
import { AnswerWriter } from './answer-writer.ts'
import type { Http1Context } from './connection-context.ts'
import { tellRefusal, writeOverloaded, writeRefusal } from './connection-refusals.ts'
import { InputStash } from './input-stash.ts'
import { llhttp } from './llhttp.ts'
import { requestHead as facts, MessageReader } from './message-reader.ts'
import { Output } from './output.ts'
import { ReceivePace } from './receive-pace.ts'
import { REFUSALS, type Refusal } from './refusal.ts'
import { RequestSlot } from './request-slot.ts'
import { SendStall } from './send-stall.ts'

// What is expected from the client (README.md has the figure).
/** The next request, of which nothing has come. */
const READ_AWAITING = 0
/** The rest of a head. */
const READ_HEAD = 1
/** The rest of a body. */
const READ_BODY = 2
/** Nothing: the request is whole, and what follows waits until it is answered. */
const READ_COMPLETE = 3
/** Nothing more: what still comes is dropped, so that the last answer is not lost to a reset. */
const READ_LINGERING = 4
const READ_CLOSED = 5

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
  hasClientLeft = false
  sendTimeoutMs: number
  abortListener: ((error: Error) => void) | null = null
  leaveListener: ((error: Error) => void) | null = null
  answerListener: ((status: number, headers: HeaderBlock | null) => void) | null = null
  drainNotice: DrainNotice | null = null
  drainListener: ((notice: DrainNotice) => void) | null = null
  endListener: ((status: number, bodyBytes: number) => void) | null = null
  timed: TimedRequest | null = null

  readonly #transport: Transport
  readonly #context: Http1Context
  readonly #output: Output
  readonly #reader: MessageReader
  readonly #writer: AnswerWriter
  #read = READ_AWAITING
  #write = WRITE_IDLE
  #stash: InputStash | null = null
  #pace: ReceivePace | null = null
  #isConsuming = false
  /** Where the input ends that is being consumed. */
  #inputEnd = 0
  #isFlushPlanned = false
  #isReadingPaused = false
  #isBodyPaused = false
  #isInputEnded = false
  #isDraining = false
  /** How long a connection may be idle once the server drains, for a request that is on its way. */
  #drainGraceMs = 0
  /** When an idle connection is closed. */
  #idleUntilMs: number
  #lingerUntilMs = 0
  /** When a connection is cut whose client has ended its side and is sent nothing. */
  #halfOpenUntilMs = Number.POSITIVE_INFINITY
  #stall: SendStall | null = null
  // The request being answered.
  #startedMs = 0
  #isDispatching = false
  #isHead = false
  #isHttp10 = false
  #keepAlive = true
  /** The client has said that it sends no request after this one (RFC 9112 §9.6). */
  #isLast = false
  #awaitsContinue = false
  #discardedBytes = 0
  #source: StreamSource | null = null
  /** Null where every request is admitted. */
  readonly #slot: RequestSlot | null

  constructor(transport: Transport, context: Http1Context) {
    this.#transport = transport
    this.#context = context
    this.#output = new Output(transport)
    this.#reader = new MessageReader(context.limits, context.service)
    this.#writer = new AnswerWriter(this.#output, context.clock)
    this.#slot = context.admission === null ? null : new RequestSlot(context.admission)
    this.sendTimeoutMs = context.limits.sendTimeoutMs
    this.#idleUntilMs = context.clock.nowMs + context.limits.headersTimeoutMs
    transport.setDeadline(this.#idleUntilMs)
  }

  // ---- Exchange: facts ----

  get request(): RequestFacts {
    return facts
  }
  get maxBodyBytes(): number {
    return this.#reader.bodyLimits.maxBodyBytes
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
  get forwarding(): ForwardingPolicy | null {
    return this.#context.forwarding
  }

  // ---- ProtocolConnection ----

  get hasWork(): boolean {
    const isBusy = this.#read > READ_AWAITING && this.#read < READ_LINGERING
    return isBusy || !this.#output.isEmpty || this.#transport.bufferedBytes > 0
  }

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
    this.#putOffHalfOpen()
    this.#continueInput()
    if (this.#isOwed()) this.#noticeLeave()
    this.#settle()
  }

  onDrain(): void {
    this.#output.isBlocked = false
    // A connection is idle from when its answer was sent, which a slow client takes long over.
    if (this.#read === READ_AWAITING) this.#beginIdle()
    this.#source?.onWritable()
    this.#continueInput()
    this.#settle()
  }

  onDrainNotice(notice: DrainNotice, idleDeadlineMs: number): void {
    this.drainNotice = notice
    if (notice.isStopping) {
      if (!this.#isDraining) this.#drainGraceMs = idleDeadlineMs - this.#context.clock.nowMs
      this.#isDraining = true
      this.#idleUntilMs = Math.min(this.#idleUntilMs, idleDeadlineMs)
      this.#updateDeadline()
    }
    this.drainListener?.(notice)
  }

  onClose(error: Error | null): void {
    if (this.#read === READ_CLOSED) return
    this.#read = READ_CLOSED
    this.#reader.release()
    this.#stash = null
    if (this.#isOwed()) this.#failExchange(this.#writer.status, abortedError(error))
    else this.#dropBody(abortedError(error))
  }

  onTimeout(): void {
    const { nowMs } = this.#context.clock
    if (this.#read === READ_LINGERING) {
      if (nowMs >= this.#lingerUntilMs) this.#endLinger(nowMs)
    } else if (this.#output.isBlocked) {
      if (nowMs >= this.#stallDeadlineMs()) this.#cutFor('sendTimeoutMs', stalledError())
    } else if (nowMs >= this.#halfOpenUntilMs) {
      this.#cutFor('halfOpenTimeoutMs', abortedError(null))
    } else if (this.#read === READ_AWAITING) {
      if (nowMs >= this.#idleUntilMs) this.#shutDown()
    } else if (nowMs >= this.#receiveDeadlineMs()) {
      this.#refuse(this.#pace!.refusal(nowMs, this.#read === READ_HEAD))
    }
    this.#settle()
  }

  // ---- Input ----

  #canRead(): boolean {
    return this.#read < READ_LINGERING
  }

  /** True while an answer, or the rest of one, is owed. */
  #isOwed(): boolean {
    return this.#write === WRITE_OWED || this.#write === WRITE_STREAMING
  }

  /** The client will send no more. It may be waiting for its answer, but most likely it has gone. */
  #noticeLeave(): void {
    this.hasClientLeft = true
    this.leaveListener?.(abortedError(null))
  }

  #consume(bytes: Uint8Array, from: number, to: number): void {
    this.#isConsuming = true
    this.#inputEnd = to
    try {
      let position = from
      while (position < to && this.#canRead()) {
        if (!this.#canContinue()) {
          this.#stash ??= new InputStash()
          this.#stash.keep(bytes, position, to)
          break
        }
        if (this.#read === READ_BODY) this.#readBody(bytes, position, to)
        else this.#readHead(bytes, position, to)
        position = this.#reader.position
      }
    } finally {
      this.#isConsuming = false
      this.#context.durations?.batchEnded()
    }
  }

  /** Goes on with input that had to wait, and with its end. */
  #continueInput(): void {
    if (this.#isConsuming) return
    const stash = this.#stash
    if (stash !== null && stash.length > 0 && this.#canContinue()) {
      outsideRequests(() => stash.drainInto((bytes, from, to) => this.#consume(bytes, from, to)))
    }
    if (this.#isInputEnded && (stash === null || stash.length === 0)) this.#endInput()
  }

  #canContinue(): boolean {
    return this.#read < READ_COMPLETE && !(this.#output.isBlocked && this.#read <= READ_HEAD)
  }

  #readHead(bytes: Uint8Array, from: number, to: number): void {
    const reader = this.#reader
    const isWhole = reader.readHead(bytes, from, to)
    this.#isHead = reader.isHead
    if (reader.refusal !== null) {
      this.#refuse(reader.refusal)
    } else if (isWhole) {
      this.#beginExchange()
    } else if (reader.hasPart) {
      if (this.#read === READ_AWAITING) this.#startPace()
      this.#read = READ_HEAD
      this.#pace?.add(reader.position - from)
    }
  }

  #readBody(bytes: Uint8Array, from: number, to: number): void {
    const reader = this.#reader
    const data = reader.readBody(bytes, from, to, this.bodySink !== null)
    if (reader.refusal !== null) {
      this.#refuse(reader.refusal)
      return
    }
    this.#deliverBody(data, reader.position - from)
    // Over the bound on what is thrown away, the connection has been closed.
    if (reader.isBodyComplete && this.#read === READ_BODY) this.#endBody()
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

  #endBody(): void {
    this.#read = READ_COMPLETE
    this.#awaitsContinue = false
    this.#reader.release()
    const sink = this.bodySink
    this.bodySink = null
    this.#isBodyPaused = false
    sink?.onEnd(this.#reader.trailers)
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
    this.hasBody = facts.bodyLength !== 0
    this.hasClientLeft = false
    this.#isHttp10 = facts.httpVersion === '1.0'
    this.#isLast = !facts.keepAlive
    this.sendTimeoutMs = this.#context.limits.sendTimeoutMs
    this.#keepAlive = facts.keepAlive && !this.#isLastAllowed()
    this.#awaitsContinue = facts.expectContinue && this.hasBody
    this.#discardedBytes = 0
    this.#reader.beginBody()
    if (this.hasBody) {
      if (this.#read === READ_AWAITING) this.#startPace()
      this.#pace?.use(this.#reader.bodyLimits)
    }
    this.#read = this.hasBody ? READ_BODY : READ_COMPLETE
    this.#write = WRITE_OWED
    this.#writer.begin(this.#isHead, this.#isHttp10)
    if (this.#slot !== null && !this.#admit(this.#slot)) return
    const { metrics, durations, service } = this.#context
    metrics.requestStarted()
    if (durations != null) this.#dispatchTimed(durations)
    else service.onRequest(this)
  }

  /** Most requests are answered before their handler returns, and have no time of their own to keep. */
  #dispatchTimed(durations: RequestDurations): void {
    durations.requestBegan()
    this.#isDispatching = true
    try {
      this.#context.service.onRequest(this)
    } finally {
      this.#isDispatching = false
    }
    if (this.timed !== null) this.#startedMs = durations.batchStartMs
  }

  #isLastAllowed(): boolean {
    const { maxRequestsPerConnection } = this.#context.limits
    return maxRequestsPerConnection > 0 && this.sequence + 1 >= maxRequestsPerConnection
  }

  /** Answers 503 at once where there is no place for the request. The connection may stay. */
  #admit(slot: RequestSlot): boolean {
    const cause = slot.take()
    if (cause === null) return true
    if (this.#context.service.isExempt?.(facts.method, facts.path) === true) return true
    const refused = { cause, isHeadKnown: true, isDispatched: false }
    tellRefusal(this.#context, this.#transport, REFUSALS.overloaded, refused)
    this.#decideKeepAlive(null)
    writeOverloaded(this.#writer, this.#keepAlive)
    this.sequence++
    this.#write = WRITE_ANSWERED
    if (this.#read === READ_COMPLETE) this.#nextRequest()
    else if (!this.#keepAlive) this.#shutDown()
    return false
  }

  awaitHandler(): void {
    this.#slot?.handlerPending()
  }

  handlerSettled(): void {
    this.#slot?.handlerSettled(!this.#isOwed())
  }

  #startPace(): void {
    const { clock, limits } = this.#context
    this.#pace ??= new ReceivePace(limits)
    // The first head of a connection has its time from the start of the connection.
    const isFirst = this.sequence === 0 && !this.#isDraining
    const headUntilMs = isFirst ? this.#idleUntilMs : clock.nowMs + limits.headersTimeoutMs
    this.#pace.start(clock.nowMs, headUntilMs)
  }

  reportError(error: unknown, request: object): void {
    this.#context.service.onListenerError(error, request)
  }

  wantBody(): void {
    if (!this.#awaitsContinue || this.#write !== WRITE_OWED) return
    this.#awaitsContinue = false
    this.#writer.writeContinue()
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

  sendInterim(status: number, headers: HeaderBlock | null): boolean {
    if (this.#write !== WRITE_OWED || !this.#writer.writeInterim(status, headers)) return false
    this.#planFlush()
    return true
  }

  respond(status: number, headers: HeaderBlock | null, body: string | Uint8Array | null): void {
    if (this.#write !== WRITE_OWED) return
    this.answerListener?.(status, headers)
    this.#decideKeepAlive(headers)
    this.#writer.writeWhole(status, headers, body, this.#keepAlive)
    this.#endAnswer()
  }

  startStream(status: number, headers: HeaderBlock | null, source: StreamSource): void {
    if (this.#write !== WRITE_OWED) {
      source.onCancel(null)
      return
    }
    this.answerListener?.(status, headers)
    this.#decideKeepAlive(headers)
    if (this.#writer.endsWithConnection(status, headers)) this.#keepAlive = false
    if (!this.#writer.writeHead(status, headers, this.#keepAlive)) {
      source.onCancel(null)
      this.#endAnswer()
      return
    }
    this.#source = source
    this.#write = WRITE_STREAMING
    this.#planFlush()
  }

  writeStream(chunk: Uint8Array): boolean {
    if (this.#write !== WRITE_STREAMING || chunk.length === 0) return true
    this.#writer.writeChunk(chunk)
    // A large chunk leaves at once: there is nothing to flush that would show it.
    if (this.#isInputEnded) this.#putOffHalfOpen()
    this.#planFlush()
    return !this.#output.isBlocked
  }

  get takesTrailers(): boolean {
    return this.#write === WRITE_STREAMING && this.#writer.isChunked
  }

  endStream(trailers: HeaderBlock | null): void {
    if (this.#write !== WRITE_STREAMING) return
    this.#writer.writeEnd(trailers)
    this.#endAnswer()
  }

  abortStream(error: Error): void {
    if (this.#write !== WRITE_STREAMING) return
    this.#output.flush()
    this.#cutOff(error)
  }

  #decideKeepAlive(headers: HeaderBlock | null): void {
    if (headers?.close === true) this.#keepAlive = false
    if (this.#keepAlive && this.#wantsClose()) this.#keepAlive = false
    // A client told to wait for 100 may send its body or not: nobody can tell what comes next.
    if (this.#awaitsContinue) this.#keepAlive = false
    const { remaining } = this.#reader
    const unread = remaining === 0 ? 0 : this.#discardedBytes + remaining
    if (unread > this.#context.limits.maxDiscardBytes) this.#keepAlive = false
  }

  /**
   * True when the client is to go: the server drains, or this thread has too many connections. Not
   * while input waits: whoever has sent requests one behind the other gets them all answered.
   */
  #wantsClose(): boolean {
    const { share } = this.#context
    const hasSurplus = share !== null && share.surplus > 0
    if (!(this.#isDraining || hasSurplus) || this.#hasInput()) return false
    if (!this.#isDraining) share!.shed()
    return true
  }

  /** True when a part of the next request has come, at least. */
  #hasInput(): boolean {
    if (this.#read !== READ_COMPLETE) return false
    return this.#isConsuming
      ? this.#reader.position < this.#inputEnd
      : this.#stash !== null && this.#stash.length > 0
  }

  /** The answer is complete. */
  #endAnswer(): void {
    this.#write = WRITE_ANSWERED
    this.#finishExchange(this.#writer.status)
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
      this.#shutDown(this.#isLast)
      return
    }
    this.#read = READ_AWAITING
    this.#isHead = false
    this.#beginIdle()
  }

  /** In a drain, of a client whose answer did not tell it to close: its head left before that. */
  #beginIdle(): void {
    const { clock, limits } = this.#context
    const { keepAliveTimeoutMs } = limits
    const idleMs = this.#isDraining
      ? Math.min(keepAliveTimeoutMs, this.#drainGraceMs)
      : keepAliveTimeoutMs
    this.#idleUntilMs = clock.nowMs + idleMs
  }

  #finishExchange(status: number): void {
    this.sequence++
    this.#source = null
    this.abortListener = null
    this.leaveListener = null
    this.drainListener = null
    this.#slot?.exchangeEnded()
    this.#context.metrics.requestFinished()
    if (this.timed !== null) this.#countDuration(this.timed, status)
    const { endListener } = this
    if (endListener === null) return
    this.endListener = null
    endListener(status, this.#writer.bodyBytes)
  }

  #countDuration(request: TimedRequest, status: number): void {
    const { durations } = this.#context
    this.timed = null
    if (this.#isDispatching) durations?.requestAnswered(request, status)
    else durations?.requestEnded(request, status, this.#startedMs)
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
    if (earlier !== WRITE_ANSWERED) {
      const isHeadKnown = refused === REFUSALS.bodyTooLarge
      const isDispatched = this.#isOwed()
      const known = { cause: 'protocol', isHeadKnown, isDispatched } as const
      tellRefusal(this.#context, this.#transport, refused, known)
    }
    this.#keepAlive = false
    if (earlier === WRITE_STREAMING) {
      this.abortStream(new RrError(refused.code, refused.reason))
      return
    }
    if (earlier !== WRITE_ANSWERED) {
      this.#writer.begin(this.#isHead, this.#isHttp10)
      writeRefusal(this.#writer, refused)
    }
    this.#shutDown()
    if (earlier === WRITE_OWED) {
      this.#failExchange(refused.status, new RrError(refused.code, refused.reason))
    }
  }

  /**
   * Sends what is left and closes. What the client still sends is read and dropped, so that no reset
   * destroys the answer (RFC 9112 §9.6); one that sends no more is not waited for.
   */
  #shutDown(isLast = false): void {
    if (this.#read >= READ_LINGERING) return
    this.#stopReading()
    this.#output.flush()
    if (this.#transport.bufferedBytes > 0) this.#stallDeadlineMs()
    if (isLast) this.#transport.destroySoon()
    else this.#transport.end()
  }

  #cutFor(limit: ReachedLimit, error: Error): void {
    this.#context.metrics.limitReached(limit)
    this.#cutOff(error)
  }

  /** Closes at once, in a way that the client can tell from a regular end. `onClose` follows. */
  #cutOff(error: Error): void {
    this.#stopReading()
    this.#transport.destroy(error)
  }

  #stopReading(): void {
    this.#reader.release()
    this.#stash = null
    this.#isBodyPaused = false
    this.#read = READ_LINGERING
    this.#lingerUntilMs = this.#context.clock.nowMs + this.#context.limits.lingerTimeoutMs
  }

  /** The time to linger is over, but for a client that has been taking the answer all along. */
  #endLinger(nowMs: number): void {
    const wasSending = this.#stall?.wasWaiting === true
    if (wasSending && nowMs < this.#stallDeadlineMs()) {
      this.#lingerUntilMs = nowMs + this.#context.limits.lingerTimeoutMs
    } else {
      if (wasSending) this.#context.metrics.limitReached('sendTimeoutMs')
      this.#transport.destroy(wasSending ? stalledError() : undefined)
    }
  }

  // ---- After each event ----

  /** Sends the batch, and brings reading and the deadline in line with the state. */
  #settle(): void {
    if (this.#read === READ_CLOSED) return
    if (!this.#output.isEmpty) {
      this.#output.flush()
      if (this.#isInputEnded) this.#putOffHalfOpen()
    }
    this.#updateReading()
    this.#updateDeadline()
  }

  /** A client that is sent something still gets it, or the system says that it has gone. */
  #putOffHalfOpen(): void {
    this.#halfOpenUntilMs = this.#context.clock.nowMs + this.#context.limits.halfOpenTimeoutMs
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
    if (this.#output.isBlocked) return this.#stallDeadlineMs()
    this.#stall?.clear()
    if (this.#isInputEnded) return this.#halfOpenUntilMs
    if (this.#read === READ_AWAITING) return this.#idleUntilMs
    return this.#receiveDeadlineMs()
  }

  /** When what is still to come of a request is too slow. */
  #receiveDeadlineMs(): number {
    const isHead = this.#read === READ_HEAD
    if (this.#pace === null || !(isHead || this.#read === READ_BODY))
      return Number.POSITIVE_INFINITY
    return this.#pace.deadlineMs(isHead)
  }

  #stallDeadlineMs(): number {
    const { clock } = this.#context
    this.#stall ??= new SendStall()
    this.#stall.update(this.#transport, clock.nowMs, this.sendTimeoutMs)
    return this.#stall.untilMs
  }
}
