import { resolveOptions } from '@rr/core'
import type { ReloadLimits } from './reload.ts'
import type {
  DrainOptions,
  NotifyDrainOptions,
  ReloadOptions,
  ReloadRoutesOptions,
} from './server.ts'
import { SERVER_OPTIONS } from './server-options.ts'

// What the calls of a server take. Where a call leaves a time out, the server's own option holds.

const NOTICE_OPTIONS = { timeoutMs: SERVER_OPTIONS.drainTimeoutMs } as const

const DRAIN_OPTIONS = { ...NOTICE_OPTIONS, delayMs: SERVER_OPTIONS.drainDelayMs } as const

const RELOAD_OPTIONS = {
  ...NOTICE_OPTIONS,
  startTimeoutMs: {
    type: 'integer',
    // Long for what loads much; what never listens would hold up all reloads behind it.
    default: 300_000,
    minimum: 1,
    maximum: 86_400_000,
    doc: 'Time in which each new worker must listen.',
  },
} as const

const RELOAD_ROUTES_OPTIONS = {
  timeoutMs: {
    type: 'integer',
    default: 30_000,
    minimum: 1,
    maximum: 86_400_000,
    doc: 'Time in which all workers must have loaded the new routes.',
  },
} as const

/** The times of the server that hold where a call gives none. */
interface DrainTimes {
  readonly drainTimeoutMs: number
  readonly drainDelayMs: number
}

/** Checks the options of `drain()`. */
export function resolveDrainOptions(
  input: DrainOptions,
  { drainTimeoutMs, drainDelayMs }: DrainTimes,
): { readonly timeoutMs: number; readonly delayMs: number } {
  const { timeoutMs, delayMs } = resolveOptions(DRAIN_OPTIONS, input, 'drain()')
  return {
    timeoutMs: input.timeoutMs === undefined ? drainTimeoutMs : timeoutMs,
    delayMs: input.delayMs === undefined ? drainDelayMs : delayMs,
  }
}

/** Checks the options of `notifyDrain()`, and gives its time. */
export function resolveNoticeTimeout(input: NotifyDrainOptions, drainTimeoutMs: number): number {
  const { timeoutMs } = resolveOptions(NOTICE_OPTIONS, input, 'notifyDrain()')
  return input.timeoutMs === undefined ? drainTimeoutMs : timeoutMs
}

/** Checks the options of `reload()`. */
export function resolveReloadOptions(input: ReloadOptions, drainTimeoutMs: number): ReloadLimits {
  const { timeoutMs, startTimeoutMs } = resolveOptions(RELOAD_OPTIONS, input, 'reload()')
  return {
    leaveMs: input.timeoutMs === undefined ? drainTimeoutMs : timeoutMs,
    startMs: startTimeoutMs,
  }
}

/** Checks the options of `reloadRoutes()`, and gives its time. */
export function resolveReloadRoutesTimeout(input: ReloadRoutesOptions): number {
  return resolveOptions(RELOAD_ROUTES_OPTIONS, input, 'reloadRoutes()').timeoutMs
}
