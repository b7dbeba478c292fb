import { RrError } from '@rr/core'
import type { SupervisorMessage } from './messages.ts'
import type { ReloadLimits } from './reload.ts'
import { RestartPolicy } from './restart-policy.ts'
import type { SocketFacts, SocketKeeper } from './socket-keeper.ts'
import type { WorkerOrder } from './worker-handle.ts'
import {
  type Departure,
  type RunEnd,
  type RunListener,
  type RunOwner,
  WorkerRun,
} from './worker-run.ts'

/** What the slots of one server share. */
export interface SlotOwner extends RunOwner {
  /** What a thread in this slot is to be started with. */
  readonly orderFor: (workerId: number, seat: number, descriptor: number | null) => WorkerOrder
  /** True when all slots have one keeper. */
  readonly sharesSocket: boolean
  /** The thread whose heart was beating here is another, or none. */
  readonly onHeartChange: (workerId: number) => void
}

/**
 * What a thread has beyond the deadline of its drain, to cut its connections and run the
 * application's teardown, before it is ended from here.
 */
export const DRAIN_EXIT_GRACE_MS = 2000

/**
 * A socket whose worker is away for longer is let go of: its clients would wait and not know it,
 * where a reset sends them to another worker or another machine.
 */
const MAX_KEEPING_MS = 1000

/** The seats of a worker: one for its thread, one for the thread that comes after it. */
export const SEATS_PER_WORKER = 2

/** How the replacement of a thread by a fresh one has begun. */
export interface Replacement {
  /** Resolves once the old thread has gone. */
  readonly left: Promise<Departure>
}

interface Successor {
  readonly run: WorkerRun
  /** What the thread before it gets to finish. */
  readonly leaveMs: number
  readonly ready: PromiseWithResolvers<Replacement>
  /** When it is given up unless it listens. */
  readonly timer: NodeJS.Timeout
}

/** Where there was nobody to leave. */
const NOBODY_LEFT: Departure = { remaining: 0, isStuck: false }

/** The place of one worker: holds one thread at a time, and replaces it when it ends. */
export class WorkerSlot implements RunListener {
  readonly workerId: number
  /** Their rows in the control block, in sum, tell what the worker has done. */
  readonly seats: readonly [number, number]
  readonly #owner: SlotOwner
  readonly #keeper: SocketKeeper
  readonly #policy: RestartPolicy = new RestartPolicy()
  readonly #started: PromiseWithResolvers<number> = Promise.withResolvers()
  readonly #ended: PromiseWithResolvers<number> = Promise.withResolvers()
  #current: WorkerRun | null = null
  /** Is starting, to take the place of `current`. */
  #successor: Successor | null = null
  /** Was replaced and finishes what it has. */
  #leaving: WorkerRun | null = null
  #lastSeat: number
  #generation = 0
  #port: number | null = null
  #hasStarted = false
  #isDraining = false
  #restartAtMs: number | null = null
  #restartTimer: NodeJS.Timeout | null = null
  #remaining = 0

  constructor(workerId: number, owner: SlotOwner, keeper: SocketKeeper) {
    this.workerId = workerId
    const first = (workerId - 1) * SEATS_PER_WORKER
    this.seats = [first, first + 1]
    this.#lastSeat = first
    this.#owner = owner
    this.#keeper = keeper
    // Whoever waits hears of a failure; a slot that nobody waits for must not end the process.
    this.#started.promise.catch(() => {})
  }

  get generation(): number {
    return this.#generation
  }

  get threadId(): number | null {
    return this.#current === null ? null : this.#current.threadId
  }

  /** The port that its thread listens on; null before the first. */
  get port(): number | null {
    return this.#port
  }

  /** The seat of the thread that serves, or of the last one that did. */
  get seat(): number {
    return this.#current?.seat ?? this.#lastSeat
  }

  /** Its seats, that of the thread that serves first. */
  get seatsByUse(): readonly [number, number] {
    const [first, second] = this.seats
    return this.seat === first ? [first, second] : [second, first]
  }

  /** How many threads were replaced and finish what they have. */
  get leaving(): number {
    return this.#leaving === null ? 0 : 1
  }

  /** Time until a thread is started here; null when none is to be. */
  get restartInMs(): number | null {
    return this.#restartAtMs === null ? null : Math.max(0, this.#restartAtMs - this.#owner.nowMs())
  }

  /** True while the heartbeat of the thread that serves is due. */
  get isBeating(): boolean {
    return this.#current?.isBeating ?? false
  }

  /**
   * Starts the first thread.
   *
   * @returns the port once it listens; rejects when it can't be started, and then does not try again
   */
  start(): Promise<number> {
    this.#current = this.#spawn()
    return this.#started.promise
  }

  /**
   * Starts another thread and, when it listens, lets the one before it finish within `leaveMs`.
   *
   * @returns once the new one listens
   * @throws RrError why it could not start; the one before it serves on
   */
  async replace({ leaveMs, startMs }: ReloadLimits): Promise<Replacement> {
    if (this.#leaving !== null) await this.#awaitLeaving(this.#leaving, leaveMs)
    if (this.#isDraining) throw stoppedError()
    this.#cancelRestart()
    const ready = Promise.withResolvers<Replacement>()
    const run = this.#spawn()
    const timer = setTimeout(() => this.#giveUpSuccessor(startMs), startMs)
    this.#successor = { run, leaveMs, ready, timer }
    return ready.promise
  }

  /** There are seats for two threads, so that the third waits for the first. */
  async #awaitLeaving(leaving: WorkerRun, leaveMs: number): Promise<void> {
    leaving.hurry(this.#owner.nowMs() + leaveMs)
    await leaving.left
    if (this.#leaving !== leaving) return
    const where = `an earlier thread of worker ${this.workerId}`
    throw new RrError('RR_WORKER_FAILED', `${where} stands in a native call and cannot be ended`)
  }

  /**
   * Lets the threads finish until the deadline, and starts no other. May be called again, sooner.
   *
   * @returns how many connections were cut, once all have ended
   */
  drain(deadlineMs: number, exitGraceMs: number): Promise<number> {
    this.#isDraining = true
    this.#keeper.release()
    this.#cancelRestart()
    const runs = this.#runs()
    for (const run of runs) {
      run.leave({ deadlineMs, exitGraceMs, why: 'stopped' })
    }
    if (runs.length === 0) this.#ended.resolve(this.#remaining)
    return this.#ended.promise
  }

  /** Sends to the threads that serve or are going to, not to one that leaves; returns which. */
  post(message: SupervisorMessage): readonly number[] {
    const runs = [this.#current, this.#successor?.run ?? null]
    return runs.flatMap((run) => run?.post(message) ?? [])
  }

  /** Ends the thread that serves at once. */
  terminate(reason: 'stalled' | 'stopped'): void {
    this.#current?.terminate(reason)
  }

  /** Ends threads that still load the application: there is nothing to tear down. */
  terminateUnready(): void {
    for (const run of this.#runs()) if (!run.isSetUp) run.terminate('stopped')
  }

  onListening(run: WorkerRun, port: number, socket: SocketFacts): void {
    this.#port = port
    this.#hasStarted = true
    if (!this.#isDraining) this.#keeper.keep(socket)
    if (run === this.#successor?.run) this.#succeed(this.#successor)
    this.#started.resolve(port)
  }

  /** Has another take over at once, where there is a seat for it, and none is on its way. */
  onStuck(run: WorkerRun): void {
    const isAlone = run === this.#current && this.#successor === null && this.#leaving === null
    if (!isAlone || this.#isDraining) return
    this.#remove(run)
    this.#leaving = run
    this.#fillGap(run.servedMs)
  }

  onEnded(run: WorkerRun, end: RunEnd): void {
    const successor = run === this.#successor?.run ? this.#successor : null
    const isGap = run !== this.#leaving
    const unopened = run.unopenedDescriptor
    if (unopened !== null) this.#keeper.takeBack(unopened)
    this.#remove(run)
    const restartDelayMs = isGap ? this.#fillGap(end.servedMs) : null
    this.#emitExit(run, end, restartDelayMs)
    successor?.ready.reject(this.#isDraining ? stoppedError() : run.startError(end.exit))
    if (restartDelayMs !== null) return
    if (this.#isDraining || !this.#hasStarted) this.#remaining += end.remaining
    if (this.#runs().length > 0 || this.#restartTimer !== null) return
    this.#started.reject(run.startError(end.exit))
    this.#ended.resolve(this.#remaining)
  }

  #runs(): WorkerRun[] {
    const runs = [this.#current, this.#successor?.run ?? null, this.#leaving]
    return runs.filter((run) => run !== null)
  }

  #spawn(): WorkerRun {
    const taken = new Set(this.#runs().map((run) => run.seat))
    const seat = this.seats.find((each) => !taken.has(each))!
    this.#generation++
    const order = this.#owner.orderFor(this.workerId, seat, this.#keeper.lend())
    const run = new WorkerRun(order, this.#generation, this.#owner, this)
    run.start()
    return run
  }

  /** The successor listens: what it is to replace may go. */
  #succeed({ run, leaveMs, ready, timer }: Successor): void {
    clearTimeout(timer)
    const before = this.#current
    this.#successor = null
    this.#current = run
    this.#leaving = before
    this.#owner.onHeartChange(this.workerId)
    if (this.#isDraining) {
      ready.reject(stoppedError())
      return
    }
    before?.leave({
      deadlineMs: this.#owner.nowMs() + leaveMs,
      exitGraceMs: DRAIN_EXIT_GRACE_MS,
      why: 'replaced',
    })
    ready.resolve({ left: before === null ? Promise.resolve(NOBODY_LEFT) : before.left })
  }

  /** Its seat stays taken until it has ended, as that of one that leaves. */
  #giveUpSuccessor(startMs: number): void {
    const { run, ready } = this.#successor!
    this.#remove(run)
    this.#leaving = run
    run.terminate('stopped')
    const message = `worker ${this.workerId} did not listen within ${startMs} ms`
    ready.reject(new RrError('RR_WORKER_FAILED', message))
    if (this.#current === null) this.#fillGap(0)
  }

  /** Has a thread started where none serves and none is on its way; returns when, or null. */
  #fillGap(servedMs: number): number | null {
    const isFilled = this.#current !== null || this.#successor !== null
    if (isFilled || !this.#hasStarted || this.#isDraining) return null
    const delayMs = this.#policy.nextDelayMs(servedMs)
    this.#planRestart(delayMs)
    return delayMs
  }

  #remove(run: WorkerRun): void {
    if (run === this.#leaving) this.#leaving = null
    else if (run === this.#successor?.run) {
      clearTimeout(this.#successor.timer)
      this.#successor = null
    } else {
      this.#current = null
      this.#lastSeat = run.seat
      this.#owner.onHeartChange(this.workerId)
    }
  }

  #emitExit(run: WorkerRun, end: RunEnd, restartDelayMs: number | null): void {
    const { reason, exit, connectionsLost, requestsLost } = end
    this.#owner.emit({
      type: 'worker-exited',
      workerId: this.workerId,
      generation: run.generation,
      reason,
      exitCode: exit.exitCode,
      error: exit.error,
      connectionsLost,
      requestsLost,
      restartDelayMs,
    })
  }

  #planRestart(delayMs: number): void {
    // One that is stuck holds the socket open as well: letting go of it would free nobody.
    const isHeld = this.#owner.sharesSocket || this.#leaving !== null
    if (delayMs > MAX_KEEPING_MS && !isHeld) this.#keeper.release()
    this.#restartAtMs = this.#owner.nowMs() + delayMs
    this.#restartTimer = setTimeout(() => {
      this.#cancelRestart()
      this.#current = this.#spawn()
    }, delayMs)
  }

  #cancelRestart(): void {
    if (this.#restartTimer !== null) clearTimeout(this.#restartTimer)
    this.#restartTimer = null
    this.#restartAtMs = null
  }
}

function stoppedError(): RrError {
  return new RrError('RR_SERVER_STATE', 'the server is being stopped')
}
