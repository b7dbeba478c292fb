import type { ServerInfo, WorkerInfo } from '../server-info.ts'

/** An answer to a probe. */
export interface Health {
  readonly isWell: boolean
  /** Why, in words. */
  readonly reason: string
}

/**
 * Whether the process is of use or will be by itself. A worker that ends is replaced, so only two
 * states are beyond repair from within: nothing is left, or every event loop stands still and no
 * stalled worker is replaced.
 */
export function liveness(info: ServerInfo, replacesStalled: boolean): Health {
  if (info.status === 'stopped') return { isWell: false, reason: 'stopped' }
  const { workers } = info
  const isStuck = workers.length > 0 && workers.every(({ isStalled }) => isStalled)
  if (isStuck && !replacesStalled) return { isWell: false, reason: 'every worker is stalled' }
  return { isWell: true, reason: info.status }
}

/**
 * Whether requests should be sent here: from when all workers listen until a drain begins, while at
 * least one of them can answer.
 */
export function readiness(info: ServerInfo): Health {
  const { workers, status } = info
  const serving = workers.filter(isServing).length
  const count = `${serving} of ${workers.length} workers serve`
  if (status === 'starting') return { isWell: false, reason: `starting: ${count}` }
  if (status !== 'accepting') return { isWell: false, reason: status }
  return { isWell: serving > 0, reason: count }
}

function isServing(worker: WorkerInfo): boolean {
  return worker.phase === 'accepting' && !worker.isStalled
}

/** One line for each part that was looked at, and the verdict. */
export function describeHealth(name: string, health: Health, info: ServerInfo): string {
  const lines = info.workers.map((worker) => {
    const state = worker.isStalled ? 'stalled' : worker.phase
    return `[${isServing(worker) ? '+' : '-'}] worker ${worker.id}: ${state}`
  })
  const verdict = health.isWell ? 'ok' : 'failed'
  return [`server: ${info.status}`, ...lines, `${name} ${verdict}: ${health.reason}`, ''].join('\n')
}
