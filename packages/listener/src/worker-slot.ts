import type { MessagePort } from 'node:worker_threads'
import { RrError, type SharedMemoryStore } from '@rr/core'
import type { ControlBlock } from './control-block.ts'
import type { WorkerMessage } from './messages.ts'
import { bindError } from './port-guard.ts'
import { RestartPolicy } from './restart-policy.ts'
import { deserializeError, serializeError } from './serialized-error.ts'
import type { SlotEvent, StartStage } from './server-events.ts'
import { type WorkerExit, WorkerHandle, type WorkerOrder } from './worker-handle.ts'

/** What the slots of one server share. */
export interface SlotOwner {
  readonly block: ControlBlock
  /** What applications share by name. */
  readonly memory: SharedMemoryStore
  readonly heapMb: number
  readonly nowMs: () => number
  readonly emit: (event: SlotEvent) => void
  /** What the worker in this slot is to be started with. */
  readonly startFor: (workerId: number) => WorkerOrder
  /** A worker has tasks for the compute pool. */
  readonly onComputePort: (port: MessagePort) => void
  readonly onThreadEnded: (workerId: number) => void
}

type SlotState = 'starting' | 'listening' | 'waiting' | 'draining' | 'stopped'

/** The place of one worker: holds one thread at a time, and replaces it when it ends. */
export class WorkerSlot {
  readonly workerId: number
  readonly seat: number
  readonly #owner: SlotOwner
  readonly #policy: RestartPolicy = new RestartPolicy()
  readonly #started: PromiseWithResolvers<number> = Promise.withResolvers()
  readonly #ended: PromiseWithResolvers<number> = Promise.withResolvers()
  #state: SlotState = 'stopped'
  #handle: WorkerHandle | null = null
  #generation = 0
  #hasStarted = false
  #listeningSinceMs: number | null = null
  #isSetUp = false
  #isBeating = false
  #restartAtMs: number | null = null
  #restartTimer: NodeJS.Timeout | null = null
  #failure: { readonly stage: StartStage; readonly error: Error } | null = null
  #remaining = 0

  constructor(workerId: number, seat: number, owner: SlotOwner) {
    this.workerId = workerId
    this.seat = seat
    this.#owner = owner
    // Whoever waits hears of a failure; a slot that nobody waits for must not end the process.
    this.#started.promise.catch(() => {})
  }

  get generation(): number {
    return this.#generation
  }

  get threadId(): number | null {
    return this.#handle === null ? null : this.#handle.threadId
  }

  /** Time until a thread is started here; null when none is to be. */
  get restartInMs(): number | null {
    return this.#restartAtMs === null ? null : Math.max(0, this.#restartAtMs - this.#owner.nowMs())
  }

  /** True from when the thread listens until its last connection is gone: its heartbeat is due. */
  get isBeating(): boolean {
    return this.#isBeating
  }

  /** True from when the thread has set its application up. */
  get isSetUp(): boolean {
    return this.#isSetUp
  }

  /**
   * Starts the first thread.
   *
   * @returns the port once it listens; rejects when it can't be started, and then does not try again
   */
  start(): Promise<number> {
    this.#spawn()
    return this.#started.promise
  }

  /**
   * Lets the thread finish until the deadline, and starts no other. May be called again, sooner.
   *
   * @returns how many connections were cut, once the thread has ended
   */
  drain(deadlineMs: number): Promise<number> {
    if (this.#restartTimer !== null) clearTimeout(this.#restartTimer)
    this.#restartTimer = null
    this.#restartAtMs = null
    if (this.#handle === null) this.#end()
    else {
      this.#state = 'draining'
      this.#handle.post({ type: 'drain', deadlineMs })
    }
    return this.#ended.promise
  }

  /** Ends the thread at once; as part of a drain there will be no other. */
  terminate(reason: 'stalled' | 'stopped'): boolean {
    this.#handle?.terminate(reason)
    return this.#handle !== null
  }

  #spawn(): void {
    const { block, memory, heapMb, nowMs, startFor } = this.#owner
    this.#state = 'starting'
    this.#restartTimer = null
    this.#restartAtMs = null
    this.#listeningSinceMs = null
    this.#failure = null
    this.#generation++
    block.setSeatPhase(this.seat, 'starting')
    block.setHeartbeat(this.seat, nowMs())
    try {
      this.#handle = new WorkerHandle(startFor(this.workerId), memory, heapMb, {
        onMessage: (message) => this.#onMessage(message),
        onExit: (exit) => this.#onExit(exit),
      })
    } catch (error) {
      this.#onExit({ reason: 'crashed', exitCode: 1, error: serializeError(error) })
    }
  }

  #onMessage(message: WorkerMessage): void {
    const { workerId, generation } = this
    switch (message.type) {
      case 'set-up':
        this.#isSetUp = true
        break
      case 'listening':
        this.#onListening(message.port)
        break
      case 'failed': {
        const { stage, error } = message
        this.#failure = { stage, error: deserializeError(error) }
        this.#owner.emit({ type: 'worker-failed', workerId, generation, stage, error })
        break
      }
      case 'drained':
        this.#remaining += message.remaining
        this.#isBeating = false
        break
      case 'compute':
        this.#owner.onComputePort(message.port)
        break
      default:
        this.#owner.emit({ ...message, workerId })
    }
  }

  #onListening(port: number): void {
    const { workerId, generation } = this
    if (this.#state === 'starting') this.#state = 'listening'
    this.#listeningSinceMs = this.#owner.nowMs()
    this.#hasStarted = true
    this.#isBeating = true
    const threadId = this.threadId ?? 0
    this.#owner.emit({ type: 'worker-listening', workerId, threadId, generation, port })
    this.#started.resolve(port)
  }

  #onExit(exit: WorkerExit): void {
    const { block, nowMs, onThreadEnded, emit } = this.#owner
    const lost = block.reclaim(this.seat)
    const servedMs = this.#listeningSinceMs === null ? 0 : nowMs() - this.#listeningSinceMs
    const isStopping = this.#state === 'draining'
    this.#handle = null
    this.#listeningSinceMs = null
    this.#isSetUp = false
    this.#isBeating = false
    onThreadEnded(this.workerId)
    const isReplaced = this.#hasStarted && !isStopping
    const restartDelayMs = isReplaced ? this.#policy.nextDelayMs(servedMs) : null
    const reason =
      this.#failure !== null
        ? 'failed'
        : isStopping && exit.error === null
          ? 'stopped'
          : exit.reason
    emit({
      type: 'worker-exited',
      workerId: this.workerId,
      generation: this.#generation,
      reason,
      exitCode: exit.exitCode,
      error: exit.error,
      connectionsLost: lost.connections,
      requestsLost: lost.requests,
      restartDelayMs,
    })
    if (restartDelayMs !== null) {
      this.#planRestart(restartDelayMs)
      return
    }
    this.#remaining += lost.connections
    this.#started.reject(this.#startError(exit))
    this.#end()
  }

  #planRestart(delayMs: number): void {
    this.#state = 'waiting'
    this.#restartAtMs = this.#owner.nowMs() + delayMs
    this.#restartTimer = setTimeout(() => this.#spawn(), delayMs)
  }

  #end(): void {
    this.#state = 'stopped'
    this.#ended.resolve(this.#remaining)
  }

  #startError(exit: WorkerExit): RrError {
    const where = `worker ${this.workerId}`
    if (this.#failure === null) return earlyExitError(where, exit)
    const { stage, error } = this.#failure
    const { settings, applicationUrl } = this.#owner.startFor(this.workerId)
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
