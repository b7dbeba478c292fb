import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type ProtocolConnection, RrError, type Transport } from '@rr/core'
import { type ClientGate, tryAcquireClient } from './client-gate.ts'
import type { WorkerSeat } from './control-block.ts'
import type { DeadlineWheel } from './deadline-wheel.ts'
import { ListenerDrain } from './listener-drain.ts'
import { NetTransport, peerOf, type TransportOwner } from './net-transport.ts'
import { type OverloadMode, OverloadRefusal } from './overload-refusal.ts'
import {
  ProxiedConnection,
  type ProxiedConnectionOwner,
  type ProxyRefusal,
} from './proxied-connection.ts'

export interface HttpListenerOptions {
  readonly wheel: DeadlineWheel
  readonly seat: WorkerSeat
  readonly overload: OverloadMode
  readonly drainIdleGraceMs: number
  /** Null when everybody may connect. */
  readonly gate: ClientGate | null
  /** A connection was closed for its PROXY protocol header, or the want of one. */
  readonly onProxyRefused: (reason: ProxyRefusal, address: string) => void
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
}

/** What a listening socket is bound to. */
export interface BoundAddress {
  /** The address that a host name stood for, or the one that was given. */
  readonly host: string
  readonly port: number
}

/** One listening socket and its connections. */
export class HttpListener implements TransportOwner {
  readonly wheel: DeadlineWheel
  readonly seat: WorkerSeat
  readonly #options: HttpListenerOptions
  readonly #server: Server
  readonly #refusal: OverloadRefusal
  readonly #proxied: ProxiedConnectionOwner | null
  readonly #open: Set<NetTransport> = new Set()
  #idleDeadlineMs: number | null = null
  #drain: ListenerDrain | null = null

  constructor(options: HttpListenerOptions) {
    this.#options = options
    this.wheel = options.wheel
    this.seat = options.seat
    this.#refusal = new OverloadRefusal(options.wheel, options.overload)
    this.#proxied = options.gate === null ? null : this.#proxiedOwner(options.gate)
    this.#server = createServer({ allowHalfOpen: true, noDelay: true })
    this.#server.on('connection', (socket) => this.#accept(socket))
  }

  /** How many connections are open, refused ones not counted. */
  get connections(): number {
    return this.#open.size
  }

  /** Resolves with what it is bound to once listening; rejects with the system's error. */
  listen({ host, port, backlog, reusePort }: ListenAddress): Promise<BoundAddress> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      // exclusive: under node:cluster the primary would hold the socket and undo the balancing.
      this.#server.listen({ host, port, backlog, reusePort, exclusive: true }, () => {
        this.#server.off('error', reject)
        this.#server.on('error', (error) => this.#options.onAcceptError(error))
        const bound = this.#server.address() as AddressInfo
        resolve({ host: bound.address, port: bound.port })
      })
    })
  }

  /**
   * Stops accepting, lets connections finish until `deadlineMs` on the server's clock and then cuts
   * the rest. A later call can bring the deadline forward, not push it back.
   *
   * @returns how many connections were cut in the middle of their work
   */
  drain(deadlineMs: number): Promise<number> {
    if (this.#drain !== null) {
      this.#drain.tighten(deadlineMs)
      return this.#drain.done
    }
    this.wheel.refresh()
    const idleDeadlineMs = Math.min(this.wheel.nowMs + this.#options.drainIdleGraceMs, deadlineMs)
    this.#idleDeadlineMs = idleDeadlineMs
    const drain = new ListenerDrain(this.wheel, idleDeadlineMs, {
      hasWork: () => this.#hasWork(),
      cutAll: () => this.#cutAll(),
    })
    this.#drain = drain
    drain.tighten(deadlineMs)
    for (const transport of this.#open) transport.notifyDrain(idleDeadlineMs)
    void this.#stopAccepting()
    return drain.done
  }

  onTransportClosed(transport: NetTransport): void {
    this.#open.delete(transport)
    if (transport.clientSlot !== 0) this.#options.gate!.slots!.release(transport.clientSlot)
    this.seat.release()
    this.#settleDrain()
  }

  onTransportFault(error: unknown): void {
    this.#options.onFault(error)
  }

  #accept(socket: Socket): void {
    // An idle worker's clock ticks slowly, and this is where its deadlines begin.
    this.wheel.refresh()
    const { gate } = this.#options
    if (gate === null) this.#admit(socket, 0, false)
    else this.#acceptThrough(gate, socket)
  }

  /** What the address decides: whether a header must come, whether the client has room. */
  #acceptThrough(gate: ClientGate, socket: Socket): void {
    const peer = peerOf(socket)
    const isProxied = gate.proxyProtocol !== 'off' && gate.trusted.has(peer.address)
    if (!isProxied && gate.proxyProtocol === 'require') {
      this.#refuseHeader('untrusted', peer.address)
      socket.on('error', () => {})
      socket.resetAndDestroy()
      return
    }
    // Of a proxy's connection the header says whose it is.
    const slot = isProxied ? 0 : tryAcquireClient(gate, peer)
    if (slot >= 0) {
      this.#admit(socket, slot, isProxied)
      return
    }
    this.seat.clientConnectionRefused()
    this.#refusal.refuse(socket)
  }

  /** @param clientSlot what is held for the client; given back when the whole server has no room */
  #admit(socket: Socket, clientSlot: number, isProxied: boolean): void {
    if (!this.seat.tryAcquire()) {
      if (clientSlot !== 0) this.#options.gate!.slots!.release(clientSlot)
      this.seat.connectionRefused()
      this.#refusal.refuse(socket)
      return
    }
    const transport = new NetTransport(socket, this)
    transport.clientSlot = clientSlot
    this.#open.add(transport)
    try {
      transport.start(
        isProxied
          ? new ProxiedConnection(transport, this.#proxied!)
          : this.#options.connect(transport),
      )
    } catch (error) {
      transport.fail(error)
    }
    if (this.#idleDeadlineMs !== null) transport.notifyDrain(this.#idleDeadlineMs)
  }

  #proxiedOwner(gate: ClientGate): ProxiedConnectionOwner {
    return {
      nowMs: () => this.wheel.nowMs,
      headerTimeoutMs: gate.headerTimeoutMs,
      refusal: this.#refusal,
      tryAdmit: (transport) => {
        const slot = tryAcquireClient(gate, transport.peer)
        if (slot >= 0) transport.clientSlot = slot
        else this.seat.clientConnectionRefused()
        return slot >= 0
      },
      connect: (transport) => this.#options.connect(transport),
      onRefused: (reason, transport) => this.#refuseHeader(reason, transport.peer.address),
    }
  }

  #refuseHeader(reason: ProxyRefusal, address: string): void {
    this.seat.proxyProtocolRefused()
    this.#options.onProxyRefused(reason, address)
  }

  /**
   * Closing the listening socket resets what waits in its accept queue. Each turn of the event loop
   * accepts all that wait, so closing right behind a turn's poll leaves the least in the queue.
   */
  async #stopAccepting(): Promise<void> {
    await nextTurn()
    await nextTurn()
    this.#server.close()
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
