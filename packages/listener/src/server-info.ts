import type { AcceptQueueFate } from './accept-queue.ts'
import type { ComputeCounts } from './compute-service.ts'
import {
  type ControlBlock,
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
  /** Requests refused before a handler saw them, by the status that answered them. */
  readonly requests: Readonly<Record<RefusalStatus | 'other', number>>
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
  /** Threads that were replaced by a reload and still finish what they have. */
  readonly leaving: number
  /** Threads started with this id. */
  readonly generation: number
  /** Milliseconds until a thread is started again, while none runs and one is to be; else null. */
  readonly restartInMs: number | null
  /** True from when its event loop has stood still for `stallTimeoutMs` until it goes on. */
  readonly isStalled: boolean
  /** Milliseconds since its event loop last turned; null while no thread runs. */
  readonly heartbeatAgeMs: number | null
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
  const heartbeatAgeMs = threadId === null ? null : Math.max(0, nowMs - block.heartbeatMs(seat))
  const counts = sumOf(seats.map((each) => countsOf(block.read(each))))
  return { ...known, phase: block.seatPhase(seat), heartbeatAgeMs, ...counts }
}

/** Sums the rows of all workers. Connections come from the one count that admission goes by. */
export function sumCounts(block: ControlBlock, workers: readonly WorkerInfo[]): ServerCounts {
  return { ...sumOf(workers), connections: block.connections }
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
    bytesIn: sum((row) => row.bytesIn),
    bytesOut: sum((row) => row.bytesOut),
    rejections: {
      total: sum((row) => row.rejections.total),
      connections: sum((row) => row.rejections.connections),
      requests: requests as Rejections['requests'],
    },
  }
}

function countsOf(counts: SeatCounts): ServerCounts {
  const { connections, connectionsAccepted, connectionsShed, requests, bytesIn, bytesOut } = counts
  const inFlight = requests - counts.requestsFinished
  const rejections = rejectionsOf(counts)
  return {
    connections,
    connectionsAccepted,
    connectionsShed,
    requests,
    inFlight,
    bytesIn,
    bytesOut,
    rejections,
  }
}

function rejectionsOf(counts: SeatCounts): Rejections {
  const requests: Record<string, number> = { other: counts.refusedOther }
  let total = counts.connectionsRefused + counts.refusedOther
  for (const status of REFUSAL_STATUSES) {
    const count = counts[`refused${status}`]
    requests[status] = count
    total += count
  }
  const connections = counts.connectionsRefused
  return { total, connections, requests: requests as Rejections['requests'] }
}
