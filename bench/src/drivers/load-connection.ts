import { connect, type Socket } from 'node:net'
import { BodySender } from './body-sender.ts'
import { nowUs } from './clock.ts'
import type { WireRequest } from './request-bytes.ts'
import { type ResponseListener, ResponseReader } from './response-reader.ts'
import type { ErrorKind, RunTally } from './run-tally.ts'
import type { WorkSource } from './work-source.ts'

/** What the connections of a run share. */
export interface ConnectionContext {
  readonly host: string
  readonly port: number
  readonly requests: readonly WireRequest[]
  /** Which request is sent next, over all connections: they take turns through the list. */
  nextRequest: number
  /** Requests sent and not yet answered or given up, over all connections. */
  outstanding: number
  /** Counts up with all that happens, so that an idle pass of the loop can be told. */
  activity: number
  readonly pipelining: number
  /** False for a new connection for each request. */
  readonly isReused: boolean
  readonly timeoutMs: number
  readonly source: WorkSource
  readonly tally: RunTally
}

/** After a failure no new attempt for that long: a server that is down is not to be stormed. */
const RETRY_DELAY_US = 100_000
/** A server that said close and does not is helped after that long. */
const CLOSE_PATIENCE_US = 1_000_000
/** How long a 100 is waited for; then the body goes out all the same (RFC 9110 §10.1.1). */
const CONTINUE_PATIENCE_US = 1_000_000
/** One buffer for all reads of the process: an answer is read before the callback returns. */
const READ_BUFFER = Buffer.allocUnsafeSlow(256 * 1024)

const Phase = { closed: 0, connecting: 1, open: 2, closing: 3 } as const
type Phase = (typeof Phase)[keyof typeof Phase]

/** A request to send again: it was behind an answer after which the server closed. */
interface Unanswered {
  readonly request: number
  readonly intendedUs: number
}

/** A slot for one connection at a time: sends what the source gives it and times the answers. */
export class LoadConnection implements ResponseListener {
  readonly slot: number
  readonly #context: ConnectionContext
  readonly #reader = new ResponseReader(this)
  readonly #body: BodySender
  #socket: Socket | null = null
  #phase: Phase = Phase.closed
  /** When the phase began. */
  #sinceUs = 0
  #retryAtUs = 0
  #isUnconnected = false
  #hasWriteError = false
  /** The answer that was read last says that the connection is done. */
  #isLast = false
  /** Set where the server will not close by itself. */
  #hasToClose = false
  #readUs = 0
  #sample: Buffer[] | null = null
  #again: Unanswered[] = []
  // Outstanding requests, oldest first, in rings: nothing is allocated for a request.
  readonly #ringIntended: Float64Array
  readonly #ringSent: Float64Array
  readonly #ringRequest: Uint32Array
  #ringAt = 0
  #outstanding = 0

  constructor(slot: number, context: ConnectionContext) {
    this.slot = slot
    this.#context = context
    this.#ringIntended = new Float64Array(context.pipelining)
    this.#ringSent = new Float64Array(context.pipelining)
    this.#ringRequest = new Uint32Array(context.pipelining)
    this.#body = new BodySender(() => this.pump(nowUs()))
  }

  get isOpen(): boolean {
    return this.#phase === Phase.open
  }

  get hasFailed(): boolean {
    return this.#phase === Phase.closed && this.#retryAtUs > 0
  }

  /** Opens the connection ahead of the first request, where it is reused. */
  open(now: number): void {
    if (this.#phase === Phase.closed && now >= this.#retryAtUs) this.#connect(now)
  }

  /** Sends as much as there is room and work for, in one write. */
  pump(now: number): void {
    const context = this.#context
    if (context.isReused) {
      this.open(now)
      if (this.#phase !== Phase.open || this.#isLast) return
    } else if (this.#phase !== Phase.closed || now < this.#retryAtUs) return
    let text = ''
    while (this.#outstanding < context.pipelining && this.#body.isDone) {
      const wire = this.#takeRequest(now)
      if (wire === null) break
      text = text === '' ? wire.text : text + wire.text
      if (wire.rest !== null) this.#body.begin(wire.rest, wire.awaitsContinue, now)
    }
    if (text === '') return
    context.activity++
    if (!context.isReused) this.#connect(now)
    const socket = this.#socket as Socket
    socket.write(text, 'latin1')
    if (!this.#body.isDone) this.#body.attach(socket)
  }

  #takeRequest(now: number): WireRequest | null {
    const context = this.#context
    const again = this.#again.length > 0 ? this.#again.shift() : undefined
    const intendedUs = again?.intendedUs ?? context.source.take(this.slot, now)
    if (Number.isNaN(intendedUs)) return null
    let request = context.nextRequest
    if (again !== undefined) request = again.request
    else context.nextRequest = request + 1 === context.requests.length ? 0 : request + 1
    const at = (this.#ringAt + this.#outstanding) % context.pipelining
    this.#ringIntended[at] = intendedUs
    this.#ringSent[at] = now
    this.#ringRequest[at] = request
    this.#outstanding++
    context.outstanding++
    return context.requests[request] as WireRequest
  }

  #connect(now: number): void {
    const { host, port, isReused } = this.#context
    this.#phase = Phase.connecting
    this.#sinceUs = now
    this.#isLast = false
    this.#isUnconnected = true
    this.#hasWriteError = false
    this.#reader.reset()
    const socket = connect({
      host,
      port,
      // One request on a fresh connection is one segment: nothing for Nagle to hold back.
      noDelay: isReused,
      autoSelectFamily: false,
      onread: { buffer: READ_BUFFER, callback: (length, bytes) => this.#onRead(bytes, length) },
    })
    this.#socket = socket
    socket.on('connect', () => this.#onConnect(socket))
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (socket === this.#socket) this.#hasWriteError = error.syscall === 'write'
    })
    socket.on('end', () => this.#onEnd(socket))
    socket.on('close', () => this.#onClose(socket))
  }

  #onConnect(socket: Socket): void {
    if (socket !== this.#socket) return
    this.#phase = Phase.open
    this.#isUnconnected = false
    this.#retryAtUs = 0
    this.#context.activity++
    if (this.#context.isReused) this.pump(nowUs())
  }

  #onRead(bytes: Uint8Array, length: number): boolean {
    const context = this.#context
    context.activity++
    this.#readUs = nowUs()
    if (!this.#reader.feed(bytes as Buffer, length)) {
      this.#fail('read')
    } else if (this.#isLast) {
      this.#finish()
    } else {
      // The same moment for the next send: what lies between is the reading, a microsecond or two.
      this.pump(this.#readUs)
    }
    return true
  }

  onHead(): boolean {
    if (this.#outstanding === 0) return false
    const request = this.#ringRequest[this.#ringAt] as number
    if (this.#context.tally.wantsSample(request)) {
      this.#sample = []
      this.#reader.wantsBody = true
    }
    return (this.#context.requests[request] as WireRequest).isHead
  }

  onInterim(status: number): void {
    if (status === 100) this.#body.onContinue()
  }

  onBody(bytes: Buffer, start: number, end: number): void {
    this.#sample?.push(Buffer.from(bytes.subarray(start, end)))
  }

  onResponse(status: number, bodyBytes: number, isReusable: boolean): void {
    const { tally } = this.#context
    if (this.#outstanding === 0) {
      // Nobody asked: the connection is out of step.
      tally.error('read')
      this.#isLast = true
      return
    }
    const at = this.#ringAt
    const request = this.#ringRequest[at] as number
    const intendedUs = this.#ringIntended[at] as number
    tally.answer(request, status, bodyBytes, intendedUs, this.#ringSent[at] as number, this.#readUs)
    if (this.#sample !== null) {
      tally.sample({ request, status, body: Buffer.concat(this.#sample) })
      this.#sample = null
    }
    this.#drop()
    // An answer before the whole request is out ends the connection: the rest is not sent.
    if (!isReusable || (this.#outstanding === 0 && !this.#body.isDone)) this.#isLast = true
    if (!this.#context.isReused) this.#isLast = true
    if (isReusable && this.#isLast) this.#hasToClose = true
  }

  #drop(): void {
    this.#ringAt = (this.#ringAt + 1) % this.#context.pipelining
    this.#outstanding--
    this.#context.outstanding--
  }

  /** After the last answer of a connection: what was sent behind it is sent again on the next. */
  #finish(): void {
    while (this.#outstanding > 0) {
      const request = this.#ringRequest[this.#ringAt] as number
      this.#again.push({ request, intendedUs: this.#ringIntended[this.#ringAt] as number })
      this.#drop()
    }
    this.#body.stop()
    this.#phase = Phase.closing
    this.#sinceUs = this.#readUs
    if (this.#hasToClose) this.#socket?.destroy()
    this.#hasToClose = false
  }

  #onEnd(socket: Socket): void {
    if (socket !== this.#socket || this.#phase === Phase.closing) return
    this.#readUs = nowUs()
    // An answer that goes to the end of the connection is complete now, and reported by `end`.
    if (!this.#reader.end()) this.#fail('read')
    else if (this.#isLast) this.#finish()
    else if (this.#outstanding > 0) this.#fail('read')
  }

  #onClose(socket: Socket): void {
    if (socket !== this.#socket) return
    const now = nowUs()
    this.#context.activity++
    if (this.#isUnconnected) this.#fail('connect')
    else if (this.#outstanding > 0) this.#fail(this.#hasWriteError ? 'write' : 'read')
    else this.#release(now)
  }

  /** Every outstanding request is lost; one error even where there was none. */
  #fail(kind: ErrorKind): void {
    const now = nowUs()
    this.#context.tally.error(kind, Math.max(1, this.#outstanding))
    while (this.#outstanding > 0) this.#drop()
    this.#retryAtUs = now + RETRY_DELAY_US
    this.#release(now)
  }

  #release(now: number): void {
    const socket = this.#socket
    this.#socket = null
    this.#phase = Phase.closed
    this.#isLast = false
    this.#sample = null
    this.#body.stop()
    socket?.destroy()
    this.#context.source.onFree(this.slot)
    this.pump(now)
  }

  /** Gives up what takes too long and tries again what failed. Called now and then. */
  sweep(now: number): void {
    const oldest = this.#ringSent[this.#ringAt] as number
    if (this.#outstanding > 0 && now - oldest > this.#context.timeoutMs * 1000) {
      this.#fail('timeout')
    } else if (this.#phase === Phase.closing && now - this.#sinceUs > CLOSE_PATIENCE_US) {
      this.#socket?.destroy()
    } else if (this.#phase === Phase.connecting && this.#outstanding === 0) {
      if (now - this.#sinceUs > this.#context.timeoutMs * 1000) this.#fail('connect')
    } else {
      this.#body.sweep(now, CONTINUE_PATIENCE_US)
      this.pump(now)
    }
  }

  /** At the end of the run: nothing is counted any more. */
  close(): void {
    const socket = this.#socket
    this.#socket = null
    this.#phase = Phase.closing
    this.#body.stop()
    socket?.destroy()
  }
}
