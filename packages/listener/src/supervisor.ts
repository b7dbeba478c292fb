import { RrError, SharedMemoryStore } from '@rr/core'
import { Admin } from './admin/admin.ts'
import { serveComputePort } from './compute-relay.ts'
import { computeService } from './compute-service.ts'
import { ControlBlock } from './control-block.ts'
import { DEFAULT_IDLE_TICK_MS } from './deadline-wheel.ts'
import { descriptorShortage, readProcessLimits } from './descriptor-limit.ts'
import { DrainDelay } from './drain-delay.ts'
import { clockSince, monotonicMs } from './monotonic-clock.ts'
import { checkPortIsOurs, probeAddress } from './port-guard.ts'
import {
  type AdminAddress,
  type DrainOptions,
  type DrainResult,
  drainResult,
  reachableUrl,
  type Server,
} from './server.ts'
import { createEventSink, type EventListener, type SlotEvent } from './server-events.ts'
import { readWorkerInfo, type ServerInfo, type ServerStatus, sumCounts } from './server-info.ts'
import { resolveDrainDelay, resolveDrainTimeout, type ServerSettings } from './server-options.ts'
import { StallWatch } from './stall-watch.ts'
import type { WorkerOrder } from './worker-handle.ts'
import { type SlotOwner, WorkerSlot } from './worker-slot.ts'

/**
 * What a worker has beyond the deadline of a drain, to cut its connections and run the
 * application's teardown, before its thread is ended from here.
 */
const DRAIN_EXIT_GRACE_MS = 2000
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
export class Supervisor implements Server {
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
  #canSharePort = false
  #stallTimer: NodeJS.Timeout | null = null
  #isDrain = false
  /** The least that a drain under way has been given. */
  #drainTimeoutMs = Number.POSITIVE_INFINITY
  /** When a shutdown under way cuts connections; null before one. */
  #shutdownDeadlineMs: number | null = null
  #terminateTimer: NodeJS.Timeout | null = null

  constructor(options: SupervisorOptions) {
    const { settings, onEvent } = options
    this.#options = options
    this.#admin = new Admin(settings, options.workers, () => this.info())
    this.#emit = this.#admin.watch(createEventSink(onEvent))
    this.#block = ControlBlock.create(options.workers)
    this.#clockOriginMs = monotonicMs()
    this.#time = clockSince(this.#clockOriginMs)
    this.#host = settings.host
    this.#port = settings.port
    this.#stallWatch =
      settings.stallTimeoutMs === 0 ? null : new StallWatch(settings.stallTimeoutMs)
    this.closed = this.#closed.promise
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
      if (this.#canSharePort) checkPortIsOurs(this.#host, this.#port)
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
        seat: slot.seat,
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
      ...sumCounts(this.#block, workers),
      compute: computeService.counts(),
      workers,
    }
  }

  drain(options: DrainOptions = {}): Promise<DrainResult> {
    const { settings } = this.#options
    const timeoutMs = resolveDrainTimeout(options, settings.drainTimeoutMs)
    const askedDelayMs = resolveDrainDelay(options, settings.drainDelayMs)
    if (this.#shutdownDeadlineMs === null) {
      const isFirst = !this.#isDrain
      // Before it accepts, no balancer has sent anything here that it could stop to send.
      const delayMs = this.status() === 'starting' ? 0 : askedDelayMs
      this.#isDrain = true
      this.#drainTimeoutMs = Math.min(this.#drainTimeoutMs, timeoutMs)
      this.#drainDelay.endIn(delayMs, this.#time())
      if (isFirst) this.#emit({ type: 'drain-started', timeoutMs, delayMs })
      if (isFirst && !this.#drainDelay.isOver) this.#awaitDrainDelay()
      if (!this.#drainDelay.isOver) return this.closed
    }
    return this.#shutDown(this.#time() + timeoutMs, DRAIN_EXIT_GRACE_MS)
  }

  /** From now on probes hear of the drain; connections are still accepted. */
  #awaitDrainDelay(): void {
    this.#block.phase = 'draining'
    void this.#drainDelay.done.then(() => {
      if (this.#shutdownDeadlineMs !== null) return
      void this.#shutDown(this.#time() + this.#drainTimeoutMs, DRAIN_EXIT_GRACE_MS)
    })
  }

  async stop(): Promise<void> {
    const done = this.#shutDown(this.#time(), STOP_EXIT_GRACE_MS)
    this.#drainDelay.end()
    // A worker that still loads its application has nothing to tear down.
    for (const slot of this.#slots) if (!slot.isSetUp) slot.terminate('stopped')
    await done
  }

  async #findAddress(): Promise<void> {
    const { settings, probe = probeAddress } = this.#options
    const { address, canShare } = await probe(settings.host, settings.port)
    this.#checkNotShutDown()
    this.#host = address
    this.#canSharePort = canShare
    this.#createSlots(canShare)
  }

  #checkNotShutDown(): void {
    if (this.#shutdownDeadlineMs === null) return
    throw new RrError('RR_SERVER_STATE', 'the server was stopped while it was starting')
  }

  #createSlots(canShare: boolean): void {
    const { workers: wanted, workersReason, settings } = this.#options
    const workers = canShare ? wanted : 1
    this.#emit({ type: 'server-starting', workers, workersReason })
    if (workers < wanted) {
      const message = `threads can't share a port on this platform: 1 worker instead of ${wanted}`
      this.#emit({ type: 'warning', code: 'RR_REUSEPORT_UNAVAILABLE', message, workerId: null })
    }
    const shortage = descriptorShortage(settings.maxConnections, readProcessLimits())
    if (shortage !== null) {
      const code = 'RR_DESCRIPTOR_LIMIT'
      this.#emit({ type: 'warning', code, message: shortage, workerId: null })
    }
    const owner: SlotOwner = {
      block: this.#block,
      memory: this.#memory,
      heapMb: settings.workerHeapMb,
      nowMs: this.#time,
      emit: this.#emit,
      startFor: (workerId) => this.#startFor(workerId),
      onComputePort: (port) => serveComputePort(port, computeService),
      onThreadEnded: (workerId) => this.#stallWatch?.forget(workerId),
    }
    this.#slots = Array.from(
      { length: workers },
      (_, seat) => new WorkerSlot(seat + 1, seat, owner),
    )
  }

  /** Port 0 is settled by the first worker, and then is the port of all. */
  async #startSlots(): Promise<void> {
    const [first, ...others] = this.#slots
    const started = first!.start()
    if (this.#port === 0) this.#port = await started
    this.#checkNotShutDown()
    await Promise.all([started, ...others.map((slot) => slot.start())])
  }

  #startFor(workerId: number): WorkerOrder {
    const { settings, applicationUrl, hooksUrl, hooksData } = this.#options
    return {
      controlBlock: this.#block.buffer,
      ...this.#admin.order,
      seat: workerId - 1,
      workerId,
      workers: this.#slots.length,
      clockOriginMs: this.#clockOriginMs,
      settings: { ...settings, host: this.#host, port: this.#port },
      heartbeatIntervalMs: this.#stallWatch?.heartbeatIntervalMs ?? DEFAULT_IDLE_TICK_MS,
      reusePort: this.#canSharePort,
      applicationUrl,
      hooksUrl,
      hooksData,
    }
  }

  #shutDown(deadlineMs: number, graceMs: number): Promise<DrainResult> {
    const current = this.#shutdownDeadlineMs
    if (this.status() === 'stopped' && current !== null) return this.closed
    if (current === null || deadlineMs < current) {
      this.#shutdownDeadlineMs = deadlineMs
      const drains = this.#slots.map((slot) => slot.drain(deadlineMs))
      this.#terminateAt(deadlineMs + graceMs)
      if (current === null) {
        this.#block.phase = 'draining'
        void Promise.all(drains).then((remaining) => this.#finish(remaining))
      }
    }
    return this.closed
  }

  async #finish(remaining: readonly number[]): Promise<void> {
    if (this.#terminateTimer !== null) clearTimeout(this.#terminateTimer)
    if (this.#stallTimer !== null) clearInterval(this.#stallTimer)
    await this.#releaseCompute()
    this.#block.phase = 'stopped'
    const cut = remaining.reduce((sum, count) => sum + count, 0)
    if (this.#isDrain) this.#emit({ type: 'drain-ended', drained: cut === 0, remaining: cut })
    await this.#admin.close()
    this.#closed.resolve(drainResult(cut))
  }

  #terminateAt(atMs: number): void {
    if (this.#terminateTimer !== null) clearTimeout(this.#terminateTimer)
    this.#terminateTimer = setTimeout(() => this.#terminateAll(), atMs - this.#time())
  }

  #terminateAll(): void {
    for (const slot of this.#slots) {
      if (!slot.terminate('stopped')) continue
      const { workerId } = slot
      const message = `worker ${workerId} did not end in time and was ended`
      this.#emit({ type: 'warning', code: 'RR_WORKER_TERMINATED', message, workerId })
    }
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
