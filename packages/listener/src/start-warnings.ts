import { type AcceptQueueFate, acceptQueueAdvice } from './accept-queue.ts'
import type { Balance } from './balance.ts'
import { descriptorShortage, readProcessLimits } from './descriptor-limit.ts'
import { memoryShortage } from './memory-limit.ts'
import type { WarningCode } from './server-events.ts'
import type { ServerSettings } from './server-options.ts'

/** How a server is about to start. */
export interface StartPlan {
  readonly settings: ServerSettings
  /** Workers that were asked for. */
  readonly wanted: number
  /** Workers that there will be. */
  readonly workers: number
  readonly balance: Balance
  readonly acceptQueue: AcceptQueueFate
}

export interface StartWarning {
  readonly code: WarningCode
  readonly message: string
}

/** What somebody who starts a server so, here, should know. */
export function startWarnings(plan: StartPlan): readonly StartWarning[] {
  const { settings, wanted, workers, balance, acceptQueue } = plan
  const warnings: StartWarning[] = []
  const warn = (code: WarningCode, message: string | null): void => {
    if (message !== null) warnings.push({ code, message })
  }
  if (workers < wanted) {
    const message = `threads can't share a port on this platform: 1 worker instead of ${wanted}`
    warn('RR_REUSEPORT_UNAVAILABLE', message)
  }
  if (settings.balance === 'shared' && balance !== 'shared') {
    warn('RR_BALANCE_UNAVAILABLE', `threads can't share a listening socket here: each has its own`)
  }
  warn('RR_MEMORY_LIMIT', memoryShortage(workers, settings.workerHeapMb))
  warn('RR_DESCRIPTOR_LIMIT', descriptorShortage(settings.maxConnections, readProcessLimits()))
  warn('RR_ACCEPT_QUEUE', acceptQueueAdvice(acceptQueue))
  return warnings
}
