import type { Socket } from 'node:net'
import type {
  DrainNotice,
  EndpointAddress,
  ProtocolConnection,
  TlsFacts,
  Transport,
} from '@rr/core'
import type { WorkerSeat } from './control-block.ts'
import { DeadlineEntry, type DeadlineWheel } from './deadline-wheel.ts'
import { readInto, takenBytes } from './socket-internals.ts'

/** What the transports of one listener share. */
export interface TransportOwner {
  readonly wheel: DeadlineWheel
  readonly seat: WorkerSeat
  /** The socket is gone. Called once, before the protocol hears of it. */
  onTransportClosed(transport: NetTransport): void
  /** A protocol threw, which it never should; its connection is being closed. */
  onTransportFault(error: unknown): void
}

/** From a socket to its transport, so that its listeners need no closure per connection. */
const TRANSPORT: unique symbol = Symbol('rr.transport')
type OwnedSocket = Socket & { [TRANSPORT]: NetTransport }

const OPEN = 0
/** `end` or `destroySoon` was called: no more output is taken. */
const ENDING = 1
/** `destroy` was called: nothing moves either way, the close event is still to come. */
const DESTROYED = 2
const CLOSED = 3

const UNKNOWN_ENDPOINT: EndpointAddress = Object.freeze({ address: '', port: 0, family: 'IPv4' })

/**
 * What every socket of the thread is read into: each read is dealt with before the next. A buffer
 * for each read would be allocated, zeroed and collected, and the stream's own queue passed through
 * (docs/performance.md has the figures). As much as libuv asks for at a time.
 */
const READ_BUFFER = Buffer.allocUnsafeSlow(65_536)

/** The transport over one connection of `node:net`. */
export class NetTransport extends DeadlineEntry implements Transport {
  readonly #socket: Socket
  readonly #owner: TransportOwner
  #protocol: ProtocolConnection | null = null
  #state: number = OPEN
  #givenBytes = 0
  #error: Error | null = null
  #peer: EndpointAddress | null = null
  #local: EndpointAddress | null = null
  #tls: TlsFacts | null = null
  /** What the listener holds of the client's connections for this one; 0 for none. */
  clientSlot = 0
  /** True until a PROXY protocol header has said whose connection it is. */
  awaitsHeader = false

  constructor(socket: Socket, owner: TransportOwner) {
    super()
    this.#socket = socket
    this.#owner = owner
    ;(socket as OwnedSocket)[TRANSPORT] = this
    if (!readInto(socket, READ_BUFFER, onSocketRead)) socket.on('data', onSocketData)
    socket.on('end', onSocketEnd)
    socket.on('drain', onSocketDrain)
    socket.on('error', onSocketError)
    socket.on('close', onSocketClose)
  }

  /**
   * Says what is to be driven. At once after construction: events come from the next turn on. A
   * protocol that has done its part can start the one that goes on.
   */
  start(protocol: ProtocolConnection): void {
    this.#protocol = protocol
  }

  /** What broke the connection; null while it has not. */
  get error(): Error | null {
    return this.#error
  }

  /** Takes another connection's facts for this one's: of the client whose proxy this socket is from. */
  standFor(peer: EndpointAddress, local: EndpointAddress, tls: TlsFacts | null): void {
    this.#peer = peer
    this.#local = local
    this.#tls = tls
  }

  /** True from `destroy` on. */
  get isDestroyed(): boolean {
    return this.#state >= DESTROYED
  }

  /** True while cutting the connection would lose a request or an answer. */
  get hasWork(): boolean {
    return this.#state < DESTROYED && this.#protocol !== null && this.#protocol.hasWork
  }

  get peer(): EndpointAddress {
    this.#peer ??= peerOf(this.#socket)
    return this.#peer
  }

  get local(): EndpointAddress {
    this.#local ??= localOf(this.#socket)
    return this.#local
  }

  get tls(): TlsFacts | null {
    return this.#tls
  }

  get bufferedBytes(): number {
    if (this.#state === CLOSED) return 0
    const taken = takenBytes(this.#socket)
    return taken === null ? this.#socket.writableLength : this.#givenBytes - taken
  }

  write(chunk: Uint8Array | string): boolean {
    if (this.#state !== OPEN) return true
    this.#givenBytes += chunk.length
    this.#owner.seat.addBytesOut(chunk.length)
    return typeof chunk === 'string'
      ? this.#socket.write(chunk, 'latin1')
      : this.#socket.write(chunk)
  }

  cork(): void {
    this.#socket.cork()
  }

  uncork(): void {
    this.#socket.uncork()
  }

  pause(): void {
    if (this.#state < DESTROYED) this.#socket.pause()
  }

  resume(): void {
    if (this.#state < DESTROYED) this.#socket.resume()
  }

  end(): void {
    if (this.#state !== OPEN) return
    this.#state = ENDING
    this.#socket.end()
  }

  destroySoon(): void {
    if (this.#state !== OPEN) return
    // Mostly the kernel has everything, and closing sends the FIN behind it.
    if (this.#socket.writableLength === 0) {
      this.destroy()
      return
    }
    this.#state = ENDING
    this.#socket.destroySoon()
  }

  destroy(error?: Error): void {
    if (this.#state >= DESTROYED) return
    this.#state = DESTROYED
    this.#error ??= error ?? null
    this.#owner.wheel.remove(this)
    // A reset shows the peer that this is no regular end, and frees what waits in the kernel for a
    // client that takes nothing: a plain close would keep it there for minutes, and uncounted.
    if (error === undefined) this.#socket.destroy()
    else this.#socket.resetAndDestroy()
  }

  setDeadline(atMs: number): void {
    if (this.#state >= DESTROYED) return
    this.deadlineMs = atMs
    if (atMs < this.slotFloorMs) this.#owner.wheel.schedule(this)
  }

  override onDeadline(): void {
    if (this.#state >= DESTROYED) return
    try {
      this.#protocol?.onTimeout()
    } catch (error) {
      this.fail(error)
    }
  }

  /** Passes the notice of a drain on. */
  notifyDrain(notice: DrainNotice, idleDeadlineMs: number): void {
    if (this.#state >= DESTROYED) return
    try {
      this.#protocol?.onDrainNotice(notice, idleDeadlineMs)
    } catch (error) {
      this.fail(error)
    }
  }

  /**
   * Contains a protocol that threw: one connection ends, not the thread with all of them. Destroyed
   * before anybody is told, who might throw in turn and leave the socket open.
   */
  fail(error: unknown): void {
    this.destroy(error instanceof Error ? error : undefined)
    this.#owner.onTransportFault(error)
  }

  handleData(bytes: Uint8Array, length: number): void {
    if (this.#state >= DESTROYED) return
    this.#owner.seat.addBytesIn(length)
    try {
      this.#protocol!.onData(bytes, 0, length)
    } catch (error) {
      this.fail(error)
    }
  }

  handleEnd(): void {
    if (this.#state >= DESTROYED) return
    try {
      this.#protocol!.onEnd()
    } catch (error) {
      this.fail(error)
    }
  }

  handleDrain(): void {
    if (this.#state !== OPEN) return
    try {
      this.#protocol!.onDrain()
    } catch (error) {
      this.fail(error)
    }
  }

  handleError(error: Error): void {
    this.#error ??= error
  }

  handleClose(): void {
    this.#state = CLOSED
    this.#owner.wheel.remove(this)
    this.#owner.onTransportClosed(this)
    const protocol = this.#protocol
    this.#protocol = null
    try {
      protocol?.onClose(this.#error)
    } catch (error) {
      this.#owner.onTransportFault(error)
    }
  }
}

function onSocketRead(this: Socket, length: number): boolean {
  ;(this as OwnedSocket)[TRANSPORT].handleData(READ_BUFFER, length)
  return true
}

function onSocketData(this: Socket, bytes: Uint8Array): void {
  ;(this as OwnedSocket)[TRANSPORT].handleData(bytes, bytes.length)
}

function onSocketEnd(this: Socket): void {
  ;(this as OwnedSocket)[TRANSPORT].handleEnd()
}

function onSocketDrain(this: Socket): void {
  ;(this as OwnedSocket)[TRANSPORT].handleDrain()
}

function onSocketError(this: Socket, error: Error): void {
  ;(this as OwnedSocket)[TRANSPORT].handleError(error)
}

function onSocketClose(this: Socket): void {
  ;(this as OwnedSocket)[TRANSPORT].handleClose()
}

/** The client's end of a socket, while the socket still knows. */
export function peerOf(socket: Socket): EndpointAddress {
  const { remoteAddress, remotePort, remoteFamily } = socket
  return endpoint(remoteAddress, remotePort, remoteFamily)
}

function localOf(socket: Socket): EndpointAddress {
  const { localAddress, localPort, localFamily } = socket
  return endpoint(localAddress, localPort, localFamily)
}

const MAPPED_PREFIX = '::ffff:'

/** A client that came over IPv4 to a dual-stack socket is shown by its IPv4 address. */
function endpoint(address?: string, port?: number, family?: string): EndpointAddress {
  if (address === undefined || port === undefined) return UNKNOWN_ENDPOINT
  if (family !== 'IPv6') return { address, port, family: 'IPv4' }
  if (address.startsWith(MAPPED_PREFIX) && address.includes('.')) {
    return { address: address.slice(MAPPED_PREFIX.length), port, family: 'IPv4' }
  }
  return { address, port, family: 'IPv6' }
}
