import type { MetricsBlock, ThreadCounts } from '../metrics-block.ts'
import type { ServerInfo, WorkerInfo } from '../server-info.ts'
import type { RecentTroubles } from './recent-troubles.ts'

/** What the admin server tells of. Nothing of it waits for a worker. */
export interface AdminSource {
  readonly info: () => ServerInfo
  /**
   * The seats of a worker in the metrics block, the one of the thread that serves first: what a
   * thread is like now is read there, what has been counted is the sum over all.
   */
  readonly seatsOf: (workerId: number) => readonly [number, ...number[]]
  /** Null where nothing is measured. */
  readonly metrics: MetricsBlock | null
  readonly troubles: RecentTroubles
  /** Whether a worker that stands still is replaced. */
  readonly replacesStalled: boolean
}

/** What a worker's threads have said of themselves: how the present one is, what all have counted. */
export interface ThreadFigures {
  /** Null while no thread runs. */
  readonly now: ThreadCounts | null
  readonly total: (field: keyof ThreadCounts) => number
  /**
   * Greatest lateness of the event loop of late. A thread that stands still cannot say so: what is
   * known of its heartbeat from outside counts as well.
   */
  readonly loopDelayPeakMs: number
}

/** A heartbeat this old is no lateness yet: an idle worker's comes every half second. */
const HEARTBEAT_ALLOWANCE_MS = 1000

export function threadFigures(
  metrics: MetricsBlock,
  worker: WorkerInfo,
  seats: readonly number[],
): ThreadFigures {
  const counts = seats.map((seat) => metrics.seat(seat).readFields())
  const now = worker.threadId === null ? null : counts[0]!
  const ageMs = worker.heartbeatAgeMs ?? 0
  const isListening = worker.phase === 'accepting' || worker.phase === 'draining'
  const standstillMs = isListening && ageMs > HEARTBEAT_ALLOWANCE_MS ? ageMs : 0
  return {
    now,
    total: (field) => counts.reduce((sum, seat) => sum + seat[field], 0),
    loopDelayPeakMs: Math.max(now?.loopDelayPeakMs ?? 0, standstillMs),
  }
}
