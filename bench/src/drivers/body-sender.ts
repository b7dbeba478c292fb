import type { Socket } from 'node:net'

/** Pieces in which a large body is handed to the socket. */
const PIECE_BYTES = 64 * 1024

/**
 * Sends a body piece by piece, each only when the socket has room: what the server does not take
 * stays here, and what is left is not sent when the answer comes first.
 */
export class BodySender {
  readonly #onDone: () => void
  #rest: Buffer | null = null
  #at = 0
  #socket: Socket | null = null
  #awaitsContinue = false
  #sinceUs = 0

  constructor(onDone: () => void) {
    this.#onDone = onDone
  }

  get isDone(): boolean {
    return this.#rest === null
  }

  /** @param awaitsContinue true to hold the body back until `onContinue` */
  begin(rest: Buffer, awaitsContinue: boolean, nowUs: number): void {
    this.#rest = rest
    this.#at = 0
    this.#awaitsContinue = awaitsContinue
    this.#sinceUs = nowUs
  }

  /** To be called when the head is on its way. */
  attach(socket: Socket): void {
    this.#socket = socket
    this.#send()
  }

  onContinue(): void {
    this.#awaitsContinue = false
    this.#send()
  }

  /** A server that never says 100 gets the body after a while. */
  sweep(nowUs: number, patienceUs: number): void {
    if (this.#awaitsContinue && nowUs - this.#sinceUs > patienceUs) this.onContinue()
  }

  stop(): void {
    this.#rest = null
    this.#socket = null
    this.#awaitsContinue = false
  }

  #send(): void {
    const socket = this.#socket
    if (socket === null || this.#awaitsContinue) return
    while (this.#rest !== null) {
      const piece = this.#rest.subarray(this.#at, this.#at + PIECE_BYTES)
      this.#at += piece.length
      const hasRoom = socket.write(piece)
      if (this.#at === this.#rest.length) {
        this.#rest = null
        this.#socket = null
        this.#onDone()
        return
      }
      if (!hasRoom) {
        socket.once('drain', () => {
          if (socket === this.#socket) this.#send()
        })
        return
      }
    }
  }
}
