import type { SerializedError } from './serialized-error.ts'
import type { FailedRequest, StartStage, WarningCode } from './server-events.ts'
import type { ThreadSettings } from './server-options.ts'

/** What a worker thread is started with. */
export interface WorkerStart {
  readonly controlBlock: SharedArrayBuffer
  /** Its row in the control block. */
  readonly seat: number
  readonly workerId: number
  readonly workers: number
  /** Origin of the server's clock on the system's monotonic one. */
  readonly clockOriginMs: number
  readonly settings: ThreadSettings
  /** Most time between two heartbeats. */
  readonly heartbeatIntervalMs: number
  readonly reusePort: boolean
  readonly applicationUrl: string
  readonly hooksUrl: string | null
  readonly hooksData: unknown
}

/** From the supervisor to a worker. */
export type SupervisorMessage = {
  /** Stop accepting, finish until the deadline, cut the rest, tear down, end. May come again, sooner. */
  readonly type: 'drain'
  readonly deadlineMs: number
}

/** From a worker to the supervisor. */
export type WorkerMessage =
  /** The application's setup is done: from now on there is something to tear down. */
  | { readonly type: 'set-up' }
  | { readonly type: 'listening'; readonly port: number }
  | { readonly type: 'failed'; readonly stage: StartStage; readonly error: SerializedError }
  /** No connection is left; `remaining` were cut. */
  | { readonly type: 'drained'; readonly remaining: number }
  | {
      readonly type: 'handler-error'
      readonly error: SerializedError
      readonly request: FailedRequest | null
    }
  | { readonly type: 'handler-errors-dropped'; readonly count: number }
  | { readonly type: 'warning'; readonly code: WarningCode; readonly message: string }
