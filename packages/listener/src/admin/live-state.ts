import { fineCellMs } from '../duration-buckets.ts'
import type { DurationSeries } from '../metrics-block.ts'
import type { ServerInfo } from '../server-info.ts'
import { type AdminSource, type ThreadFigures, threadFigures } from './admin-source.ts'
import { type Health, readiness } from './health.ts'
import { type ProcessFacts, readProcessFacts, VERSION } from './process-facts.ts'
import type { Trouble } from './recent-troubles.ts'

/** How many routes the page shows: those with the most requests. */
const MAX_ROUTES = 20

/** What the live page asks for each second. Counts are since the start: the page subtracts. */
export interface LiveState {
  /** Milliseconds since 1970. */
  readonly nowMs: number
  readonly version: string
  readonly node: string
  readonly pid: number
  readonly isMeasured: boolean
  readonly ready: Health
  readonly info: ServerInfo
  readonly process: ProcessFacts
  /** By worker, in the order of `info.workers`; null while no thread runs. */
  readonly threads: readonly (LiveThread | null)[]
  /** Durations of all requests: the middle of a cell in milliseconds, and how many fell into it. */
  readonly latency: readonly (readonly [ms: number, count: number])[]
  readonly routes: readonly LiveRoute[]
  readonly troubles: readonly Trouble[]
}

export interface LiveThread {
  readonly heapUsedBytes: number
  readonly heapLimitBytes: number
  readonly loopDelayMs: number
  readonly cpuMs: number
}

/** Requests of one route and method. */
export interface LiveRoute {
  readonly route: string
  readonly method: string
  readonly requests: number
  /** Of those, the ones answered with 5xx. */
  readonly failures: number
  readonly sumMs: number
}

export function liveState(source: AdminSource): LiveState {
  const { metrics, troubles } = source
  const info = source.info()
  return {
    nowMs: Date.now(),
    version: VERSION,
    node: process.versions.node,
    pid: process.pid,
    isMeasured: metrics !== null,
    ready: readiness(info),
    info,
    process: readProcessFacts(),
    threads: info.workers.map((worker) =>
      metrics === null
        ? null
        : liveThread(threadFigures(metrics, worker, source.seatsOf(worker.id))),
    ),
    latency: metrics === null ? [] : usedCells(metrics.fineCounts()),
    routes: metrics === null ? [] : busiestRoutes(metrics.series()),
    troubles: troubles.list,
  }
}

function liveThread({ now, total, loopDelayPeakMs }: ThreadFigures): LiveThread | null {
  if (now === null) return null
  const isStanding = loopDelayPeakMs > now.loopDelayPeakMs
  return {
    heapUsedBytes: now.heapUsedBytes,
    heapLimitBytes: now.heapLimitBytes,
    loopDelayMs: isStanding ? loopDelayPeakMs : now.loopDelayMaxMs,
    cpuMs: total('cpuUserMs') + total('cpuSystemMs'),
  }
}

function usedCells(counts: Float64Array): LiveState['latency'] {
  const used: [number, number][] = []
  for (const [cell, count] of counts.entries()) if (count > 0) used.push([fineCellMs(cell), count])
  return used
}

function busiestRoutes(all: readonly DurationSeries[]): LiveRoute[] {
  const routes = new Map<string, LiveRoute>()
  for (const { route, method, status, counts, sumMs } of all) {
    const key = `${route} ${method}`
    const requests = counts.reduce((sum, count) => sum + count, 0)
    const earlier = routes.get(key)
    routes.set(key, {
      route,
      method,
      requests: (earlier?.requests ?? 0) + requests,
      failures: (earlier?.failures ?? 0) + (status === '5xx' ? requests : 0),
      sumMs: (earlier?.sumMs ?? 0) + sumMs,
    })
  }
  return [...routes.values()].sort((one, two) => two.requests - one.requests).slice(0, MAX_ROUTES)
}
