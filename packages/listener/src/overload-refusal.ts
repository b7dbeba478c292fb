import type { Socket } from 'node:net'
import { DeadlineEntry, type DeadlineWheel } from './deadline-wheel.ts'

/** How long a refused client is given to take its answer and close. */
const LINGER_MS = 1000

/**
 * Most refused sockets that one thread keeps for their answer to arrive. They hold no connection
 * slot, so a flood must find a bound here; past it a client is cut off without an answer.
 */
export const MAX_LINGERING = 256

/** What happens to a connection over the limit. */
export type OverloadMode = 'answer' | 'close'

/** Refuses connections that found no slot. */
export class OverloadRefusal {
  readonly #wheel: DeadlineWheel
  readonly #mode: OverloadMode
  readonly #lingering: Set<RefusedSocket> = new Set()
  #answer = ''
  #answerSecond = -1

  constructor(wheel: DeadlineWheel, mode: OverloadMode) {
    this.#wheel = wheel
    this.#mode = mode
  }

  /** How many refused sockets wait for their client to close. */
  get lingering(): number {
    return this.#lingering.size
  }

  /** @returns the status of the answer, or 0 when there is none */
  refuse(socket: Socket): number {
    socket.on('error', ignoreError)
    if (this.#mode === 'close' || this.#lingering.size >= MAX_LINGERING) {
      // A reset leaves no TIME_WAIT entry behind, of which a flood would make many.
      socket.resetAndDestroy()
      return 0
    }
    this.#linger(socket)
    return 503
  }

  /** Cuts off whoever still waits. */
  closeAll(): void {
    for (const refused of this.#lingering) refused.onDeadline()
  }

  /**
   * Answers, half-closes and reads on: closing with unread input resets the connection, and the
   * reset can overtake the answer (RFC 9112 §9.6).
   */
  #linger(socket: Socket): void {
    const refused = new RefusedSocket(socket)
    this.#lingering.add(refused)
    refused.deadlineMs = this.#wheel.nowMs + LINGER_MS
    this.#wheel.schedule(refused)
    socket.on('close', () => {
      this.#wheel.remove(refused)
      this.#lingering.delete(refused)
    })
    socket.resume()
    socket.end(this.#currentAnswer(), 'latin1')
  }

  #currentAnswer(): string {
    const second = Math.floor(this.#wheel.nowMs / 1000)
    if (second !== this.#answerSecond) {
      this.#answerSecond = second
      this.#answer =
        'HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\n' +
        `Content-Length: 0\r\nDate: ${new Date().toUTCString()}\r\n\r\n`
    }
    return this.#answer
  }
}

class RefusedSocket extends DeadlineEntry {
  readonly #socket: Socket

  constructor(socket: Socket) {
    super()
    this.#socket = socket
  }

  override onDeadline(): void {
    this.#socket.destroy()
  }
}

function ignoreError(): void {}
