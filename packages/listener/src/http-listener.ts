import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { type ProtocolConnection, RrError, type Transport } from '@rr/core'
import type { WorkerSeat } from './control-block.ts'
import type { DeadlineWheel } from './deadline-wheel.ts'
import { ListenerDrain } from './listener-drain.ts'
import { closeListening } from './listening-close.ts'
import { NetTransport, type TransportOwner } from './net-transport.ts'
import { type OverloadMode, OverloadRefusal } from './overload-refusal.ts'
import { listeningDescriptor } from './socket-internals.ts'
import { inodeOf, type SocketFacts } from './socket-keeper.ts'

export interface HttpListenerOptions {
  readonly wheel: DeadlineWheel
  readonly seat: WorkerSeat
  readonly overload: OverloadMode
  readonly drainIdleGraceMs: number
  /** Speaks the protocol of a new connection. */
  readonly connect: (transport: Transport) => ProtocolConnection
  /** A protocol threw. */
  readonly onFault: (error: unknown) => void
  /** The system could not accept a connection, for want of descriptors mostly. */
  readonly onAcceptError: (error: Error) => void
}

export interface ListenAddress {
  readonly host: string
  readonly port: number
  readonly backlog: number
  readonly reusePort: boolean
  /** A socket that listens already, in place of a new one at that address; owned from here on. */
  readonly descriptor: number | null
}

/** What a listening socket is bound to, and which it is. */
export interface BoundAddress extends SocketFacts {
  /** The address that a host name stood for, or the one that was given. */
  readonly host: string
  readonly port: number
}

/** For handshakes that have begun, while no connection is open. */
const IDLE_GRACE_MS = 50

/** One listening socket and its connections. */
export class HttpListener implements TransportOwner {
  readonly wheel: DeadlineWheel
  readonly seat: WorkerSeat
  readonly #options: HttpListenerOptions
  readonly #server: Server
  readonly #refusal: OverloadRefusal
  readonly #open: Set<NetTransport> = new Set()
  #idleDeadlineMs: number | null = null
  #drain: ListenerDrain | null = null
  readonly #hurry: AbortController = new AbortController()

  constructor(options: HttpListenerOptions) {
    this.#options = options
    this.wheel = options.wheel
    this.seat = options.seat
    this.#refusal = new OverloadRefusal(options.wheel, options.overload)
    this.#server = createServer({ allowHalfOpen: true, noDelay: true })
    this.#server.on('connection', (socket) => this.#accept(socket))
  }

  /** How many connections are open, refused ones not counted. */
  get connections(): number {
    return this.#open.size
  }

  /** Resolves with what it is bound to once listening; rejects with the system's error. */
  listen(address: ListenAddress): Promise<BoundAddress> {
    const { host, port, backlog, reusePort, descriptor } = address
    const place = descriptor === null ? { host, port, reusePort } : { fd: descriptor }
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      // exclusive: under node:cluster the primary would hold the socket and undo the balancing.
      this.#server.listen({ ...place, backlog, exclusive: true }, () => {
        this.#server.off('error', reject)
        this.#server.on('error', (error) => this.#options.onAcceptError(error))
        resolve(this.#bound())
      })
    })
  }

  /**
   * Stops accepting, lets connections finish until `deadlineMs` on the server's clock and then cuts
   * the rest. A later call can bring the deadline forward, not push it back.
   *
   * @param isSocketKept true when another thread goes on accepting from the same socket
   * @returns how many connections were cut in the middle of their work
   */
  drain(deadlineMs: number, isSocketKept: boolean): Promise<number> {
    this.wheel.refresh()
    if (this.#drain !== null) {
      if (deadlineMs <= this.wheel.nowMs) this.#hurry.abort()
      this.#drain.tighten(deadlineMs)
      return this.#drain.done
    }
    const idleDeadlineMs = Math.min(this.wheel.nowMs + this.#options.drainIdleGraceMs, deadlineMs)
    this.#idleDeadlineMs = idleDeadlineMs
    const drain = new ListenerDrain(this.wheel, idleDeadlineMs, {
      hasWork: () => this.#hasWork(),
      cutAll: () => this.#cutAll(),
    })
    this.#drain = drain
    drain.tighten(deadlineMs)
    for (const transport of this.#open) transport.notifyDrain(idleDeadlineMs)
    void this.#stopAccepting(isSocketKept, Math.max(0, idleDeadlineMs - this.wheel.nowMs))
    return drain.done
  }

  onTransportClosed(transport: NetTransport): void {
    this.#open.delete(transport)
    this.seat.release()
    this.#settleDrain()
  }

  onTransportFault(error: unknown): void {
    this.#options.onFault(error)
  }

  #bound(): BoundAddress {
    const { address, port } = this.#server.address() as AddressInfo
    const descriptor = listeningDescriptor(this.#server)
    return { host: address, port, descriptor, inode: descriptor === null ? 0 : inodeOf(descriptor) }
  }

  #accept(socket: Socket): void {
    // An idle worker's clock ticks slowly, and this is where its deadlines begin.
    this.wheel.refresh()
    if (!this.seat.tryAcquire()) {
      this.seat.connectionRefused()
      this.#refusal.refuse(socket)
      return
    }
    const transport = new NetTransport(socket, this)
    this.#open.add(transport)
    try {
      transport.start(this.#options.connect(transport))
    } catch (error) {
      transport.fail(error)
    }
    if (this.#idleDeadlineMs !== null) transport.notifyDrain(this.#idleDeadlineMs)
  }

  async #stopAccepting(isSocketKept: boolean, graceMs: number): Promise<void> {
    if (isSocketKept) this.#server.close()
    else {
      // Without any connection there is hardly one to come, and nothing that is worth a wait.
      const isIdle = this.#open.size === 0
      await closeListening(
        this.#server,
        isIdle ? Math.min(graceMs, IDLE_GRACE_MS) : graceMs,
        this.#hurry.signal,
      )
    }
    this.#drain!.stoppedAccepting()
    this.#settleDrain()
  }

  #settleDrain(): void {
    if (this.#open.size > 0 || this.#drain === null || !this.#drain.hasStoppedAccepting) return
    this.#refusal.closeAll()
    this.#drain.finish()
  }

  #hasWork(): boolean {
    for (const transport of this.#open) if (transport.hasWork) return true
    return false
  }

  /** @returns how many of them lost a request or an answer */
  #cutAll(): number {
    let count = 0
    for (const transport of this.#open) {
      if (transport.hasWork) {
        count++
        // A reset: the end of an HTTP/1.0 body is that of its connection, and this is no regular one.
        transport.destroy(new RrError('RR_REQUEST_ABORTED', 'the server has stopped'))
      } else {
        transport.destroy()
      }
    }
    return count
  }
}
