import {
  type AccessEntry,
  type Application,
  createHttpService,
  type HttpRequest,
  type RequestDurations,
  type WorkerContext,
} from '@rr/core'
import type { ControlBlock, WorkerSeat } from './control-block.ts'
import { DeadlineWheel } from './deadline-wheel.ts'
import { describeThrown, HookGuard } from './hook-guard.ts'
import { type BoundAddress, HttpListener } from './http-listener.ts'
import type { WarningCode } from './server-events.ts'
import type { ThreadSettings } from './server-options.ts'

/** What one thread needs to serve an application. */
export interface ThreadServerOptions {
  readonly application: Application
  readonly context: WorkerContext
  readonly settings: ThreadSettings
  readonly reusePort: boolean
  readonly block: ControlBlock
  readonly seat: number
  /** Counts how long requests take; null where nothing does. */
  readonly durations: RequestDurations | null
  /** Most time between two heartbeats. */
  readonly heartbeatIntervalMs: number
  /** The server's clock. */
  readonly time: () => number
  /** These two are users' functions: one that throws or rejects is a warning. */
  readonly onError: (error: unknown, request: HttpRequest | null) => void
  readonly onAccess: ((entry: AccessEntry) => void) | null
  readonly onWarning: (code: WarningCode, message: string) => void
}

/** Out of descriptors, a system fails every accept: one warning in this time is enough. */
const ACCEPT_WARNING_INTERVAL_MS = 10_000

/** An application served by one thread: its clock, its row in the control block, its listener. */
export class ThreadServer {
  readonly #options: ThreadServerOptions
  readonly #seat: WorkerSeat
  readonly #wheel: DeadlineWheel
  readonly #listener: HttpListener
  #acceptWarningAtMs = Number.NEGATIVE_INFINITY

  constructor(options: ThreadServerOptions) {
    const { settings, onAccess } = options
    const hooks = new HookGuard(options.onWarning)
    const onError = hooks.guard('onError', options.onError)
    const seat = options.block.seat(options.seat, settings.maxConnections)
    this.#options = options
    this.#seat = seat
    this.#wheel = new DeadlineWheel({
      time: options.time,
      idleTickMs: options.heartbeatIntervalMs,
      onTick: (nowMs) => seat.heartbeat(nowMs),
    })
    const service = createHttpService({
      handler: options.application.handler,
      maxBodyBytes: options.application.maxBodyBytes,
      limits: settings,
      clock: this.#wheel,
      metrics: seat,
      durations: options.durations,
      onError,
      onAccess: onAccess === null ? null : hooks.guard('onAccess', onAccess),
    })
    this.#listener = new HttpListener({
      wheel: this.#wheel,
      seat,
      overload: settings.overload,
      drainIdleGraceMs: settings.drainIdleGraceMs,
      connect: (transport) => service.connect(transport),
      onFault: (error) => onError(error, null),
      onAcceptError: (error) => this.#warnOfAcceptError(error),
    })
  }

  get connections(): number {
    return this.#listener.connections
  }

  /** Resolves with what it is bound to; rejects with the system's error. */
  async listen(): Promise<BoundAddress> {
    const { settings, reusePort } = this.#options
    const { host, port, backlog } = settings
    const bound = await this.#listener.listen({ host, port, backlog, reusePort })
    this.#wheel.start()
    this.#seat.heartbeat(this.#wheel.nowMs)
    this.#seat.setPhase('accepting')
    return bound
  }

  /** Drains the listener (see there). The clock goes on until the last connection is gone. */
  async drain(deadlineMs: number): Promise<number> {
    this.#seat.setPhase('draining')
    const remaining = await this.#listener.drain(deadlineMs)
    this.#wheel.stop()
    return remaining
  }

  /** Runs the application's `teardown`. A failure is a warning: nothing is left that it could spoil. */
  async tearDown(): Promise<void> {
    const { application, context, onWarning } = this.#options
    try {
      await application.teardown(context)
    } catch (error) {
      onWarning('RR_TEARDOWN_FAILED', `teardown failed: ${describeThrown(error)}`)
    }
  }

  #warnOfAcceptError(error: Error): void {
    const { nowMs } = this.#wheel
    if (nowMs < this.#acceptWarningAtMs + ACCEPT_WARNING_INTERVAL_MS) return
    this.#acceptWarningAtMs = nowMs
    this.#options.onWarning('RR_ACCEPT_FAILED', `a connection was not accepted: ${error.message}`)
  }
}
