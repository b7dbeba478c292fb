import {
  type AccessEntry,
  type Application,
  createHttpService,
  type HttpRequest,
  type HttpService,
  type RefusalObserver,
  type RequestDurations,
  type RequestLog,
  type RouteTable,
  type WorkerContext,
} from '@rr/core'
import { clientGate } from './client-gate.ts'
import { ShareWatch } from './connection-share.ts'
import type { ControlBlock, WorkerSeat } from './control-block.ts'
import { DeadlineWheel } from './deadline-wheel.ts'
import { publishDrainEnded, publishDrainStarted } from './diagnostics.ts'
import { describeThrown, HookGuard } from './hook-guard.ts'
import { type BoundAddress, HttpListener } from './http-listener.ts'
import { LoadGuard } from './load-guard.ts'
import { type ProxyRefusal, REFUSED_BECAUSE } from './proxied-connection.ts'
import type { WarningCode } from './server-events.ts'
import type { ThreadSettings } from './server-options.ts'

/** What one thread needs to serve an application. */
export interface ThreadServerOptions {
  readonly application: Application
  readonly context: WorkerContext
  readonly settings: ThreadSettings
  readonly reusePort: boolean
  /** A socket that listens already; null for a new one. */
  readonly descriptor: number | null
  readonly block: ControlBlock
  readonly seat: number
  /** Whether connections are moved to other threads when this one has too many. */
  readonly rebalance: boolean
  /** Counts how long requests take; null where nothing does. */
  readonly durations: RequestDurations | null
  /** Most time between two heartbeats. */
  readonly heartbeatIntervalMs: number
  /** The server's clock. */
  readonly time: () => number
  /** These are users' functions: one that throws or rejects is a warning. */
  readonly onError: (error: unknown, request: HttpRequest | null) => void
  readonly onAccess: ((entry: AccessEntry) => void) | null
  readonly onRefusal: RefusalObserver | null
  readonly onWarning: (code: WarningCode, message: string) => void
  /** What `request.log` logs to. */
  readonly log: RequestLog
}

/** What fails once mostly goes on failing: one warning of a kind in this time is enough. */
const WARNING_INTERVAL_MS = 10_000

/** An application served by one thread: its clock, its row in the control block, its listener. */
export class ThreadServer {
  readonly #options: ThreadServerOptions
  readonly #seat: WorkerSeat
  readonly #wheel: DeadlineWheel
  readonly #service: HttpService
  readonly #listener: HttpListener
  #acceptWarningAtMs = Number.NEGATIVE_INFINITY
  #isDraining = false
  #proxyWarningAtMs = Number.NEGATIVE_INFINITY

  constructor(options: ThreadServerOptions) {
    const { settings, onAccess } = options
    const hooks = new HookGuard(options.onWarning)
    const onError = hooks.guard('onError', options.onError)
    const seat = options.block.seat(options.seat, settings.maxConnections)
    const guard = LoadGuard.create(settings, seat)
    const onRefusal =
      options.onRefusal === null ? null : hooks.guard('onRefusal', options.onRefusal)
    this.#options = options
    this.#seat = seat
    const share = options.rebalance ? new ShareWatch(options.block, seat) : null
    this.#wheel = new DeadlineWheel({
      time: options.time,
      idleTickMs: options.heartbeatIntervalMs,
      onTick: (nowMs, lateMs) => {
        seat.heartbeat(nowMs)
        share?.onTick(nowMs)
        guard?.tick(lateMs)
      },
    })
    const service = createHttpService({
      handler: options.application.handler,
      routeLimits: options.application.routeLimits,
      limits: settings,
      clock: this.#wheel,
      metrics: seat,
      share,
      durations: options.durations,
      admission: guard,
      onRefusal,
      workerId: options.context.workerId,
      log: options.log,
      onError,
      onAccess: onAccess === null ? null : hooks.guard('onAccess', onAccess),
    })
    this.#service = service
    this.#listener = new HttpListener({
      wheel: this.#wheel,
      seat,
      workerId: options.context.workerId,
      overload: settings.overload,
      drainIdleGraceMs: settings.drainIdleGraceMs,
      gate: clientGate(
        settings,
        options.block.clientSlots(options.seat, settings.maxConnectionsPerClient),
      ),
      onProxyRefused: (reason, address) => this.#warnOfProxy(reason, address),
      connect: (transport) => service.connect(transport),
      onFault: (error) => onError(error, null),
      onRefusal,
      onAcceptError: (error) => this.#warnOfAcceptError(error),
    })
  }

  get connections(): number {
    return this.#listener.connections
  }

  /** Resolves with what it is bound to; rejects with the system's error. */
  async listen(): Promise<BoundAddress> {
    const { settings, reusePort, descriptor } = this.#options
    const { host, port, backlog } = settings
    const bound = await this.#listener.listen({ host, port, backlog, reusePort, descriptor })
    this.#wheel.start()
    this.#seat.heartbeat(this.#wheel.nowMs)
    this.#seat.setPhase('accepting')
    return bound
  }

  /** See `HttpListener.notifyDrain`. */
  notifyDrain(deadlineMs: number): void {
    this.#listener.notifyDrain(deadlineMs)
  }

  /** See `HttpService.replaceRoutes`. */
  replaceRoutes(routes: RouteTable): void {
    this.#service.replaceRoutes(routes)
  }

  /** Drains the listener (see there). The clock goes on until the last connection is gone. */
  async drain(deadlineMs: number, hasSuccessor = false): Promise<number> {
    this.#seat.setPhase('draining')
    const { workerId } = this.#options.context
    const isFirst = !this.#isDraining
    this.#isDraining = true
    if (isFirst) {
      const timeoutMs = Math.max(0, deadlineMs - this.#options.time())
      publishDrainStarted({ workerId, connections: this.connections, timeoutMs })
    }
    const remaining = await this.#listener.drain(deadlineMs, hasSuccessor)
    this.#wheel.stop()
    if (isFirst) publishDrainEnded({ workerId, remaining })
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
    if (nowMs < this.#acceptWarningAtMs + WARNING_INTERVAL_MS) return
    this.#acceptWarningAtMs = nowMs
    this.#options.onWarning('RR_ACCEPT_FAILED', `a connection was not accepted: ${error.message}`)
  }

  #warnOfProxy(reason: ProxyRefusal, address: string): void {
    const { nowMs } = this.#wheel
    if (nowMs < this.#proxyWarningAtMs + WARNING_INTERVAL_MS) return
    this.#proxyWarningAtMs = nowMs
    const message = `a connection from ${address} was closed: PROXY protocol, ${REFUSED_BECAUSE[reason]}`
    this.#options.onWarning('RR_PROXY_REFUSED', message)
  }
}
