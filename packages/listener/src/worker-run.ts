import type { MessagePort } from 'node:worker_threads'
import { RrError, type SharedMemoryStore } from '@rr/core'
import type { ControlBlock } from './control-block.ts'
import type { RoutesReply, SupervisorMessage, WorkerMessage } from './messages.ts'
import { bindError } from './port-guard.ts'
import { deserializeError, serializeError } from './serialized-error.ts'
import type { ExitReason, SlotEvent, StartStage } from './server-events.ts'
import type { SocketFacts } from './socket-keeper.ts'
import { type WorkerExit, WorkerHandle, type WorkerOrder } from './worker-handle.ts'

/** What all threads of one server share. */
export interface RunOwner {
  readonly block: ControlBlock
  /** What applications share by name. */
  readonly memory: SharedMemoryStore
  readonly heapMb: number
  readonly nowMs: () => number
  readonly emit: (event: SlotEvent) => void
  /** A worker has tasks for the compute pool. */
  readonly onComputePort: (port: MessagePort) => void
  readonly onRoutesReply: (workerId: number, reply: RoutesReply) => void
  /** Nobody is to wait for its answers any more; told again when one that was stuck ends. */
  readonly onThreadEnded: (threadId: number) => void
}

/** Whoever started a thread. */
export interface RunListener {
  /** It listens, and will go on to unless it was told to leave. */
  readonly onListening: (run: WorkerRun, port: number, socket: SocketFacts) => void
  /** It was to be ended, and stands where nothing can end it: it may go on for any time. */
  readonly onStuck: (run: WorkerRun) => void
  /** It has ended, and its slots were given back. */
  readonly onEnded: (run: WorkerRun, end: RunEnd) => void
}

/** How a thread is to leave. */
export interface LeaveOrder {
  /** When its connections are cut. */
  readonly deadlineMs: number
  /** What it has beyond that to run the application's teardown. */
  readonly exitGraceMs: number
  readonly why: 'stopped' | 'replaced'
}

/** How a thread that was to leave has gone, as far as anybody waits for it. */
export interface Departure {
  /** How many of its connections were cut, or stand with it. */
  readonly remaining: number
  /** True for one that has not ended, and cannot be ended. */
  readonly isStuck: boolean
}

/** How a thread has ended. */
export interface RunEnd {
  readonly reason: ExitReason
  readonly exit: WorkerExit
  readonly connectionsLost: number
  readonly requestsLost: number
  /** Connections that were cut in the middle of their work, or were lost with the thread. */
  readonly remaining: number
  /** How long it had been listening; 0 when it never did. */
  readonly servedMs: number
}

/**
 * What a thread has from `terminate()` to its end. JavaScript ends within milliseconds, on a busy
 * machine and with a large heap to give back later; a native call when it returns, which may be never.
 */
const TERMINATE_GRACE_MS = 3000

type RunState = 'starting' | 'listening' | 'leaving' | 'ended'

/** One thread in the place of a worker, from its start to its end. */
export class WorkerRun {
  readonly workerId: number
  readonly seat: number
  readonly generation: number
  /** Resolves once the thread has ended, or stands where nothing can end it. */
  readonly left: Promise<Departure>
  readonly #owner: RunOwner
  readonly #order: WorkerOrder
  readonly #listener: RunListener
  readonly #left: PromiseWithResolvers<Departure> = Promise.withResolvers()
  #state: RunState = 'starting'
  #handle: WorkerHandle | null = null
  #listeningSinceMs: number | null = null
  #isSetUp = false
  #isBeating = false
  #hasAdopted = false
  #failure: { readonly stage: StartStage; readonly error: Error } | null = null
  #remaining = 0
  #leaveOrder: LeaveOrder | null = null
  /** When the thread is ended unless it has by itself. */
  #terminateAtMs = Number.POSITIVE_INFINITY
  #terminateTimer: NodeJS.Timeout | null = null
  #stuckTimer: NodeJS.Timeout | null = null

  constructor(order: WorkerOrder, generation: number, owner: RunOwner, listener: RunListener) {
    this.workerId = order.workerId
    this.seat = order.seat
    this.generation = generation
    this.left = this.#left.promise
    this.#owner = owner
    this.#order = order
    this.#listener = listener
  }

  /** Null before and after the thread. */
  get threadId(): number | null {
    return this.#handle === null ? null : this.#handle.threadId
  }

  /** True from when the thread listens until its last connection is gone: its heartbeat is due. */
  get isBeating(): boolean {
    return this.#isBeating
  }

  /** True from when the thread has set its application up. */
  get isSetUp(): boolean {
    return this.#isSetUp
  }

  /** True once it was told to leave. */
  get isLeaving(): boolean {
    return this.#state === 'leaving'
  }

  /** How long it has been listening; 0 when it never did. */
  get servedMs(): number {
    return this.#listeningSinceMs === null ? 0 : this.#owner.nowMs() - this.#listeningSinceMs
  }

  /** The descriptor that it was given and has not come to open; its listening socket is closed by it. */
  get unopenedDescriptor(): number | null {
    return this.#hasAdopted ? null : this.#order.descriptor
  }

  start(): void {
    const { block, memory, heapMb, nowMs } = this.#owner
    block.setSeatPhase(this.seat, 'starting')
    block.setHeartbeat(this.seat, nowMs())
    try {
      this.#handle = new WorkerHandle(this.#order, memory, heapMb, {
        onMessage: (message) => this.#onMessage(message),
        onExit: (exit) => this.#onExit(exit),
      })
    } catch (error) {
      const exit: WorkerExit = { reason: 'crashed', exitCode: 1, error: serializeError(error) }
      // Not within the call of whoever starts it, who does not hold it yet.
      queueMicrotask(() => this.#onExit(exit))
    }
  }

  /**
   * Tells the thread to finish until the deadline and to end; past a grace it is ended. May be told
   * again: what is sooner holds.
   */
  leave(order: LeaveOrder): void {
    if (this.#state === 'ended' || this.#handle === null) return
    const { deadlineMs, exitGraceMs, why } = order
    this.#state = 'leaving'
    this.#leaveOrder = order
    this.#handle.post({ type: 'drain', deadlineMs, hasSuccessor: why === 'replaced' })
    const terminateAtMs = deadlineMs + exitGraceMs
    if (terminateAtMs >= this.#terminateAtMs) return
    this.#terminateAtMs = terminateAtMs
    if (this.#terminateTimer !== null) clearTimeout(this.#terminateTimer)
    const waitMs = Math.max(0, terminateAtMs - this.#owner.nowMs())
    this.#terminateTimer = setTimeout(() => this.#terminateLate(), waitMs)
  }

  /** Tells one that is leaving of a deadline that may be sooner. */
  hurry(deadlineMs: number): void {
    if (this.#leaveOrder !== null) this.leave({ ...this.#leaveOrder, deadlineMs })
  }

  /** Sends to the thread where there is one; returns its id. */
  post(message: SupervisorMessage): number[] {
    if (this.#handle === null) return []
    this.#handle.post(message)
    return [this.#handle.threadId]
  }

  /** Ends the thread at once, wherever it is in JavaScript. */
  terminate(reason: 'stalled' | 'stopped'): void {
    if (this.#handle === null) return
    this.#handle.terminate(reason)
    this.#stuckTimer ??= setTimeout(() => this.#giveUp(), TERMINATE_GRACE_MS)
  }

  #terminateLate(): void {
    this.#terminateAtMs = Number.NEGATIVE_INFINITY
    this.terminate('stopped')
    this.#warn(`worker ${this.workerId} did not end in time and was ended`)
  }

  #giveUp(): void {
    const connections = this.#owner.block.seatConnections(this.seat)
    const where = `a thread of worker ${this.workerId} stands in a native call and cannot be ended`
    this.#warn(`${where}; its ${connections} connections stay with it`)
    if (this.threadId !== null) this.#owner.onThreadEnded(this.threadId)
    this.#left.resolve({ remaining: this.#remaining + connections, isStuck: true })
    this.#listener.onStuck(this)
  }

  #warn(message: string): void {
    const { workerId } = this
    this.#owner.emit({ type: 'warning', code: 'RR_WORKER_TERMINATED', message, workerId })
  }

  #onMessage(message: WorkerMessage): void {
    const { workerId, generation } = this
    const { emit } = this.#owner
    switch (message.type) {
      case 'set-up':
        this.#isSetUp = true
        break
      case 'adopting':
        this.#hasAdopted = true
        break
      case 'listening':
        this.#onListening(message.port, message.socket)
        break
      case 'failed': {
        const { stage, error } = message
        this.#failure = { stage, error: deserializeError(error) }
        emit({ type: 'worker-failed', workerId, generation, stage, error })
        break
      }
      case 'drained':
        this.#remaining += message.remaining
        this.#isBeating = false
        break
      case 'routes-prepared':
      case 'routes-committed':
      case 'routes-failed':
        this.#owner.onRoutesReply(workerId, message)
        break
      case 'compute':
        this.#owner.onComputePort(message.port)
        break
      default:
        emit({ ...message, workerId })
    }
  }

  #onListening(port: number, socket: SocketFacts): void {
    const { workerId, generation } = this
    if (this.#state === 'starting') this.#state = 'listening'
    this.#listeningSinceMs = this.#owner.nowMs()
    this.#isBeating = true
    const threadId = this.threadId ?? 0
    this.#owner.emit({ type: 'worker-listening', workerId, threadId, generation, port })
    this.#listener.onListening(this, port, socket)
  }

  #onExit(exit: WorkerExit): void {
    for (const timer of [this.#terminateTimer, this.#stuckTimer]) {
      if (timer !== null) clearTimeout(timer)
    }
    const lost = this.#owner.block.reclaim(this.seat)
    const { servedMs } = this
    const reason = this.#endReason(exit)
    const { threadId } = this
    this.#state = 'ended'
    this.#handle = null
    if (threadId !== null) this.#owner.onThreadEnded(threadId)
    this.#isSetUp = false
    this.#isBeating = false
    this.#remaining += lost.connections
    this.#listener.onEnded(this, {
      reason,
      exit,
      connectionsLost: lost.connections,
      requestsLost: lost.requests,
      remaining: this.#remaining,
      servedMs,
    })
    this.#left.resolve({ remaining: this.#remaining, isStuck: false })
  }

  #endReason(exit: WorkerExit): ExitReason {
    if (this.#failure !== null) return 'failed'
    const isOrderly = this.isLeaving && exit.error === null
    return (isOrderly ? this.#leaveOrder?.why : undefined) ?? exit.reason
  }

  /** Why a thread that ended before it listened could not start. */
  startError(exit: WorkerExit): RrError {
    const where = `worker ${this.workerId}`
    if (this.#failure === null) return earlyExitError(where, exit)
    const { stage, error } = this.#failure
    const { settings, applicationUrl } = this.#order
    if (stage === 'listen') return bindError(error, settings.host, settings.port)
    if (stage === 'hooks') {
      return new RrError('RR_WORKER_FAILED', `the hooks failed in ${where}: ${error.message}`, {
        cause: error,
      })
    }
    const what = stage === 'setup' ? 'the setup of the application' : 'loading the application'
    return new RrError(
      'RR_APPLICATION_FAILED',
      `${what} ${applicationUrl} failed in ${where}: ${error.message}`,
      { cause: error },
    )
  }
}

/** Node's code for a module whose top-level await can never be settled. */
const UNSETTLED_AWAIT = 13

function earlyExitError(where: string, exit: WorkerExit): RrError {
  const { error, exitCode, reason } = exit
  if (error !== null) {
    // Out of memory, or no thread to be had: not what the application threw.
    const isNodes = error.code?.startsWith('ERR_WORKER_') === true
    const code = isNodes ? 'RR_WORKER_FAILED' : 'RR_APPLICATION_FAILED'
    const cause = deserializeError(error)
    return new RrError(code, `${where} ${reason} before it listened: ${error.message}`, { cause })
  }
  const hint =
    exitCode === UNSETTLED_AWAIT
      ? ': its application waits at the top level or in setup for something that never happens'
      : ''
  return new RrError(
    'RR_WORKER_FAILED',
    `${where} exited with code ${exitCode} before it listened${hint}`,
  )
}
