import { guarded } from './hook-guard.ts'
import type { SerializedError } from './serialized-error.ts'

/** Which request a handler failed on. Cut to a length that is safe to log. */
export interface FailedRequest {
  /** As `request.id`. */
  readonly id: string
  readonly method: string
  /** As it was sent, the query included. */
  readonly target: string
  /** The address of `request.client`. */
  readonly client: string
}

/** Why a worker thread ended. */
export type ExitReason =
  /** An error that nobody caught, or a promise rejected that nobody handled. */
  | 'crashed'
  | 'out-of-memory'
  /** `process.exit()` in the application, or nothing was left to keep the thread alive. */
  | 'exited'
  /** Ended by the supervisor because its event loop stood still. */
  | 'stalled'
  /** Could not start; `worker-failed` says why. */
  | 'failed'
  /** Another thread took its place, in a reload. */
  | 'replaced'
  /** The server drained or stopped. */
  | 'stopped'

/** Part of the start that a worker failed in. */
export type StartStage = 'hooks' | 'application' | 'setup' | 'listen'

/** What `onEvent` is told. Delays and times are in milliseconds. */
export type ServerEvent =
  | {
      readonly type: 'server-starting'
      readonly workers: number
      /** Why so many, in words. */
      readonly workersReason: string
    }
  | {
      readonly type: 'worker-listening'
      readonly workerId: number
      readonly threadId: number
      /** 1 for the first thread with this worker id, one more for each that replaced it. */
      readonly generation: number
      readonly port: number
    }
  | {
      readonly type: 'worker-failed'
      readonly workerId: number
      readonly generation: number
      readonly stage: StartStage
      readonly error: SerializedError
    }
  | {
      readonly type: 'worker-exited'
      readonly workerId: number
      readonly generation: number
      readonly reason: ExitReason
      readonly exitCode: number
      readonly error: SerializedError | null
      /** Connections and requests that ended with the thread. */
      readonly connectionsLost: number
      readonly requestsLost: number
      /** When another takes its place; null when none does. */
      readonly restartDelayMs: number | null
    }
  | {
      readonly type: 'worker-stalled'
      readonly workerId: number
      /** How long its event loop has stood still so far. */
      readonly stalledMs: number
      /** True when the worker is being ended for it. */
      readonly isReplaced: boolean
    }
  | { readonly type: 'worker-recovered'; readonly workerId: number; readonly stalledMs: number }
  | {
      readonly type: 'handler-error'
      readonly workerId: number
      readonly error: SerializedError
      /** Null when rr itself failed, outside of any handler. */
      readonly request: FailedRequest | null
    }
  | {
      /** More handlers failed than are reported one by one. */
      readonly type: 'handler-errors-dropped'
      readonly workerId: number
      readonly count: number
    }
  | { readonly type: 'reload-started' }
  | {
      readonly type: 'reload-ended'
      /** How many workers run fresh code now. */
      readonly replaced: number
      /** Why the others don't; null when all do. */
      readonly failed: SerializedError | null
    }
  /** `notifyDrain()`: nothing stops. */
  | { readonly type: 'drain-expected'; readonly timeoutMs: number }
  | {
      /** The admin server answers; before any worker does. */
      readonly type: 'admin-listening'
      readonly host: string
      readonly port: number
      readonly url: string
    }
  | {
      readonly type: 'drain-started'
      readonly timeoutMs: number
      /** How long connections are still accepted, before that time begins. */
      readonly delayMs: number
    }
  | { readonly type: 'drain-ended'; readonly drained: boolean; readonly remaining: number }
  /** `reloadRoutes()` has changed them in all workers; one that fails is told by its promise. */
  | { readonly type: 'routes-reloaded'; readonly durationMs: number }
  | {
      readonly type: 'warning'
      readonly code: WarningCode
      readonly message: string
      /** Null when it is about the server as a whole. */
      readonly workerId: number | null
    }

/**
 * A handler error that a worker's hooks were told of. It goes to the recent troubles that the admin
 * server shows, not to `onEvent`: who has hooks logs it there.
 */
export interface ErrorNote {
  readonly type: 'error-note'
  readonly error: SerializedError
  readonly request: FailedRequest | null
}

/** What the slots report: what `onEvent` is told, and what it is not. */
export type SlotEvent = ServerEvent | (ErrorNote & { readonly workerId: number })

/** What an event `warning` is about. */
export type WarningCode =
  /** This platform can't share a port between threads: one worker runs. */
  | 'RR_REUSEPORT_UNAVAILABLE'
  /** Threads can't share a listening socket here: each has its own. */
  | 'RR_BALANCE_UNAVAILABLE'
  /** Connections that wait to be accepted are reset when their worker is replaced. */
  | 'RR_ACCEPT_QUEUE'
  /** The process may not open as many files as `maxConnections` asks for. */
  | 'RR_DESCRIPTOR_LIMIT'
  /** The heaps that the workers may fill are more than the cgroup's memory. */
  | 'RR_MEMORY_LIMIT'
  /** The system could not accept a connection. */
  | 'RR_ACCEPT_FAILED'
  /** A connection was closed for its PROXY protocol header, or the want of one. */
  | 'RR_PROXY_REFUSED'
  /** The application's `teardown`, or a hook's `close`, failed. */
  | 'RR_TEARDOWN_FAILED'
  /** A function given as a hook threw, or its promise rejected; told once for each function. */
  | 'RR_HOOK_FAILED'
  /** A worker did not end by itself in time and was ended, or stands where nothing can end it. */
  | 'RR_WORKER_TERMINATED'
  /** A thread of the compute pool failed while it had no task, or could not be started. */
  | 'RR_POOL_FAILED'

/**
 * What `onEvent` is: called as things happen, one after the other. A promise that it returns is not
 * waited for.
 */
export type EventListener = (event: ServerEvent) => void

/** Delivers events without letting a listener that throws or rejects harm the server. */
export function createEventSink(listener: EventListener | undefined): EventListener {
  if (listener === undefined) return reportOnConsole
  return guarded(listener, (error) => console.error('rr: onEvent failed', error))
}

/** What is done with events when nobody asked for them: troubles are shown, the rest is not. */
function reportOnConsole(event: ServerEvent): void {
  const text = describeTrouble(event)
  if (text !== null) console.error(`rr: ${text}`)
}

/** What is no trouble, or is told by another event. */
const QUIET_ENDS: ReadonlySet<ExitReason> = new Set(['stopped', 'replaced', 'failed'])

/** An event that tells of trouble as text, with the stack below it; null for any other. */
export function describeTrouble(event: ServerEvent): string | null {
  switch (event.type) {
    case 'worker-failed':
      return `worker ${event.workerId} failed to start (${event.stage}): ${describeError(event.error)}`
    case 'worker-exited': {
      if (QUIET_ENDS.has(event.reason)) return null
      const then = event.restartDelayMs === null ? '' : `, replaced in ${event.restartDelayMs} ms`
      const error = event.error === null ? '' : `: ${describeError(event.error)}`
      return `worker ${event.workerId} ${event.reason} (code ${event.exitCode}${then})${error}`
    }
    case 'worker-stalled':
      return `worker ${event.workerId} has stood still for ${event.stalledMs} ms`
    case 'worker-recovered':
      return `worker ${event.workerId} runs again after ${event.stalledMs} ms`
    case 'handler-error': {
      const { request } = event
      const where = request === null ? 'rr' : `handler of ${request.method} ${request.target}`
      return `${where} failed in worker ${event.workerId}: ${describeError(event.error)}`
    }
    case 'handler-errors-dropped':
      return `${event.count} more handler errors in worker ${event.workerId} are not shown`
    case 'warning':
      return `${event.code}: ${event.message}`
    default:
      return null
  }
}

function describeError(error: SerializedError): string {
  const text = error.stack ?? `${error.name}: ${error.message}`
  return error.cause === null ? text : `${text}\n  cause: ${describeError(error.cause)}`
}
