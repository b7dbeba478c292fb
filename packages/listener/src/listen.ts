import {
  type AccessEntry,
  type Application,
  type HttpRequest,
  type RefusalObserver,
  type RequestLog,
  RrError,
  resolveApplication,
} from '@rr/core'
import { notAcceptingError, withRoutes } from './application-module.ts'
import { resolveDrainOptions, resolveNoticeTimeout } from './call-options.ts'
import { idleCompute } from './compute-idle.ts'
import { computeService } from './compute-service.ts'
import { ControlBlock } from './control-block.ts'
import { DEFAULT_IDLE_TICK_MS } from './deadline-wheel.ts'
import { publishingEvents } from './diagnostics.ts'
import { ErrorRelay } from './error-relay.ts'
import type { BoundAddress } from './http-listener.ts'
import { clockSince, monotonicMs } from './monotonic-clock.ts'
import { bindError } from './port-guard.ts'
import { RouteChange } from './route-change.ts'
import {
  type DrainOptions,
  type DrainResult,
  drainResult,
  type InProcessServer,
  type NotifyDrainOptions,
  type ReloadResult,
  reachableUrl,
} from './server.ts'
import { createEventSink, type EventListener } from './server-events.ts'
import { readWorkerInfo, type ServerInfo, type ServerStatus, sumCounts } from './server-info.ts'
import {
  type ListenOptionsInput,
  resolveListenOptions,
  type ThreadSettings,
} from './server-options.ts'
import { stderrLog } from './stderr-log.ts'
import { ThreadServer } from './thread-server.ts'

/** What `listen()` takes: the options of `serve()` but those of workers, and these. */
export interface ListenOptions extends ListenOptionsInput {
  /** Told what happens. Without it troubles go to the console. */
  readonly onEvent?: EventListener | undefined
  /**
   * A handler failed; null when rr itself did. Without it there is an event `handler-error`. One
   * that throws or rejects is a warning, and harms no request.
   */
  readonly onError?: ((error: unknown, request: HttpRequest | null) => void) | undefined
  /** Called after each answer, as safely as `onError`. Costs on every request. */
  readonly onAccess?: ((entry: AccessEntry) => void) | undefined
  /**
   * Called for each request and connection that is refused, by whatever limit or rule, as safely as
   * `onError`. How often is up to the clients: what costs much must bound itself.
   */
  readonly onRefusal?: RefusalObserver | undefined
  /**
   * What `request.log` logs to: a pino logger, or anything with its methods. Without it handlers'
   * lines from `warn` on go to stderr, in JSON.
   */
  readonly log?: RequestLog | undefined
}

const WORKER_ID = 1
const CONTEXT = Object.freeze({ workerId: WORKER_ID, workers: 1 })
const SEAT = 0

/**
 * Serves an application in this thread: for tests, and for embedding in a program of its own.
 *
 * @param app the application itself, in any form that a module may export by default
 * @returns the server, once it listens
 * @throws RrError RR_OPTION_UNKNOWN, RR_OPTION_INVALID, RR_APPLICATION_INVALID, RR_BIND_FAILED; and
 *   what the application's `setup` throws
 *
 * @example
 * const server = await listen(() => text('hello'), { port: 0 })
 * await fetch(server.url)
 * await server.stop()
 */
export async function listen(app: unknown, options: ListenOptions = {}): Promise<InProcessServer> {
  const settings = resolveListenOptions(options)
  const resolved = resolveApplication(app)
  await resolved.setup(CONTEXT)
  const application = await loadRoutes(resolved)
  const emit = publishingEvents(createEventSink(options.onEvent))
  const relay = new ErrorRelay({
    report: (error, request) =>
      emit({ type: 'handler-error', workerId: WORKER_ID, error, request }),
    reportDropped: (count) => emit({ type: 'handler-errors-dropped', workerId: WORKER_ID, count }),
  })
  const block = ControlBlock.create(1, settings)
  const time = clockSince(monotonicMs())
  const server = new ThreadServer({
    application,
    context: CONTEXT,
    settings,
    durations: null,
    heartbeatIntervalMs: DEFAULT_IDLE_TICK_MS,
    reusePort: false,
    descriptor: null,
    rebalance: false,
    block,
    seat: SEAT,
    time,
    onError: options.onError ?? ((error, request) => relay.report(error, request)),
    onAccess: options.onAccess ?? null,
    onRefusal: options.onRefusal ?? null,
    onWarning: (code, message) => emit({ type: 'warning', code, message, workerId: WORKER_ID }),
    log: options.log ?? stderrLog({ worker: WORKER_ID }),
  })
  let bound: BoundAddress
  try {
    bound = await server.listen()
  } catch (error) {
    await server.tearDown()
    throw bindError(error as NodeJS.ErrnoException, settings.host, settings.port)
  }
  block.phase = 'accepting'
  const releaseCompute = computeService.retain((message) =>
    emit({ type: 'warning', code: 'RR_POOL_FAILED', message, workerId: null }),
  )
  const { port } = bound
  emit({ type: 'worker-listening', workerId: WORKER_ID, threadId: 0, generation: 1, port })
  return new EmbeddedServer({
    server,
    application,
    block,
    settings,
    bound,
    time,
    emit,
    relay,
    releaseCompute,
  })
}

/** @throws what the module of the routes throws, after the application's teardown */
async function loadRoutes(application: Application): Promise<Application> {
  try {
    return await withRoutes(application)
  } catch (error) {
    await tearDownQuietly(application)
    throw error
  }
}

/** What it throws is only a consequence of what is being thrown already. */
async function tearDownQuietly(application: Application): Promise<void> {
  try {
    await application.teardown(CONTEXT)
  } catch {}
}

interface EmbeddedServerParts {
  readonly server: ThreadServer
  readonly application: Application
  readonly block: ControlBlock
  readonly settings: ThreadSettings
  readonly bound: BoundAddress
  readonly time: () => number
  readonly emit: EventListener
  readonly relay: ErrorRelay
  readonly releaseCompute: () => Promise<void>
}

class EmbeddedServer implements InProcessServer {
  readonly host: string
  readonly port: number
  readonly url: string
  readonly admin = null
  readonly closed: Promise<DrainResult>
  readonly #parts: EmbeddedServerParts
  readonly #closed: PromiseWithResolvers<DrainResult> = Promise.withResolvers()
  #isShuttingDown = false
  #isDrain = false
  #deadlineMs = Number.POSITIVE_INFINITY
  readonly #routeChange: RouteChange

  constructor(parts: EmbeddedServerParts) {
    this.#parts = parts
    this.#routeChange = new RouteChange(parts.application, parts.server)
    this.host = parts.bound.host
    this.port = parts.bound.port
    this.url = reachableUrl(this.host, this.port)
    this.closed = this.#closed.promise
  }

  status(): ServerStatus {
    return this.#parts.block.phase
  }

  info(): ServerInfo {
    const { block, settings, time } = this.#parts
    const nowMs = time()
    const isStopped = this.status() === 'stopped'
    const worker = readWorkerInfo(block, nowMs, {
      id: WORKER_ID,
      seats: [SEAT],
      seat: SEAT,
      port: this.port,
      leaving: 0,
      threadId: isStopped ? null : 0,
      generation: 1,
      restartInMs: null,
      isStalled: false,
    })
    return {
      status: this.status(),
      url: this.url,
      host: this.host,
      port: this.port,
      uptimeMs: nowMs,
      maxConnections: settings.maxConnections,
      workersReason: 'in the calling thread',
      acceptQueue: 'reset',
      ...sumCounts(block, [worker]),
      compute: computeService.counts(),
      workers: [worker],
    }
  }

  drain(options: DrainOptions = {}): Promise<DrainResult> {
    const { settings, emit } = this.#parts
    const { drainTimeoutMs } = settings
    const { timeoutMs } = resolveDrainOptions(options, { drainTimeoutMs, drainDelayMs: 0 })
    if (!this.#isShuttingDown) {
      this.#isDrain = true
      emit({ type: 'drain-started', timeoutMs, delayMs: 0 })
    }
    return this.#shutDown(timeoutMs)
  }

  reload(): Promise<ReloadResult> {
    const message = 'listen() serves the application that it was given: there is nothing to reload'
    return Promise.reject(new RrError('RR_SERVER_STATE', message))
  }

  notifyDrain(options: NotifyDrainOptions = {}): void {
    const { server, settings, time, emit } = this.#parts
    const timeoutMs = resolveNoticeTimeout(options, settings.drainTimeoutMs)
    if (this.#isShuttingDown) return
    emit({ type: 'drain-expected', timeoutMs })
    server.notifyDrain(time() + timeoutMs)
  }

  async reloadRoutes(app?: unknown): Promise<void> {
    const { time, emit } = this.#parts
    const startMs = time()
    await this.#routeChange.change(app, () => {
      if (this.status() !== 'accepting') throw notAcceptingError(this.status())
    })
    emit({ type: 'routes-reloaded', durationMs: time() - startMs })
  }

  async stop(): Promise<void> {
    await this.#shutDown(0)
  }

  #shutDown(timeoutMs: number): Promise<DrainResult> {
    const { server, block, time } = this.#parts
    if (this.status() === 'stopped') return this.closed
    this.#deadlineMs = Math.min(this.#deadlineMs, time() + timeoutMs)
    const remaining = server.drain(this.#deadlineMs)
    if (!this.#isShuttingDown) {
      this.#isShuttingDown = true
      block.phase = 'draining'
      void remaining.then((count) => this.#finish(count))
    }
    return this.closed
  }

  async #finish(remaining: number): Promise<void> {
    const { server, block, time, emit, relay, releaseCompute } = this.#parts
    await idleCompute(
      () => computeService.pending,
      () => this.#deadlineMs - time(),
    )
    await server.tearDown()
    await releaseCompute()
    relay.flush()
    block.setSeatPhase(SEAT, 'stopped')
    block.phase = 'stopped'
    if (this.#isDrain) emit({ type: 'drain-ended', drained: remaining === 0, remaining })
    this.#closed.resolve(drainResult(remaining))
  }
}
