import type { ConnectionMetrics, ReachedLimit, RequestRefusalCause } from '@rr/core'
import { ClientSlots, clientSlotBytes, initializeClientSlots } from './client-slots.ts'

/**
 * The one block of memory that all threads share, and the one module that reads and writes it.
 * CONTROL-BLOCK.md holds these tables; a test holds it to them.
 *
 * Every thread that serves has a seat: a row of cells that it alone writes while it runs, so that
 * counting takes a plain store. Only the count of open connections is written by all, and behind the
 * seats the counts of connections by client (client-slots.ts), where there is a limit on those.
 */

interface FieldRow {
  readonly type: 'int32' | 'float64'
  readonly doc: string
}

/** Cells of the whole server. */
export const SERVER_FIELDS = {
  connections: {
    type: 'int32',
    doc: 'Connections that hold a slot, over all seats; changed by compare-and-swap only.',
  },
  phase: { type: 'int32', doc: 'The server: 0 stopped, 1 starting, 2 accepting, 3 draining.' },
  requestsHeld: {
    type: 'int32',
    doc: 'Requests that hold a slot of maxRequestsInFlight, over all seats; changed by compare-and-swap only.',
  },
  clientSlots: {
    type: 'int32',
    doc: 'Where the counts of connections by client begin, in bytes; 0 without them.',
  },
} as const

/** Cells of one seat. */
export const SEAT_FIELDS = {
  connections: { type: 'int32', doc: 'Connections that hold a slot in this thread.' },
  phase: { type: 'int32', doc: 'This thread: 0 stopped, 1 starting, 2 accepting, 3 draining.' },
  heartbeatMs: { type: 'float64', doc: 'When its event loop last turned, on the server clock.' },
  utilization: {
    type: 'float64',
    doc: 'Part of the last second in which its event loop was not waiting, 0 to 1.',
  },
  connectionsShed: { type: 'float64', doc: 'Connections closed for the balance between threads.' },
  connectionsAccepted: { type: 'float64', doc: 'Connections that were given a slot.' },
  connectionsRefused: { type: 'float64', doc: 'Connections refused over maxConnections.' },
  clientConnectionsRefused: {
    type: 'float64',
    doc: 'Connections refused over maxConnectionsPerClient.',
  },
  proxyProtocolRefused: {
    type: 'float64',
    doc: 'Connections refused for their PROXY protocol header, or the want of one.',
  },
  requests: { type: 'float64', doc: 'Requests handed to the application.' },
  requestsFinished: { type: 'float64', doc: 'Of those, the ones that have ended.' },
  bytesIn: { type: 'float64', doc: 'Bytes received on connections.' },
  bytesOut: { type: 'float64', doc: 'Bytes given to connections to send.' },
  refused400: { type: 'float64', doc: 'Requests refused as malformed.' },
  refused408: { type: 'float64', doc: 'Requests refused as too slow.' },
  refused413: { type: 'float64', doc: 'Requests refused for their body size.' },
  refused414: { type: 'float64', doc: 'Requests refused for the length of their request line.' },
  refused417: { type: 'float64', doc: 'Requests refused for an unknown expectation.' },
  refused431: { type: 'float64', doc: 'Requests refused for the size of their header.' },
  refused501: { type: 'float64', doc: 'Requests refused for their method or transfer coding.' },
  refused503: { type: 'float64', doc: 'Requests refused because the server is unavailable.' },
  refused505: { type: 'float64', doc: 'Requests refused for their HTTP version.' },
  refusedOther: { type: 'float64', doc: 'Requests refused with any other status.' },
  limitMaxRequestLineBytes: {
    type: 'float64',
    doc: 'Clients that met the bound of maxRequestLineBytes.',
  },
  limitMaxHeaderLineBytes: {
    type: 'float64',
    doc: 'Clients that met the bound of maxHeaderLineBytes.',
  },
  limitMaxHeaderBlockBytes: {
    type: 'float64',
    doc: 'Clients that met the bound of maxHeaderBlockBytes.',
  },
  limitMaxHeaders: { type: 'float64', doc: 'Clients that met the bound of maxHeaders.' },
  limitMaxBodyBytes: { type: 'float64', doc: 'Clients that met the bound of maxBodyBytes.' },
  limitMaxChunkExtensionBytes: {
    type: 'float64',
    doc: 'Clients that met the bound of maxChunkExtensionBytes.',
  },
  limitHeadersTimeoutMs: {
    type: 'float64',
    doc: 'Clients that met the bound of headersTimeoutMs.',
  },
  limitRequestTimeoutMs: {
    type: 'float64',
    doc: 'Clients that met the bound of requestTimeoutMs.',
  },
  limitMinBytesPerSecond: {
    type: 'float64',
    doc: 'Clients that met the bound of minBytesPerSecond.',
  },
  limitSendTimeoutMs: { type: 'float64', doc: 'Clients that met the bound of sendTimeoutMs.' },
  limitHalfOpenTimeoutMs: {
    type: 'float64',
    doc: 'Clients that met the bound of halfOpenTimeoutMs.',
  },
  requestsHeld: {
    type: 'int32',
    doc: 'Requests that hold a slot of maxRequestsInFlight in this thread.',
  },
  shedInFlight: { type: 'float64', doc: 'Requests refused over maxRequestsInFlight.' },
  shedWorkerInFlight: {
    type: 'float64',
    doc: 'Requests refused over maxRequestsInFlightPerWorker.',
  },
  shedLoopDelay: { type: 'float64', doc: 'Requests refused because of shedLoopDelayMs.' },
  shedFraction: { type: 'float64', doc: 'Part of the requests that shedLoopDelayMs refuses now.' },
} as const

type FieldTable = Readonly<Record<string, FieldRow>>
type SeatField = keyof typeof SEAT_FIELDS

/** Statuses of refused requests that have a cell of their own. */
export const REFUSAL_STATUSES = [400, 408, 413, 414, 417, 431, 501, 503, 505] as const
/** A status of refused requests that is counted by itself. */
export type RefusalStatus = (typeof REFUSAL_STATUSES)[number]

const PHASES = ['stopped', 'starting', 'accepting', 'draining'] as const
/** Where a server or one of its threads is in its life. */
export type Phase = (typeof PHASES)[number]

/**
 * Seats begin this far apart at least: two cache lines, because processors prefetch them in pairs
 * and neighbours that write the same pair slow each other.
 */
const ALIGNMENT = 128

const SERVER_CELLS = cellsOf(SERVER_FIELDS)
const SEAT_CELLS = cellsOf(SEAT_FIELDS)
const SERVER_BYTES = bytesOf(SERVER_FIELDS)
const SEAT_BYTES = bytesOf(SEAT_FIELDS)

/** The cell for a status, by status. */
const REFUSAL_CELLS = new Uint8Array(600).fill(SEAT_CELLS.refusedOther)
for (const status of REFUSAL_STATUSES) REFUSAL_CELLS[status] = SEAT_CELLS[`refused${status}`]

/** The cells of the causes that no status tells. */
const SHED_CELLS: { readonly [cause in Exclude<RequestRefusalCause, 'protocol'>]: number } = {
  'requests-in-flight': SEAT_CELLS.shedInFlight,
  'worker-requests-in-flight': SEAT_CELLS.shedWorkerInFlight,
  'loop-delay': SEAT_CELLS.shedLoopDelay,
}

/** Indexes within a row: of 32-bit cells for int32, of 64-bit cells for float64. */
function cellsOf<Table extends FieldTable>(table: Table): Record<keyof Table, number> {
  const cells: Record<string, number> = {}
  let bytes = 0
  for (const type of ['int32', 'float64'] as const) {
    const width = type === 'int32' ? 4 : 8
    bytes = Math.ceil(bytes / width) * width
    for (const [name, row] of Object.entries(table)) {
      if (row.type !== type) continue
      cells[name] = bytes / width
      bytes += width
    }
  }
  return cells as Record<keyof Table, number>
}

function bytesOf(table: FieldTable): number {
  const bytes = Object.values(table).reduce((sum, row) => sum + (row.type === 'int32' ? 4 : 8), 8)
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT
}

/** What a seat's cells said at one moment. */
export type SeatCounts = { readonly [Name in Exclude<SeatField, 'phase'>]: number } & {
  readonly phase: Phase
}

/** What the counts of connections by client are made for. */
interface ClientLimits {
  readonly maxConnections: number
  readonly maxConnectionsPerClient: number
}

const NO_CLIENT_LIMIT: ClientLimits = { maxConnections: 0, maxConnectionsPerClient: 0 }

/** The block as a whole: made and read by the supervisor, opened by every thread. */
export class ControlBlock {
  readonly buffer: SharedArrayBuffer
  readonly #ints: Int32Array
  readonly #longs: BigInt64Array
  readonly #floats: Float64Array
  readonly #readBits: BigInt64Array = new BigInt64Array(1)
  readonly #readFloat: Float64Array = new Float64Array(this.#readBits.buffer)

  private constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer
    this.#ints = new Int32Array(buffer)
    this.#longs = new BigInt64Array(buffer)
    this.#floats = new Float64Array(buffer)
  }

  /**
   * A new block with all cells 0.
   *
   * @param limits with a `maxConnectionsPerClient` from 1 on, connections are counted by client
   */
  static create(seats: number, limits: ClientLimits = NO_CLIENT_LIMIT): ControlBlock {
    const bytes = SERVER_BYTES + seats * SEAT_BYTES
    const { maxConnections, maxConnectionsPerClient } = limits
    if (maxConnectionsPerClient === 0) return new ControlBlock(new SharedArrayBuffer(bytes))
    const buffer = new SharedArrayBuffer(bytes + clientSlotBytes(maxConnections))
    initializeClientSlots(buffer, bytes, maxConnections)
    const block = new ControlBlock(buffer)
    block.#ints[SERVER_CELLS.clientSlots] = bytes
    return block
  }

  /** The same block in another thread. */
  static open(buffer: SharedArrayBuffer): ControlBlock {
    return new ControlBlock(buffer)
  }

  /** How many seats there are. */
  get seats(): number {
    const end = this.#ints[SERVER_CELLS.clientSlots]! || this.buffer.byteLength
    return Math.floor((end - SERVER_BYTES) / SEAT_BYTES)
  }

  /** The cells that one serving thread writes. */
  seat(index: number, maxConnections: number): WorkerSeat {
    return new WorkerSeat(this.#ints, this.#floats, index, maxConnections)
  }

  seatConnections(index: number): number {
    return Atomics.load(this.#ints, seatBase(index) / 4 + SEAT_CELLS.connections)
  }

  seatUtilization(index: number): number {
    return this.#loadFloat(seatBase(index) / 8 + SEAT_CELLS.utilization)
  }

  /** The counts of connections by client, as a thread uses them; null without them. */
  clientSlots(index: number, limit: number): ClientSlots | null {
    const offset = this.#ints[SERVER_CELLS.clientSlots]!
    return offset === 0 ? null : new ClientSlots(this.buffer, offset, index, limit)
  }

  get connections(): number {
    return Atomics.load(this.#ints, SERVER_CELLS.connections)
  }

  get requestsHeld(): number {
    return Atomics.load(this.#ints, SERVER_CELLS.requestsHeld)
  }

  get phase(): Phase {
    return PHASES[Atomics.load(this.#ints, SERVER_CELLS.phase)]!
  }

  set phase(phase: Phase) {
    Atomics.store(this.#ints, SERVER_CELLS.phase, PHASES.indexOf(phase))
  }

  /** The phase of a seat; set by the supervisor only while no thread sits there. */
  seatPhase(index: number): Phase {
    return PHASES[Atomics.load(this.#ints, seatBase(index) / 4 + SEAT_CELLS.phase)]!
  }

  setSeatPhase(index: number, phase: Phase): void {
    Atomics.store(this.#ints, seatBase(index) / 4 + SEAT_CELLS.phase, PHASES.indexOf(phase))
  }

  heartbeatMs(index: number): number {
    return this.#loadFloat(seatBase(index) / 8 + SEAT_CELLS.heartbeatMs)
  }

  setHeartbeat(index: number, nowMs: number): void {
    this.#floats[seatBase(index) / 8 + SEAT_CELLS.heartbeatMs] = nowMs
  }

  /** Reads a seat. Finished is read before started, so that their difference is never negative. */
  read(index: number): SeatCounts {
    const base = seatBase(index)
    const finished = this.#loadFloat(base / 8 + SEAT_CELLS.requestsFinished)
    const counts: Record<string, number | Phase> = {}
    for (const [name, row] of Object.entries(SEAT_FIELDS)) {
      const cell = SEAT_CELLS[name as SeatField]
      counts[name] =
        row.type === 'int32'
          ? Atomics.load(this.#ints, base / 4 + cell)
          : this.#loadFloat(base / 8 + cell)
    }
    counts['requestsFinished'] = finished
    counts['phase'] = this.seatPhase(index)
    return counts as SeatCounts
  }

  /**
   * Clears a seat whose thread has ended: its slots go back to all, its requests in flight count as
   * ended. What was counted in sum stays.
   *
   * @returns how many connections and requests ended with the thread
   */
  reclaim(index: number): { readonly connections: number; readonly requests: number } {
    const base = seatBase(index)
    const connections = Atomics.exchange(this.#ints, base / 4 + SEAT_CELLS.connections, 0)
    Atomics.sub(this.#ints, SERVER_CELLS.connections, connections)
    const held = Atomics.exchange(this.#ints, base / 4 + SEAT_CELLS.requestsHeld, 0)
    Atomics.sub(this.#ints, SERVER_CELLS.requestsHeld, held)
    this.#floats[base / 8 + SEAT_CELLS.shedFraction] = 0
    this.clientSlots(index, 0)?.reclaim(index)
    const { requests, requestsFinished } = this.read(index)
    this.#floats[base / 8 + SEAT_CELLS.requestsFinished] = requests
    this.setSeatPhase(index, 'stopped')
    return { connections, requests: requests - requestsFinished }
  }

  /** A float64 cell without tearing, which only integer views promise (ECMA-262 §25.4). */
  #loadFloat(cell: number): number {
    this.#readBits[0] = Atomics.load(this.#longs, cell)
    return this.#readFloat[0]!
  }
}

function seatBase(index: number): number {
  return SERVER_BYTES + index * SEAT_BYTES
}

/** What one serving thread writes: admission, and the counts of its hot path. */
export class WorkerSeat implements ConnectionMetrics {
  readonly index: number
  readonly #ints: Int32Array
  readonly #floats: Float64Array
  readonly #maxConnections: number
  readonly #ownConnections: number
  readonly #ownRequests: number
  readonly #phase: number
  readonly #floatBase: number
  readonly #requests: number
  readonly #requestsFinished: number
  readonly #bytesIn: number
  readonly #bytesOut: number

  constructor(ints: Int32Array, floats: Float64Array, index: number, maxConnections: number) {
    const base = seatBase(index)
    this.index = index
    this.#ints = ints
    this.#floats = floats
    this.#maxConnections = maxConnections
    this.#ownConnections = base / 4 + SEAT_CELLS.connections
    this.#ownRequests = base / 4 + SEAT_CELLS.requestsHeld
    this.#phase = base / 4 + SEAT_CELLS.phase
    this.#floatBase = base / 8
    this.#requests = base / 8 + SEAT_CELLS.requests
    this.#requestsFinished = base / 8 + SEAT_CELLS.requestsFinished
    this.#bytesIn = base / 8 + SEAT_CELLS.bytesIn
    this.#bytesOut = base / 8 + SEAT_CELLS.bytesOut
  }

  /**
   * Takes a connection slot if one is free. Exact both ways: a compare-and-swap never overshoots
   * the limit, as add-and-take-back would for a moment in which others are refused a free slot.
   */
  tryAcquire(): boolean {
    const ints = this.#ints
    const own = this.#ownConnections
    for (;;) {
      const open = Atomics.load(ints, SERVER_CELLS.connections)
      if (open >= this.#maxConnections) return false
      if (Atomics.compareExchange(ints, SERVER_CELLS.connections, open, open + 1) === open) {
        // V8 looks for a request to end the thread at function entries and loop back-edges only, so
        // it can't end between the two counts, and what it held can be given back to the last one.
        ints[own]! += 1
        this.#floats[this.#floatBase + SEAT_CELLS.connectionsAccepted]! += 1
        return true
      }
    }
  }

  /** Gives a slot back. Straight-line for the same reason. */
  release(): void {
    Atomics.sub(this.#ints, SERVER_CELLS.connections, 1)
    this.#ints[this.#ownConnections]! -= 1
  }

  connectionShed(): void {
    this.#floats[this.#floatBase + SEAT_CELLS.connectionsShed]! += 1
  }

  setUtilization(utilization: number): void {
    this.#floats[this.#floatBase + SEAT_CELLS.utilization] = utilization
  }

  /** Takes a slot for a request, as `tryAcquire` does for a connection and as exactly. */
  tryAcquireRequest(maxRequests: number): boolean {
    const ints = this.#ints
    for (;;) {
      const held = Atomics.load(ints, SERVER_CELLS.requestsHeld)
      if (held >= maxRequests) return false
      if (Atomics.compareExchange(ints, SERVER_CELLS.requestsHeld, held, held + 1) === held) {
        ints[this.#ownRequests]! += 1
        return true
      }
    }
  }

  /** Gives a request's slot back. */
  releaseRequest(): void {
    Atomics.sub(this.#ints, SERVER_CELLS.requestsHeld, 1)
    this.#ints[this.#ownRequests]! -= 1
  }

  setShedFraction(fraction: number): void {
    this.#floats[this.#floatBase + SEAT_CELLS.shedFraction] = fraction
  }

  connectionRefused(): void {
    this.#floats[this.#floatBase + SEAT_CELLS.connectionsRefused]! += 1
  }

  clientConnectionRefused(): void {
    this.#floats[this.#floatBase + SEAT_CELLS.clientConnectionsRefused]! += 1
  }

  proxyProtocolRefused(): void {
    this.#floats[this.#floatBase + SEAT_CELLS.proxyProtocolRefused]! += 1
  }

  requestStarted(): void {
    this.#floats[this.#requests]! += 1
  }

  requestFinished(): void {
    this.#floats[this.#requestsFinished]! += 1
  }

  requestRejected(status: number, cause: RequestRefusalCause): void {
    const ofStatus = REFUSAL_CELLS[status] ?? SEAT_CELLS.refusedOther
    const cell = cause === 'protocol' ? ofStatus : SHED_CELLS[cause]
    this.#floats[this.#floatBase + cell]! += 1
  }

  limitReached(limit: ReachedLimit): void {
    this.#floats[this.#floatBase + SEAT_CELLS[limitField(limit)]]! += 1
  }

  addBytesIn(count: number): void {
    this.#floats[this.#bytesIn]! += count
  }

  addBytesOut(count: number): void {
    this.#floats[this.#bytesOut]! += count
  }

  heartbeat(nowMs: number): void {
    this.#floats[this.#floatBase + SEAT_CELLS.heartbeatMs] = nowMs
  }

  setPhase(phase: Phase): void {
    Atomics.store(this.#ints, this.#phase, PHASES.indexOf(phase))
  }
}

/** The field that counts how often a limit was met. */
export function limitField<Limit extends ReachedLimit>(limit: Limit): `limit${Capitalize<Limit>}` {
  return `limit${limit[0]!.toUpperCase()}${limit.slice(1)}` as `limit${Capitalize<Limit>}`
}
