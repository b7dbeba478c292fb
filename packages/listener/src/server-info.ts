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
  /** Connections past maxConnectionsPerClient. */
  readonly clientConnections: number
  /** Connections closed for a PROXY protocol header that was wrong, late, missing or not theirs to send. */
  readonly proxyProtocol: number
  /** Requests refused before a handler saw them, by the status that answered them. */
  readonly requests: Readonly<Record<RefusalStatus | 'other', number>>
}

/** One worker: the counts of all threads that have had its id. */
export interface WorkerInfo extends ServerCounts {
  /** 1 to the number of workers; kept when the thread is replaced. */
  readonly id: number
  /** Node's id of the thread, 0 for the main thread; null while none runs. */
  readonly threadId: number | null
  /** Where the thread is in its life. */
  readonly phase: Phase
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
  /** The compute pool, which all servers of the process share. */
  readonly compute: ComputeCounts
  /** By id. */
  readonly workers: readonly WorkerInfo[]
}

/** What a server knows of a worker besides its counts. */
export interface WorkerFacts {
  readonly id: number
  readonly seat: number
  readonly threadId: number | null
  readonly generation: number
  readonly restartInMs: number | null
  readonly isStalled: boolean
}

/** Reads the row of one worker. */
export function readWorkerInfo(block: ControlBlock, nowMs: number, facts: WorkerFacts): WorkerInfo {
  const { seat, ...known } = facts
  const counts = block.read(seat)
  const heartbeatAgeMs = known.threadId === null ? null : Math.max(0, nowMs - counts.heartbeatMs)
  return { ...known, phase: counts.phase, heartbeatAgeMs, ...countsOf(counts) }
}

/** Sums the rows of all workers. Connections come from the one count that admission goes by. */
export function sumCounts(block: ControlBlock, workers: readonly WorkerInfo[]): ServerCounts {
  const sum = (read: (worker: WorkerInfo) => number): number =>
    workers.reduce((total, worker) => total + read(worker), 0)
  const requests: Record<string, number> = {}
  for (const status of [...REFUSAL_STATUSES, 'other'] as const) {
    requests[status] = sum((worker) => worker.rejections.requests[status])
  }
  return {
    connections: block.connections,
    connectionsAccepted: sum((worker) => worker.connectionsAccepted),
    requests: sum((worker) => worker.requests),
    inFlight: sum((worker) => worker.inFlight),
    bytesIn: sum((worker) => worker.bytesIn),
    bytesOut: sum((worker) => worker.bytesOut),
    rejections: {
      total: sum((worker) => worker.rejections.total),
      connections: sum((worker) => worker.rejections.connections),
      clientConnections: sum((worker) => worker.rejections.clientConnections),
      proxyProtocol: sum((worker) => worker.rejections.proxyProtocol),
      requests: requests as Rejections['requests'],
    },
  }
}

function countsOf(counts: SeatCounts): ServerCounts {
  const { connections, connectionsAccepted, requests, bytesIn, bytesOut } = counts
  const inFlight = requests - counts.requestsFinished
  const rejections = rejectionsOf(counts)
  return { connections, connectionsAccepted, requests, inFlight, bytesIn, bytesOut, rejections }
}

function rejectionsOf(counts: SeatCounts): Rejections {
  const requests: Record<string, number> = { other: counts.refusedOther }
  const connections = counts.connectionsRefused
  const clientConnections = counts.clientConnectionsRefused
  const proxyProtocol = counts.proxyProtocolRefused
  let total = connections + clientConnections + proxyProtocol + counts.refusedOther
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
  }
}
