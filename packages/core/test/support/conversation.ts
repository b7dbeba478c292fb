import type { ConnectionMetrics, ConnectionShare, RequestDurations } from '../../src/exchange.ts'
import type { Handler } from '../../src/handler.ts'
import { HTTP_OPTIONS, type HttpOptionsInput } from '../../src/http-options.ts'
import { createHttpService } from '../../src/http-service.ts'
import type { AccessEntry } from '../../src/http-service-options.ts'
import { resolveOptions } from '../../src/options.ts'
import type { RefusalObserver, RequestAdmission } from '../../src/refusal-entry.ts'
import type { RequestLog } from '../../src/request-log.ts'
import { text } from '../../src/response.ts'
import type { RouteLimitsLookup } from '../../src/route-limits.ts'
import type { ProtocolConnection } from '../../src/transport.ts'
import { FakeClock } from './fake-clock.ts'
import { FakeTransport } from './fake-transport.ts'
import { type ParsedResponse, parseResponses } from './response-parser.ts'
import { turns } from './turns.ts'

export interface ConversationOptions {
  readonly limits?: HttpOptionsInput
  /** Default: answers 200 `ok` at once and reads no body. */
  readonly handler?: Handler
  readonly share?: ConnectionShare
  readonly routeLimits?: RouteLimitsLookup | null
  readonly admission?: RequestAdmission | null
  readonly onRefusal?: RefusalObserver | null
  readonly onAccess?: (entry: AccessEntry) => void
  readonly log?: RequestLog
  readonly durations?: RequestDurations
}

/** A client and a server with nothing between them but the seam. */
export class Conversation {
  readonly clock: FakeClock = new FakeClock()
  readonly transport: FakeTransport = new FakeTransport()
  readonly connection: ProtocolConnection
  /** What `onError` was told. */
  readonly errors: unknown[] = []
  /** Methods of the requests that reached the handler, in order. */
  readonly methods: string[] = []
  started = 0
  finished = 0
  readonly rejected: number[] = []
  readonly causes: string[] = []
  readonly limits: string[] = []
  isClosed = false
  #waiting: Buffer[] = []
  #hasFinished = false

  constructor(options: ConversationOptions = {}) {
    const handler = options.handler ?? (() => text('ok'))
    const metrics: ConnectionMetrics = {
      requestStarted: () => void this.started++,
      requestFinished: () => void this.finished++,
      requestRejected: (status, cause) => {
        this.rejected.push(status)
        this.causes.push(cause)
      },
      limitReached: (limit) => void this.limits.push(limit),
    }
    const service = createHttpService({
      handler: (request) => {
        this.methods.push(request.method)
        return handler(request)
      },
      routeLimits: options.routeLimits,
      admission: options.admission,
      onRefusal: options.onRefusal,
      limits: resolveOptions(HTTP_OPTIONS, options.limits ?? {}, 'test'),
      clock: this.clock,
      metrics,
      share: options.share ?? null,
      durations: options.durations,
      onError: (error) => void this.errors.push(error),
      onAccess: options.onAccess ?? null,
      workerId: 7,
      log: options.log,
    })
    this.connection = service.connect(this.transport)
  }

  /** The client sends, in one read of the server. What the server will not read yet waits. */
  send(input: string | Uint8Array): this {
    this.#waiting.push(
      typeof input === 'string' ? Buffer.from(input, 'latin1') : Buffer.from(input),
    )
    this.#deliver()
    return this
  }

  /** The client sends a byte at a time. */
  sendBytes(input: string | Uint8Array): this {
    const bytes = typeof input === 'string' ? Buffer.from(input, 'latin1') : input
    for (let i = 0; i < bytes.length; i++) this.send(bytes.subarray(i, i + 1))
    return this
  }

  /** The client sends a FIN. */
  finish(): this {
    this.#hasFinished = true
    this.#deliver()
    return this
  }

  /** The connection is gone. */
  leave(error: Error | null = null): this {
    if (this.isClosed) return this
    this.isClosed = true
    this.#waiting = []
    this.connection.onClose(error)
    return this
  }

  /** Lets everything happen that can without the client or the clock. */
  async settle(): Promise<this> {
    let quietRounds = 0
    while (quietRounds < 3) {
      await turns(2)
      const waiting = this.#waiting.length
      this.#deliver()
      quietRounds = this.#waiting.length === waiting ? quietRounds + 1 : 0
      if (this.transport.isDestroyed) this.leave(this.transport.error)
      if (this.#isOver()) this.leave()
    }
    return this
  }

  /** The client takes bytes that the server has sent. */
  take(bytes: number = Number.POSITIVE_INFINITY): this {
    if (this.transport.take(bytes) && !this.isClosed) this.connection.onDrain()
    return this
  }

  /** Time passes; deadlines fire when they are due. */
  advance(ms: number): this {
    const target = this.clock.nowMs + ms
    for (let fired = 0; !this.isClosed && this.transport.deadlineMs <= target; fired++) {
      if (this.transport.isDestroyed) break
      if (fired > 10_000) throw new Error('a deadline that is due again and again')
      this.clock.nowMs = Math.max(this.clock.nowMs, this.transport.deadlineMs)
      this.transport.deadlineMs = Number.POSITIVE_INFINITY
      this.connection.onTimeout()
    }
    this.clock.nowMs = target
    if (this.transport.isDestroyed) this.leave(this.transport.error)
    return this
  }

  get isOpen(): boolean {
    return !this.isClosed && !this.transport.isClosed
  }

  /** Everything sent, as text. */
  get output(): string {
    return this.transport.output.toString('latin1')
  }

  /**
   * What was answered.
   *
   * @param refusedMethod the method of the request that no handler has seen
   */
  responses(refusedMethod = 'GET'): ParsedResponse[] {
    return parseResponses(this.transport.output, (index) => this.methods[index] ?? refusedMethod)
  }

  /** The final statuses, in order. */
  statuses(refusedMethod = 'GET'): number[] {
    return this.responses(refusedMethod).map(({ status }) => status)
  }

  #deliver(): void {
    while (!this.isClosed && !this.transport.isDestroyed && !this.transport.isPaused) {
      const next = this.#waiting.shift()
      if (next === undefined) break
      // The bytes are borrowed: at an odd place in a buffer that is overwritten afterwards.
      const borrowed = Buffer.alloc(next.length + 6, '!')
      borrowed.set(next, 3)
      this.connection.onData(borrowed, 3, next.length)
      borrowed.fill('?')
    }
    if (this.isClosed || this.transport.isDestroyed || this.#waiting.length > 0) return
    if (this.#hasFinished && !this.#isFinSent && !this.transport.isPaused) {
      this.#isFinSent = true
      this.connection.onEnd()
    }
  }

  #isFinSent = false

  #isOver(): boolean {
    const { isEnded, isDestroyedSoon, bufferedBytes } = this.transport
    return isEnded && (isDestroyedSoon || this.#isFinSent) && bufferedBytes === 0
  }
}

/** A conversation of one message, sent whole. */
export async function converse(
  input: string | Uint8Array,
  options?: ConversationOptions,
): Promise<Conversation> {
  return await new Conversation(options).send(input).settle()
}
