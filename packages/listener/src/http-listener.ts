import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import {
  type DrainNotice,
  type EndpointAddress,
  isRefusalHeard,
  type ProtocolConnection,
  publishRefusal,
  type RefusalEntry,
  type RefusalObserver,
  RrError,
  type Transport,
} from '@rr/core'
import { type ClientGate, tryAcquireClient } from './client-gate.ts'
import type { WorkerSeat } from './control-block.ts'
import type { DeadlineWheel } from './deadline-wheel.ts'
import { publishClose, publishOpen } from './diagnostics.ts'
import { ListenerDrain } from './listener-drain.ts'
import { closeListening } from './listening-close.ts'
import { NetTransport, peerOf, type TransportOwner } from './net-transport.ts'
import { type OverloadMode, OverloadRefusal } from './overload-refusal.ts'
import {
  ProxiedConnection,
  type ProxiedConnectionOwner,
  type ProxyRefusal,
  REFUSED_BECAUSE,
} from './proxied-connection.ts'
import { listeningDescriptor } from './socket-internals.ts'
import { inodeOf, type SocketFacts } from './socket-keeper.ts'

export interface HttpListenerOptions {
  readonly wheel: DeadlineWheel
  readonly seat: WorkerSeat
  readonly workerId: number
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
  /** Told of each connection refused; null costs nothing. */
  readonly onRefusal: RefusalObserver | null
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

/** What there is to say of a connection over the limit besides who it is from. */
const OVER_LIMIT = {
  cause: 'connections',
  code: 'RR_OVERLOADED',
  reason: 'too many connections are open',
} as const
const OVER_CLIENT_LIMIT = {
  cause: 'client-connections',
  code: 'RR_OVERLOADED',
  reason: 'too many connections of this client are open',
} as const

type Refused = Pick<RefusalEntry, 'cause' | 'code' | 'reason'>

/** One listening socket and its connections. */
export class HttpListener implements TransportOwner {
  readonly wheel: DeadlineWheel
  readonly seat: WorkerSeat
  readonly #options: HttpListenerOptions
  readonly #server: Server
  readonly #refusal: OverloadRefusal
  readonly #proxied: ProxiedConnectionOwner | null
  readonly #open: Set<NetTransport> = new Set()
  /** What connections were told last of a drain, for those still to come. */
  #notice: DrainNotice | null = null
  #idleDeadlineMs = Number.POSITIVE_INFINITY
  #drain: ListenerDrain | null = null
  readonly #hurry: AbortController = new AbortController()

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
   * @param hasSuccessor true when another thread goes on accepting on the port, to which what waits
   *   goes with the socket that both have; without that the kernel hands it on, or resets it
   * @returns how many connections were cut in the middle of their work
   */
  drain(deadlineMs: number, hasSuccessor: boolean): Promise<number> {
    this.wheel.refresh()
    if (this.#drain !== null) {
      if (deadlineMs <= this.wheel.nowMs) this.#hurry.abort()
      if (this.#drain.tighten(deadlineMs)) this.#tellAll(deadlineMs, true)
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
    this.#tellAll(deadlineMs, true)
    void this.#stopAccepting(hasSuccessor, Math.max(0, idleDeadlineMs - this.wheel.nowMs))
    return drain.done
  }

  /**
   * Tells whoever is answering, and who will be, that a drain is to be expected with that deadline
   * on the server's clock. Nothing stops; in a drain it says nothing new and does nothing.
   */
  notifyDrain(deadlineMs: number): void {
    if (this.#drain === null) this.#tellAll(deadlineMs, false)
  }

  #tellAll(atMs: number, isStopping: boolean): void {
    this.wheel.refresh()
    const deadlineMs = Math.round(Date.now() + atMs - this.wheel.nowMs)
    const notice = Object.freeze({ deadlineMs, isStopping })
    this.#notice = notice
    for (const transport of this.#open) {
      // Who hears of it may do something about it: what was told then is newer.
      if (this.#notice !== notice) return
      transport.notifyDrain(notice, this.#idleDeadlineMs)
    }
  }

  onTransportClosed(transport: NetTransport): void {
    this.#open.delete(transport)
    publishClose(transport, this.#options.workerId)
    if (transport.clientSlot !== 0) this.#options.gate!.slots!.release(transport.clientSlot)
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
    const { gate } = this.#options
    if (gate === null) this.#admit(socket, 0, false)
    else this.#acceptThrough(gate, socket)
  }

  /** What the address decides: whether a header must come, whether the client has room. */
  #acceptThrough(gate: ClientGate, socket: Socket): void {
    const peer = peerOf(socket)
    const isProxied = gate.proxyProtocol !== 'off' && gate.trusted.has(peer.address)
    if (!isProxied && gate.proxyProtocol === 'require') {
      this.#refuseHeader('untrusted', peer)
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
    this.#tellRefused(OVER_CLIENT_LIMIT, this.#refusal.refuse(socket), peer)
  }

  /** @param clientSlot what is held for the client; given back when the whole server has no room */
  #admit(socket: Socket, clientSlot: number, isProxied: boolean): void {
    if (!this.seat.tryAcquire()) {
      if (clientSlot !== 0) this.#options.gate!.slots!.release(clientSlot)
      this.seat.connectionRefused()
      const peer = this.#isRefusalHeard() ? peerOf(socket) : null
      const status = this.#refusal.refuse(socket)
      if (peer !== null) this.#tellRefused(OVER_LIMIT, status, peer)
      return
    }
    const transport = new NetTransport(socket, this)
    transport.clientSlot = clientSlot
    this.#open.add(transport)
    transport.awaitsHeader = isProxied
    if (!isProxied) publishOpen(transport, this.#options.workerId)
    try {
      transport.start(
        isProxied
          ? new ProxiedConnection(transport, this.#proxied!)
          : this.#options.connect(transport),
      )
    } catch (error) {
      transport.fail(error)
    }
    if (this.#notice !== null) transport.notifyDrain(this.#notice, this.#idleDeadlineMs)
  }

  #proxiedOwner(gate: ClientGate): ProxiedConnectionOwner {
    return {
      nowMs: () => this.wheel.nowMs,
      headerTimeoutMs: gate.headerTimeoutMs,
      refusal: this.#refusal,
      tryAdmit: (transport) => {
        const slot = tryAcquireClient(gate, transport.peer)
        if (slot >= 0) transport.clientSlot = slot
        else {
          this.seat.clientConnectionRefused()
          this.#tellRefused(OVER_CLIENT_LIMIT, 503, transport.peer)
        }
        return slot >= 0
      },
      connect: (transport) => {
        transport.awaitsHeader = false
        publishOpen(transport, this.#options.workerId)
        return this.#options.connect(transport)
      },
      onRefused: (reason, transport) => this.#refuseHeader(reason, transport.peer),
    }
  }

  #refuseHeader(reason: ProxyRefusal, peer: EndpointAddress): void {
    this.seat.proxyProtocolRefused()
    this.#options.onProxyRefused(reason, peer.address)
    const why = REFUSED_BECAUSE[reason]
    const refused = { cause: 'proxy-protocol', code: 'RR_REQUEST_MALFORMED', reason: why } as const
    this.#tellRefused(refused, 0, peer)
  }

  #isRefusalHeard(): boolean {
    return this.#options.onRefusal !== null || isRefusalHeard()
  }

  #tellRefused(refused: Refused, status: number, peer: EndpointAddress): void {
    if (!this.#isRefusalHeard()) return
    const unknown = { limit: null, method: null, target: null, isDispatched: false }
    const entry = { ...refused, ...unknown, status, peer }
    this.#options.onRefusal?.(entry)
    publishRefusal(entry, this.#options.workerId)
  }

  async #stopAccepting(hasSuccessor: boolean, graceMs: number): Promise<void> {
    if (hasSuccessor) this.#server.close()
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
