import { connect, type Socket } from 'node:net'

/** Each slow client sends one byte of its request in this time: half a minute for a short head. */
const BYTE_INTERVAL_MS = 500
/** The clients take turns in ticks of this length, so that they do not all send at one moment. */
const TICK_MS = 5

/**
 * Clients that trickle their requests. They are there to be in the way: nothing of them is measured, and
 * one that the server throws out comes back at its next turn.
 */
export class SlowClients {
  readonly #clients: SlowClient[]
  readonly #timer: NodeJS.Timeout
  #at = 0
  #owed = 0

  constructor(count: number, target: { host: string; port: number; request: string }) {
    this.#clients = Array.from({ length: count }, () => new SlowClient(target))
    for (const client of this.#clients) client.takeTurn()
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
  }

  #tick(): void {
    this.#owed += (this.#clients.length * TICK_MS) / BYTE_INTERVAL_MS
    for (; this.#owed >= 1; this.#owed--) {
      this.#clients[this.#at]?.takeTurn()
      this.#at = (this.#at + 1) % this.#clients.length
    }
  }

  close(): void {
    clearInterval(this.#timer)
    for (const client of this.#clients) client.close()
  }
}

class SlowClient {
  readonly #target: { host: string; port: number; request: string }
  #socket: Socket | null = null
  #at = 0

  constructor(target: { host: string; port: number; request: string }) {
    this.#target = target
  }

  takeTurn(): void {
    if (this.#socket === null) this.#connect()
    else if (this.#at < this.#target.request.length) {
      this.#socket.write(this.#target.request.charAt(this.#at++), 'latin1')
    }
  }

  #connect(): void {
    const { host, port } = this.#target
    this.#at = 0
    const socket = connect({ host, port, noDelay: true, autoSelectFamily: false })
    this.#socket = socket
    // An answer: from here on the next request.
    socket.on('data', () => {
      this.#at = 0
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      if (this.#socket === socket) this.#socket = null
    })
  }

  close(): void {
    this.#socket?.destroy()
  }
}
