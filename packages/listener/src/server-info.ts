import {
  type ControlBlock,
  type Phase,
  REFUSAL_STATUSES,
  type RefusalStatus,
  type SeatCounts,
} from './control-block.ts'

/** Where a server is in its life. */
export type ServerStatus = Phase

/** Counts since the start, kept by a worker or summed over all; in flight and open are of now. */
export interface ServerCounts {
  readonly connections: number
  readonly connectionsAccepted: number
  readonly requests: number
  readonly inFlight: number
  readonly bytesIn: number
  readonly bytesOut: number
  readonly rejections: Rejections
}

/** What was refused, by cause. */
export interface Rejections {
  readonly total: number
  /** Connections past maxConnections. */
  readonly connections: number
  /** Requests refused before a handler saw them, by the status that answered them. */
  readonly requests: Readonly<Record<RefusalStatus | 'other', number>>
}

/** One worker: the counts of all threads that have had its id. */
export interface WorkerInfo extends ServerCounts {
  readonly id: number
  /** Null while no thread runs. */
  readonly threadId: number | null
  readonly phase: Phase
  /** Threads started with this id. */
  readonly generation: number
  /** When a thread is started again, while none runs and one is to be. */
  readonly restartInMs: number | null
  readonly isStalled: boolean
  /** Time since its event loop last turned; null while no thread runs. */
  readonly heartbeatAgeMs: number | null
}

/** What `info()` returns: read from memory that the workers share, so it never waits for one. */
export interface ServerInfo extends ServerCounts {
  readonly status: ServerStatus
  readonly url: string
  readonly host: string
  readonly port: number
  readonly uptimeMs: number
  readonly maxConnections: number
  readonly workersReason: string
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
  let total = counts.connectionsRefused + counts.refusedOther
  for (const status of REFUSAL_STATUSES) {
    const count = counts[`refused${status}`]
    requests[status] = count
    total += count
  }
  const connections = counts.connectionsRefused
  return { total, connections, requests: requests as Rejections['requests'] }
}
