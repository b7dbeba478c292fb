import type { MessagePort, Transferable } from 'node:worker_threads'
import type { SerializedError } from './serialized-error.ts'
import type { ErrorNote, FailedRequest, StartStage, WarningCode } from './server-events.ts'
import type { ThreadSettings } from './server-options.ts'
import type { SocketFacts } from './socket-keeper.ts'

/** What a worker thread is started with. */
export interface WorkerStart {
  readonly controlBlock: SharedArrayBuffer
  /** A MetricsBlock; null where nothing is measured. */
  readonly metrics: SharedArrayBuffer | null
  /** True where the main thread is to hear of handler errors that the hooks are told of, too. */
  readonly notesErrors: boolean
  /** Its row in the control block. */
  readonly seat: number
  readonly workerId: number
  readonly workers: number
  /** Origin of the server's clock on the system's monotonic one. */
  readonly clockOriginMs: number
  readonly settings: ThreadSettings
  /** Most time between two heartbeats. */
  readonly heartbeatIntervalMs: number
  /** When a drain is to be expected, on the server's clock; null when none is. */
  readonly expectedDrainMs: number | null
  readonly reusePort: boolean
  /** A socket that listens already; null for a new one. */
  readonly descriptor: number | null
  /** Whether it moves connections to other workers when it has too many. */
  readonly rebalance: boolean
  readonly applicationUrl: string
  readonly hooksUrl: string | null
  readonly hooksData: unknown
  readonly memory: MemoryEnd
}

/** The worker's end of the channel through which it gets shared memory by name. */
export interface MemoryEnd {
  readonly port: MessagePort
  /** One Int32 cell, raised and notified with each answer. */
  readonly signal: SharedArrayBuffer
}

export interface MemoryRequest {
  readonly id: number
  readonly name: string
  readonly bytes: number
}

export type MemoryReply =
  | { readonly id: number; readonly block: SharedArrayBuffer; readonly refusal: null }
  | { readonly id: number; readonly block: null; readonly refusal: string }

/** A task for the compute pool, on its way from a worker or the main thread. */
export interface ComputeJob {
  /** The module whose function runs. */
  readonly fileUrl: string
  /** The name that it exports the function by. */
  readonly name: string
  readonly task: unknown
  /** What of `task` is handed over instead of copied. */
  readonly transfer: readonly Transferable[]
  /** Null where the pool may have any bound. */
  readonly maxThreads: number | null
  readonly maxQueue: number | null
}

/** From a worker to the compute pool, on a port of its own. */
export type ComputeRequest =
  | { readonly type: 'run'; readonly id: number; readonly job: ComputeJob }
  /** The result is not wanted any more. No answer follows. */
  | { readonly type: 'cancel'; readonly id: number }

/** How a task has ended, from the compute pool to the worker that asked. */
export type ComputeReply =
  | { readonly type: 'done'; readonly id: number; readonly value: unknown }
  | { readonly type: 'failed'; readonly id: number; readonly error: SerializedError }

/** From the supervisor to a worker. */
export type SupervisorMessage =
  | {
      /** Stop accepting, finish until the deadline, cut the rest, tear down, end. May come again, sooner. */
      readonly type: 'drain'
      readonly deadlineMs: number
      /** True when another thread goes on accepting on the port, mostly from the same socket. */
      readonly hasSuccessor: boolean
    }
  /** Tell those who are answering that a drain is to be expected. */
  | { readonly type: 'drain-notice'; readonly deadlineMs: number }
  | RoutesMessage

/** The steps of `reloadRoutes()`: all load, then all change, or none does. */
export type RoutesMessage = {
  readonly type: 'prepare-routes' | 'commit-routes' | 'drop-routes'
  /** Of the routes; raised with each reload. */
  readonly version: number
}

/** From a worker, of the thread that it names. */
export type RoutesReply =
  | {
      readonly type: 'routes-prepared' | 'routes-committed'
      readonly version: number
      readonly threadId: number
    }
  | {
      readonly type: 'routes-failed'
      readonly version: number
      readonly threadId: number
      /** The module that was to be loaded. */
      readonly url: string
      readonly error: SerializedError
    }

/** From a worker to the supervisor. */
export type WorkerMessage =
  | RoutesReply
  /** The application's setup is done: from now on there is something to tear down. */
  | { readonly type: 'set-up' }
  /** The descriptor that it was given is being opened: from now on it is the worker's to close. */
  | { readonly type: 'adopting' }
  | { readonly type: 'listening'; readonly port: number; readonly socket: SocketFacts }
  | { readonly type: 'failed'; readonly stage: StartStage; readonly error: SerializedError }
  /** No connection is left; `remaining` were cut. */
  | { readonly type: 'drained'; readonly remaining: number }
  | {
      readonly type: 'handler-error'
      readonly error: SerializedError
      readonly request: FailedRequest | null
    }
  | ErrorNote
  /** The worker's first task for the compute pool is on its way through this port. */
  | { readonly type: 'compute'; readonly port: MessagePort }
  | { readonly type: 'handler-errors-dropped'; readonly count: number }
  | { readonly type: 'warning'; readonly code: WarningCode; readonly message: string }
