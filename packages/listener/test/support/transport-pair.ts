import type { AddressInfo } from 'node:net'
import { createServer, type Server, type Socket } from 'node:net'
import { ControlBlock, type WorkerSeat } from '../../src/control-block.ts'
import { DeadlineWheel } from '../../src/deadline-wheel.ts'
import { monotonicMs } from '../../src/monotonic-clock.ts'
import { NetTransport, type TransportOwner } from '../../src/net-transport.ts'
import { RawClient } from './raw-client.ts'
import { RecordingProtocol } from './recording-protocol.ts'
import { until } from './until.ts'

/** A server of bare transports that speak the recording protocol, and clients of it. */
export class TransportPair implements TransportOwner {
  readonly wheel: DeadlineWheel = new DeadlineWheel({ time: () => Math.floor(monotonicMs()) })
  readonly block: ControlBlock = ControlBlock.create(1)
  readonly seat: WorkerSeat = this.block.seat(0, 1000)
  readonly faults: unknown[] = []
  /** Called with each fault, besides. */
  onFaultDo: ((error: unknown) => void) | null = null
  /** Called with each accepted socket, before its transport is made. */
  onSocketDo: ((socket: Socket) => void) | null = null
  readonly closed: NetTransport[] = []
  readonly transports: NetTransport[] = []
  readonly protocols: RecordingProtocol[] = []
  readonly #server: Server = createServer({ allowHalfOpen: true, noDelay: true })
  readonly #clients: RawClient[] = []
  #port = 0

  async start(host = '127.0.0.1'): Promise<void> {
    this.wheel.start()
    this.#server.on('connection', (socket) => {
      this.onSocketDo?.(socket)
      const transport = new NetTransport(socket, this)
      const protocol = new RecordingProtocol(transport)
      this.transports.push(transport)
      this.protocols.push(protocol)
      transport.start(protocol)
    })
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(0, host, resolve)
    })
    this.#port = (this.#server.address() as AddressInfo).port
  }

  /** A client with the protocol at the other end of it. */
  async connect(host?: string): Promise<{ client: RawClient; protocol: RecordingProtocol }> {
    const index = this.protocols.length
    const client = await RawClient.connect(this.#port, host)
    this.#clients.push(client)
    await until(() => this.protocols.length > index, 'the connection')
    return { client, protocol: this.protocols[index]! }
  }

  onTransportClosed(transport: NetTransport): void {
    this.closed.push(transport)
  }

  onTransportFault(error: unknown): void {
    this.faults.push(error)
    this.onFaultDo?.(error)
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.close()
    for (const transport of this.transports) transport.destroy()
    this.wheel.stop()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
