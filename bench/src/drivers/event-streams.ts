import { connect, type Socket } from 'node:net'
import { nowUs } from './clock.ts'
import type { WireRequest } from './request-bytes.ts'
import { type ResponseListener, ResponseReader } from './response-reader.ts'
import type { RunTally } from './run-tally.ts'

const LF = 10
const CR = 13
const COLON = 58
/** A stream that ended or failed is opened again after this. */
const REOPEN_MS = 100

/** What the streams of a run share. */
export interface StreamContext {
  readonly host: string
  readonly port: number
  readonly requests: readonly WireRequest[]
  readonly statuses: readonly number[]
  readonly tally: RunTally
}

/**
 * A stream of server-sent events. What is timed is the gap between two events, for the first of a stream
 * that from the request: a server that falls behind its own pace shows as gaps that grow. Events
 * that arrive in one read count as a gap of zero each, but for the first.
 */
export class EventStream implements ResponseListener {
  readonly #context: StreamContext
  readonly #request: number
  readonly #reader = new ResponseReader(this)
  #socket: Socket | null = null
  #timer: NodeJS.Timeout | null = null
  #lastUs = 0
  #isConnected = false
  #isClosed = false
  // A line is data unless it is empty or a comment, which begins with a colon.
  #isLineStart = true
  #hasField = false

  /** @param slot the number of the stream: the streams take turns through the list of requests */
  constructor(slot: number, context: StreamContext) {
    this.#context = context
    this.#request = slot % context.requests.length
  }

  open(): void {
    const { host, port } = this.#context
    this.#reader.reset()
    this.#isLineStart = true
    this.#hasField = false
    this.#isConnected = false
    const socket = connect({ host, port, noDelay: true, autoSelectFamily: false })
    this.#socket = socket
    socket.on('connect', () => {
      this.#isConnected = true
      this.#send()
    })
    socket.on('data', (data) => {
      const bytes = data as Buffer
      if (this.#reader.feed(bytes, bytes.length)) return
      this.#context.tally.error('read')
      socket.destroy()
    })
    socket.on('error', () => {
      if (!this.#isClosed) this.#context.tally.error(this.#isConnected ? 'read' : 'connect')
    })
    socket.on('end', () => this.#reader.end())
    socket.on('close', () => {
      if (!this.#isClosed) this.#timer = setTimeout(() => this.open(), REOPEN_MS)
    })
  }

  #send(): void {
    const wire = this.#context.requests[this.#request] as WireRequest
    this.#lastUs = nowUs()
    this.#socket?.write(wire.text, 'latin1')
    if (wire.rest !== null) this.#socket?.write(wire.rest)
  }

  onHead(status: number): boolean {
    if (status !== this.#context.statuses[this.#request]) this.#context.tally.error('status')
    this.#reader.wantsBody = true
    return false
  }

  onInterim(): void {}

  onBody(bytes: Buffer, start: number, end: number): void {
    const now = nowUs()
    for (let at = start; at < end; at++) {
      const byte = bytes[at] as number
      if (byte === CR) continue
      if (byte !== LF) {
        if (this.#isLineStart && byte !== COLON) this.#hasField = true
        this.#isLineStart = false
      } else {
        if (this.#isLineStart && this.#hasField) this.#onEvent(now)
        this.#isLineStart = true
      }
    }
  }

  #onEvent(now: number): void {
    this.#hasField = false
    this.#context.tally.event(now - this.#lastUs, now)
    this.#lastUs = now
  }

  /** The server has ended the stream: the next one, on the same connection where it stays open. */
  onResponse(_status: number, _bodyBytes: number, isReusable: boolean): void {
    if (isReusable && !this.#isClosed) setImmediate(() => this.#send())
  }

  close(): void {
    this.#isClosed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#socket?.destroy()
  }
}
