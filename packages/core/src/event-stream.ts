import { RrError } from './errors.ts'
import type { ChunkReader } from './response-stream.ts'
import { type ServerSentEvent, serializeEvent } from './server-sent-event.ts'

/** How much may wait for a client before `send` says so: as much as other bodies have under way. */
const HIGH_WATER_CHARACTERS = 65_536

/**
 * What a function given to `sse` sends events with. Its functions may be taken out of it.
 *
 * @example
 * sse(({ send, signal }) => {
 *   const timer = setInterval(() => send({ data: new Date().toISOString() }), 1000)
 *   signal.addEventListener('abort', () => clearInterval(timer))
 * })
 */
export interface EventStream {
  /**
   * Sends an event at once. After the end of the stream it does nothing.
   *
   * @returns true to go on; false when the client is not keeping up, or the stream has ended. What
   *   is sent all the same waits, up to `maxQueuedCharacters`; past it the connection is cut, and
   *   an EventSource reconnects
   * @throws RrError RR_RESPONSE_INVALID for what an event cannot carry
   */
  send(event: ServerSentEvent): boolean
  /** Resolves when the client has caught up, or the stream has ended. */
  drained(): Promise<void>
  /** Ends the stream once what was sent is on its way. An EventSource reconnects: 204 stops it. */
  close(): void
  /** Aborts when the stream has ended, because the client left or by `close`. */
  readonly signal: AbortSignal
}

/** What is called with an event stream; may be async. When it returns the stream goes on. */
export type EventStreamStart = (stream: EventStream) => void | PromiseLike<void>

interface Waiter {
  resolve(result: IteratorResult<string, undefined>): void
  reject(error: unknown): void
}

const DONE: IteratorResult<string, undefined> = { done: true, value: undefined }

/**
 * Events between a function that sends them when it likes and the response that takes them when it
 * can. What piles up in between is joined, and bounded.
 */
export class EventQueue implements EventStream, ChunkReader<string> {
  readonly #start: EventStreamStart
  readonly #maxCharacters: number
  #isStarted = false
  #isEnded = false
  #text = ''
  #error: { thrown: unknown } | null = null
  #waiter: Waiter | null = null
  #abort: AbortController | null = null
  #drain: PromiseWithResolvers<void> | null = null

  constructor(start: EventStreamStart, maxCharacters: number) {
    this.#start = start
    this.#maxCharacters = maxCharacters
  }

  // ---- EventStream; functions of their own, so that `({ send, close }) => ...` works ----

  get signal(): AbortSignal {
    if (this.#abort === null) {
      this.#abort = new AbortController()
      if (this.#isEnded) this.#abort.abort(endedError())
    }
    return this.#abort.signal
  }

  readonly send = (event: ServerSentEvent): boolean => {
    const text = serializeEvent(event)
    if (this.#isEnded) return false
    if (this.#waiter !== null) {
      this.#take().resolve({ done: false, value: text })
      return true
    }
    this.#text += text
    if (this.#text.length > this.#maxCharacters) this.#fail(slowError(this.#maxCharacters))
    return !this.#isEnded && this.#text.length < HIGH_WATER_CHARACTERS
  }

  readonly drained = (): Promise<void> => {
    if (this.#isEnded || this.#text.length < HIGH_WATER_CHARACTERS) return Promise.resolve()
    this.#drain ??= Promise.withResolvers()
    return this.#drain.promise
  }

  readonly close = (): void => {
    this.#end()
    if (this.#waiter !== null) this.#take().resolve(DONE)
  }

  // ---- ChunkReader ----

  next(): Promise<IteratorResult<string, undefined>> {
    this.#begin()
    if (this.#error !== null) return Promise.reject(this.#error.thrown)
    if (this.#text !== '') {
      const value = this.#text
      this.#text = ''
      this.#drain?.resolve()
      this.#drain = null
      return Promise.resolve({ done: false, value })
    }
    if (this.#isEnded) return Promise.resolve(DONE)
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject }
    })
  }

  cancel(): void {
    this.#text = ''
    this.close()
  }

  /** Called late: a stream that nobody takes, as for HEAD, is never begun. */
  #begin(): void {
    // Nor is one that a drain has ended before.
    if (this.#isStarted || this.#isEnded) return
    this.#isStarted = true
    const fail = (thrown: unknown): void => this.#fail(thrown)
    try {
      const start = this.#start
      start(this)?.then(undefined, fail)
    } catch (thrown) {
      fail(thrown)
    }
  }

  #fail(thrown: unknown): void {
    // Who stops because the client has left may well do so by throwing.
    if (this.#isEnded) return
    this.#error = { thrown }
    this.#text = ''
    this.#end()
    if (this.#waiter !== null) this.#take().reject(thrown)
  }

  #end(): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#drain?.resolve()
    this.#drain = null
    this.#abort?.abort(endedError())
  }

  #take(): Waiter {
    const waiter = this.#waiter as Waiter
    this.#waiter = null
    return waiter
  }
}

function endedError(): RrError {
  return new RrError('RR_REQUEST_ABORTED', 'the event stream has ended')
}

function slowError(maxCharacters: number): RrError {
  return new RrError(
    'RR_REQUEST_ABORTED',
    `the client left more than maxQueuedCharacters (${maxCharacters}) of events waiting`,
  )
}
