import { REACHED_LIMITS, type ReachedLimit } from '@rr/core'
import type { AcceptQueueFate } from './accept-queue.ts'
import type { ComputeCounts } from './compute-service.ts'
import {
  type ControlBlock,
  limitField,
  type Phase,
  REFUSAL_STATUSES,
  type RefusalStatus,
  type SeatCounts,
} from './control-block.ts'

/** Where a server is in its life. */
export type ServerStatus = Phase

/** Counts of one worker, or summed over all. Those since the start survive a worker's replacement. */
export interface ServerCounts {
  /** Connections open now; refused ones are not among them. */
  readonly connections: number
  /** Connections accepted since the start, refused ones not counted. */
  readonly connectionsAccepted: number
  /** Of those, the ones closed for the balance between workers. */
  readonly connectionsShed: number
  /** Requests handed to the application since the start. */
  readonly requests: number
  /** Of those, the ones whose answer is not complete now. */
  readonly inFlight: number
  /**
   * Requests that hold a slot of `maxRequestsInFlight` now; 0 while that is off. More than
   * `inFlight` where handlers run on after their clients have left.
   */
  readonly requestsHeld: number
  /** Bytes received on connections since the start, heads and framing included. */
  readonly bytesIn: number
  /** Bytes given to connections to send since the start; a slow client may not have them yet. */
  readonly bytesOut: number
  /** What was refused since the start, by cause. */
  readonly rejections: Rejections
}

/** What was refused, by cause. */
export interface Rejections {
  /** All of the below. */
  readonly total: number
  /** Connections past maxConnections. */
  readonly connections: number
  /** Connections past maxConnectionsPerClient. */
  readonly clientConnections: number
  /** Connections closed for a PROXY protocol header that was wrong, late, missing or not theirs to send. */
  readonly proxyProtocol: number
  /** Requests refused before a handler saw them, by the status that answered them. */
  readonly requests: Readonly<Record<RefusalStatus | 'other', number>>
  /**
   * How often each limit on what a client sends, and on how slowly it sends and takes, was met: the
   * refusals by limit, and the connections cut off for a client that takes nothing. What is among
   * `requests` is counted there by its status too; the others are not in `total`.
   */
  readonly limits: Readonly<Record<ReachedLimit, number>>
  /** Requests answered 503 for the load of the server; 503s of the application are not here. */
  readonly shed: ShedCounts
}

/** Requests refused for the load of the server, by cause. */
export interface ShedCounts {
  /** Past `maxRequestsInFlight`. */
  readonly inFlight: number
  /** Past `maxRequestsInFlightPerWorker`. */
  readonly workerInFlight: number
  /** Because of `shedLoopDelayMs`. */
  readonly loopDelay: number
}

/** One worker: the counts of all threads that have had its id. */
export interface WorkerInfo extends ServerCounts {
  /** 1 to the number of workers; kept when the thread is replaced. */
  readonly id: number
  /** Node's id of the thread, 0 for the main thread; null while none runs. */
  readonly threadId: number | null
  /** The port that it listens on: the server's, but with `balance: 'ports'`. Null before it does. */
  readonly port: number | null
  /** Where the thread is in its life. */
  readonly phase: Phase
  /** Threads that were replaced and still finish what they have, or cannot be ended. */
  readonly leaving: number
  /** Threads started with this id. */
  readonly generation: number
  /** Milliseconds until a thread is started again, while none runs and one is to be; else null. */
  readonly restartInMs: number | null
  /** True from when its event loop has stood still for `stallTimeoutMs` until it goes on. */
  readonly isStalled: boolean
  /** Milliseconds since its event loop last turned; null while no thread runs. */
  readonly heartbeatAgeMs: number | null
  /** Part of its requests that `shedLoopDelayMs` refuses now, 0 to 1. */
  readonly shedFraction: number
}

/** What `info()` returns: read from memory that the workers share, so it never waits for one. */
export interface ServerInfo extends ServerCounts {
  /** As `Server.status()`. */
  readonly status: ServerStatus
  /** As `Server.url`. */
  readonly url: string
  /** The address that it is bound to. */
  readonly host: string
  /** The port that it is bound to. */
  readonly port: number
  /** Milliseconds since its start. */
  readonly uptimeMs: number
  /** The limit on `connections`. */
  readonly maxConnections: number
  /** Why there are as many workers as there are, in words. */
  readonly workersReason: string
  /** What becomes of connections that wait to be accepted when a worker is replaced or dies. */
  readonly acceptQueue: AcceptQueueFate
  /** The compute pool, which all servers of the process share. */
  readonly compute: ComputeCounts
  /** By id. */
  readonly workers: readonly WorkerInfo[]
}

/** What a server knows of a worker besides its counts. */
export interface WorkerFacts {
  readonly id: number
  /** The rows of all threads that have had its id. */
  readonly seats: readonly number[]
  /** Of those, that of the thread that serves, or served last. */
  readonly seat: number
  readonly port: number | null
  readonly leaving: number
  readonly threadId: number | null
  readonly generation: number
  readonly restartInMs: number | null
  readonly isStalled: boolean
}

/** Reads the row of one worker. */
export function readWorkerInfo(block: ControlBlock, nowMs: number, facts: WorkerFacts): WorkerInfo {
  const { seat, seats, ...known } = facts
  const { threadId } = known
  const { phase, heartbeatMs, shedFraction } = block.read(seat)
  const heartbeatAgeMs = threadId === null ? null : Math.max(0, nowMs - heartbeatMs)
  const counts = sumOf(seats.map((each) => countsOf(block.read(each))))
  return { ...known, phase, heartbeatAgeMs, shedFraction, ...counts }
}

/** Sums the rows of all workers. Connections come from the one count that admission goes by. */
export function sumCounts(block: ControlBlock, workers: readonly WorkerInfo[]): ServerCounts {
  const { connections, requestsHeld } = block
  return { ...sumOf(workers), connections, requestsHeld }
}

function sumOf(rows: readonly ServerCounts[]): ServerCounts {
  const sum = (read: (row: ServerCounts) => number): number =>
    rows.reduce((total, row) => total + read(row), 0)
  const requests: Record<string, number> = {}
  for (const status of [...REFUSAL_STATUSES, 'other'] as const) {
    requests[status] = sum((row) => row.rejections.requests[status])
  }
  return {
    connections: sum((row) => row.connections),
    connectionsAccepted: sum((row) => row.connectionsAccepted),
    connectionsShed: sum((row) => row.connectionsShed),
    requests: sum((row) => row.requests),
    inFlight: sum((row) => row.inFlight),
    requestsHeld: sum((row) => row.requestsHeld),
    bytesIn: sum((row) => row.bytesIn),
    bytesOut: sum((row) => row.bytesOut),
    rejections: {
      total: sum((row) => row.rejections.total),
      connections: sum((row) => row.rejections.connections),
      clientConnections: sum((row) => row.rejections.clientConnections),
      proxyProtocol: sum((row) => row.rejections.proxyProtocol),
      requests: requests as Rejections['requests'],
      limits: limitCounts((limit) => sum((row) => row.rejections.limits[limit])),
      shed: {
        inFlight: sum((row) => row.rejections.shed.inFlight),
        workerInFlight: sum((row) => row.rejections.shed.workerInFlight),
        loopDelay: sum((row) => row.rejections.shed.loopDelay),
      },
    },
  }
}

function countsOf(counts: SeatCounts): ServerCounts {
  const { connections, connectionsAccepted, connectionsShed, requests } = counts
  const { requestsHeld, bytesIn, bytesOut } = counts
  return {
    connections,
    connectionsAccepted,
    connectionsShed,
    requests,
    inFlight: requests - counts.requestsFinished,
    requestsHeld,
    bytesIn,
    bytesOut,
    rejections: rejectionsOf(counts),
  }
}

function rejectionsOf(counts: SeatCounts): Rejections {
  const requests: Record<string, number> = { other: counts.refusedOther }
  const connections = counts.connectionsRefused
  const clientConnections = counts.clientConnectionsRefused
  const proxyProtocol = counts.proxyProtocolRefused
  const shed: ShedCounts = {
    inFlight: counts.shedInFlight,
    workerInFlight: counts.shedWorkerInFlight,
    loopDelay: counts.shedLoopDelay,
  }
  let total = connections + clientConnections + proxyProtocol + counts.refusedOther
  for (const count of Object.values(shed)) total += count
  for (const status of REFUSAL_STATUSES) {
    const count = counts[`refused${status}`]
    requests[status] = count
    total += count
  }
  return {
    total,
    connections,
    clientConnections,
    proxyProtocol,
    requests: requests as Rejections['requests'],
    limits: limitCounts((limit) => counts[limitField(limit)]),
    shed,
  }
}

function limitCounts(read: (limit: ReachedLimit) => number): Rejections['limits'] {
  const entries = REACHED_LIMITS.map((limit) => [limit, read(limit)])
  return Object.fromEntries(entries) as Rejections['limits']
}
