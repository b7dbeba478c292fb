import { RrError, SharedMemoryStore } from '@rr/core'
import { type AcceptQueueFate, acceptQueueFate } from './accept-queue.ts'
import { Admin } from './admin/admin.ts'
import { notAcceptingError } from './application-module.ts'
import { type Balance, chooseBalance, reusesPort } from './balance.ts'
import {
  resolveDrainOptions,
  resolveNoticeTimeout,
  resolveReloadOptions,
  resolveReloadRoutesTimeout,
} from './call-options.ts'
import { serveComputePort } from './compute-relay.ts'
import { computeService } from './compute-service.ts'
import { ControlBlock } from './control-block.ts'
import { DEFAULT_IDLE_TICK_MS } from './deadline-wheel.ts'
import { publishingEvents } from './diagnostics.ts'
import { DrainDelay } from './drain-delay.ts'
import { clockSince, monotonicMs } from './monotonic-clock.ts'
import { checkPortIsOurs, probeAddress } from './port-guard.ts'
import { type ReloadLimits, ReloadQueue, reloadError } from './reload.ts'
import { RouteReload } from './route-reload.ts'
import { serializeError } from './serialized-error.ts'
import {
  type AdminAddress,
  type DrainOptions,
  type DrainResult,
  drainResult,
  type NotifyDrainOptions,
  type ReloadOptions,
  type ReloadResult,
  type ReloadRoutesOptions,
  reachableUrl,
  type WorkerServer,
} from './server.ts'
import { createEventSink, type EventListener, type SlotEvent } from './server-events.ts'
import { readWorkerInfo, type ServerInfo, type ServerStatus, sumCounts } from './server-info.ts'
import type { ServerSettings } from './server-options.ts'
import { socketCalls } from './socket-calls.ts'
import { SocketKeeper } from './socket-keeper.ts'
import { StallWatch } from './stall-watch.ts'
import { startWarnings } from './start-warnings.ts'
import type { WorkerOrder } from './worker-handle.ts'
import type { Departure } from './worker-run.ts'
import { DRAIN_EXIT_GRACE_MS, SEATS_PER_WORKER, type SlotOwner, WorkerSlot } from './worker-slot.ts'

const STOP_EXIT_GRACE_MS = 1000

export interface SupervisorOptions {
  readonly settings: ServerSettings
  readonly workers: number
  readonly workersReason: string
  readonly applicationUrl: string
  readonly hooksUrl: string | null
  readonly hooksData: unknown
  readonly onEvent: EventListener | undefined
  /** Finds out about the address; tests stand in for other platforms with it. */
  readonly probe?: typeof probeAddress
}

/** Runs on the main thread: starts the workers, watches and replaces them, drains them. */
export class Supervisor implements WorkerServer {
  readonly closed: Promise<DrainResult>
  readonly #options: SupervisorOptions
  readonly #emit: (event: SlotEvent) => void
  readonly #admin: Admin
  readonly #drainDelay: DrainDelay = new DrainDelay()
  readonly #time: () => number
  readonly #clockOriginMs: number
  readonly #stallWatch: StallWatch | null
  readonly #closed: PromiseWithResolvers<DrainResult> = Promise.withResolvers()
  readonly #block: ControlBlock
  readonly #memory: SharedMemoryStore = new SharedMemoryStore()
  #releaseCompute: () => Promise<void> = async () => {}
  #slots: readonly WorkerSlot[] = []
  #host: string
  #port: number
  #balance: Balance = 'reuseport'
  #reusesPort = true
  #stallTimer: NodeJS.Timeout | null = null
  #isDrain = false
  /** The least that a drain under way has been given. */
  #drainTimeoutMs = Number.POSITIVE_INFINITY
  /** When a shutdown under way cuts connections; null before one. */
  #shutdownDeadlineMs: number | null = null
  readonly #reloads: ReloadQueue
  readonly #acceptQueue: AcceptQueueFate = acceptQueueFate()
  /** When a drain is to be expected, for workers that start later; null when none is. */
  #expectedDrainMs: number | null = null
  readonly #routeReload: RouteReload = new RouteReload({
    workers: () => this.#slots,
    check: () => this.#checkAccepting(),
  })

  constructor(options: SupervisorOptions) {
    const { settings, onEvent } = options
    this.#options = options
    const seats = options.workers * SEATS_PER_WORKER
    this.#admin = new Admin(settings, seats, {
      info: () => this.info(),
      seatsOf: (workerId) => this.#slots[workerId - 1]!.seatsByUse,
    })
    this.#emit = this.#admin.watch(publishingEvents(createEventSink(onEvent)))
    this.#block = ControlBlock.create(seats, settings)
    this.#clockOriginMs = monotonicMs()
    this.#time = clockSince(this.#clockOriginMs)
    this.#host = settings.host
    this.#port = settings.port
    this.#stallWatch =
      settings.stallTimeoutMs === 0 ? null : new StallWatch(settings.stallTimeoutMs)
    this.closed = this.#closed.promise
    this.#reloads = new ReloadQueue((limits) => this.#reload(limits))
  }

  get host(): string {
    return this.#host
  }

  get port(): number {
    return this.#port
  }

  get url(): string {
    return reachableUrl(this.#host, this.#port)
  }

  get admin(): AdminAddress | null {
    return this.#admin.address
  }

  /** Resolves once all workers listen. On failure everything is stopped before it rejects. */
  async start(): Promise<void> {
    this.#block.phase = 'starting'
    this.#releaseCompute = computeService.retain((message) => {
      this.#emit({ type: 'warning', code: 'RR_POOL_FAILED', message, workerId: null })
    })
    try {
      await this.#admin.start(this.#emit)
      await this.#findAddress()
      await this.#startSlots()
      this.#checkNotShutDown()
      if (this.#balance === 'reuseport') checkPortIsOurs(this.#host, this.#port)
    } catch (error) {
      // Workers that a shutdown ends fail to start: that is its doing, not theirs. It goes its own
      // way to the end, since a drain has promised time to the workers that serve already.
      if (this.#shutdownDeadlineMs !== null) {
        await this.closed
        this.#checkNotShutDown()
      }
      await this.stop()
      throw error
    }
    this.#block.phase = 'accepting'
    this.#watchStalls()
  }

  status(): ServerStatus {
    return this.#block.phase
  }

  info(): ServerInfo {
    const { settings, workersReason } = this.#options
    const nowMs = this.#time()
    const workers = this.#slots.map((slot) =>
      readWorkerInfo(this.#block, nowMs, {
        id: slot.workerId,
        seats: slot.seats,
        seat: slot.seat,
        port: slot.port,
        leaving: slot.leaving,
        threadId: slot.threadId,
        generation: slot.generation,
        restartInMs: slot.restartInMs,
        isStalled: this.#stallWatch?.isStalled(slot.workerId) ?? false,
      }),
    )
    return {
      status: this.status(),
      url: this.url,
      host: this.#host,
      port: this.#port,
      uptimeMs: nowMs,
      maxConnections: settings.maxConnections,
      workersReason,
      acceptQueue: this.#acceptQueue,
      ...sumCounts(this.#block, workers),
      compute: computeService.counts(),
      workers,
    }
  }

  reload(options: ReloadOptions = {}): Promise<ReloadResult> {
    const limits = resolveReloadOptions(options, this.#options.settings.drainTimeoutMs)
    if (this.status() !== 'accepting') {
      const message = `a server that is ${this.status()} can't be reloaded`
      return Promise.reject(new RrError('RR_SERVER_STATE', message))
    }
    return this.#reloads.add(limits)
  }

  drain(options: DrainOptions = {}): Promise<DrainResult> {
    const asked = resolveDrainOptions(options, this.#options.settings)
    this.#drainTimeoutMs = Math.min(this.#drainTimeoutMs, asked.timeoutMs)
    const timeoutMs = this.#drainTimeoutMs
    if (this.#shutdownDeadlineMs === null) {
      const isFirst = !this.#isDrain
      // Before it accepts, no balancer has sent anything here that it could stop to send.
      const delayMs = this.status() === 'starting' ? 0 : asked.delayMs
      this.#isDrain = true
      this.#drainDelay.endIn(delayMs, this.#time())
      if (isFirst) this.#emit({ type: 'drain-started', timeoutMs, delayMs })
      if (isFirst && !this.#drainDelay.isOver) this.#awaitDrainDelay()
      if (!this.#drainDelay.isOver) return this.closed
    }
    return this.#shutDown(this.#time() + timeoutMs, DRAIN_EXIT_GRACE_MS)
  }

  notifyDrain(options: NotifyDrainOptions = {}): void {
    const timeoutMs = resolveNoticeTimeout(options, this.#options.settings.drainTimeoutMs)
    if (this.#shutdownDeadlineMs !== null) return
    this.#emit({ type: 'drain-expected', timeoutMs })
    this.#expectDrain(timeoutMs)
  }

  #expectDrain(timeoutMs: number): void {
    const deadlineMs = this.#time() + timeoutMs
    this.#expectedDrainMs = deadlineMs
    for (const slot of this.#slots) slot.post({ type: 'drain-notice', deadlineMs })
  }

  async reloadRoutes(options: ReloadRoutesOptions = {}): Promise<void> {
    const startMs = this.#time()
    await this.#routeReload.reload(resolveReloadRoutesTimeout(options))
    this.#emit({ type: 'routes-reloaded', durationMs: this.#time() - startMs })
  }

  #checkAccepting(): void {
    if (this.status() !== 'accepting') throw notAcceptingError(this.status())
  }

  /** From now on probes hear of the drain; connections are still accepted. */
  #awaitDrainDelay(): void {
    this.#block.phase = 'draining'
    this.#expectDrain(this.#drainDelay.leftMs(this.#time()) + this.#drainTimeoutMs)
    void this.#drainDelay.done.then(() => {
      if (this.#shutdownDeadlineMs !== null) return
      void this.#shutDown(this.#time() + this.#drainTimeoutMs, DRAIN_EXIT_GRACE_MS)
    })
  }

  async stop(): Promise<void> {
    const done = this.#shutDown(this.#time(), STOP_EXIT_GRACE_MS)
    this.#drainDelay.end()
    // A worker that still loads its application has nothing to tear down.
    for (const slot of this.#slots) slot.terminateUnready()
    await done
  }

  async #findAddress(): Promise<void> {
    const { settings, probe = probeAddress } = this.#options
    const { address, canShare } = await probe(settings.host, settings.port)
    this.#checkNotShutDown()
    this.#host = address
    this.#createSlots(canShare)
  }

  #checkNotShutDown(): void {
    if (this.#shutdownDeadlineMs === null) return
    throw new RrError('RR_SERVER_STATE', 'the server was stopped while it was starting')
  }

  #createSlots(canShare: boolean): void {
    const { workers: wanted, workersReason, settings } = this.#options
    const canKeep = socketCalls() !== null
    this.#balance = chooseBalance(settings.balance, canShare, canKeep)
    this.#reusesPort = reusesPort(this.#balance, canShare, canKeep)
    const workers = this.#balance === 'single' ? 1 : wanted
    this.#emit({ type: 'server-starting', workers, workersReason })
    const plan = {
      settings,
      wanted,
      workers,
      balance: this.#balance,
      acceptQueue: this.#acceptQueue,
    }
    for (const { code, message } of startWarnings(plan)) {
      this.#emit({ type: 'warning', code, message, workerId: null })
    }
    const sharesSocket = this.#balance === 'shared'
    const owner: SlotOwner = {
      block: this.#block,
      memory: this.#memory,
      heapMb: settings.workerHeapMb,
      nowMs: this.#time,
      emit: this.#emit,
      sharesSocket,
      orderFor: (workerId, seat, descriptor) => this.#orderFor(workerId, seat, descriptor),
      onComputePort: (port) => serveComputePort(port, computeService),
      onRoutesReply: (workerId, reply) => this.#routeReload.onReply(workerId, reply),
      onThreadEnded: (threadId) => this.#routeReload.onThreadEnded(threadId),
      onHeartChange: (workerId) => this.#stallWatch?.forget(workerId),
    }
    const shared = new SocketKeeper(true)
    this.#slots = Array.from({ length: workers }, (_, index) => {
      const keeper = sharesSocket ? shared : new SocketKeeper()
      return new WorkerSlot(index + 1, owner, keeper)
    })
  }

  /** What the first worker settles for the others: port 0, and the socket where it is shared. */
  async #startSlots(): Promise<void> {
    const [first, ...others] = this.#slots
    const started = first!.start()
    if (this.#port === 0 || this.#balance === 'shared') this.#port = await started
    this.#checkNotShutDown()
    await Promise.all([started, ...others.map((slot) => slot.start())])
  }

  #orderFor(workerId: number, seat: number, descriptor: number | null): WorkerOrder {
    const { settings, applicationUrl, hooksUrl, hooksData } = this.#options
    return {
      controlBlock: this.#block.buffer,
      ...this.#admin.order,
      seat,
      workerId,
      workers: this.#slots.length,
      clockOriginMs: this.#clockOriginMs,
      settings: { ...settings, host: this.#host, port: this.#portOf(workerId) },
      heartbeatIntervalMs: this.#stallWatch?.heartbeatIntervalMs ?? DEFAULT_IDLE_TICK_MS,
      reusePort: this.#reusesPort,
      descriptor,
      rebalance: settings.rebalance && this.#slots.length > 1 && this.#balance !== 'ports',
      expectedDrainMs: this.#expectedDrainMs,
      applicationUrl,
      hooksUrl,
      hooksData,
    }
  }

  #portOf(workerId: number): number {
    if (this.#balance !== 'ports') return this.#port
    const isAnyPort = this.#options.settings.port === 0
    return isAnyPort ? (this.#slots[workerId - 1]?.port ?? 0) : this.#port + workerId - 1
  }

  /** Replaces the workers one after the other; each old one finishes on its own, beside the next. */
  async #reload(limits: ReloadLimits): Promise<ReloadResult> {
    this.#emit({ type: 'reload-started' })
    const leaving: Promise<Departure>[] = []
    try {
      for (const slot of this.#slots) leaving.push((await slot.replace(limits)).left)
    } catch (cause) {
      const replaced = leaving.length
      this.#emit({ type: 'reload-ended', replaced, failed: serializeError(cause) })
      throw reloadError(cause as Error, replaced, this.#slots.length)
    }
    const departures = await Promise.all(leaving)
    const remaining = departures.reduce((sum, departure) => sum + departure.remaining, 0)
    const replaced = leaving.length
    this.#emit({ type: 'reload-ended', replaced, failed: null })
    return { replaced, remaining }
  }

  #shutDown(deadlineMs: number, graceMs: number): Promise<DrainResult> {
    const current = this.#shutdownDeadlineMs
    if (this.status() === 'stopped' && current !== null) return this.closed
    if (current === null || deadlineMs < current) {
      this.#shutdownDeadlineMs = deadlineMs
      const drains = this.#slots.map((slot) => slot.drain(deadlineMs, graceMs))
      if (current === null) {
        this.#block.phase = 'draining'
        void Promise.all(drains).then((remaining) => this.#finish(remaining))
      }
    }
    return this.closed
  }

  async #finish(remaining: readonly number[]): Promise<void> {
    if (this.#stallTimer !== null) clearInterval(this.#stallTimer)
    await this.#releaseCompute()
    this.#block.phase = 'stopped'
    const cut = remaining.reduce((sum, count) => sum + count, 0)
    if (this.#isDrain) this.#emit({ type: 'drain-ended', drained: cut === 0, remaining: cut })
    await this.#admin.close()
    this.#closed.resolve(drainResult(cut))
  }

  #watchStalls(): void {
    const watch = this.#stallWatch
    if (watch === null) return
    this.#stallTimer = setInterval(() => this.#checkStalls(watch), watch.intervalMs)
    this.#stallTimer.unref()
  }

  #checkStalls(watch: StallWatch): void {
    const heartbeats = this.#slots
      .filter((slot) => slot.isBeating)
      .map(({ workerId, seat }) => ({ workerId, heartbeatMs: this.#block.heartbeatMs(seat) }))
    for (const { workerId, stalledMs, isStalled } of watch.check(this.#time(), heartbeats)) {
      if (!isStalled) {
        this.#emit({ type: 'worker-recovered', workerId, stalledMs })
        continue
      }
      const isReplaced = this.#options.settings.replaceStalled && this.#shutdownDeadlineMs === null
      this.#emit({ type: 'worker-stalled', workerId, stalledMs, isReplaced })
      if (isReplaced) this.#slots[workerId - 1]?.terminate('stalled')
    }
  }
}
