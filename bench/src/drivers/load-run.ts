import type { LoadShape } from '../model.ts'
import { nowUs } from './clock.ts'
import { EventStream } from './event-streams.ts'
import { LatencyRecord } from './latency-record.ts'
import { type ConnectionContext, LoadConnection } from './load-connection.ts'
import type { ProcessPlan, ProcessResult, ScheduleTally } from './load-messages.ts'
import { encodeRequest } from './request-bytes.ts'
import { RunTally } from './run-tally.ts'
import { SlowClients } from './slow-clients.ts'
import { ClosedBursts, ClosedLoop, ConstantRate, type WorkSource } from './work-source.ts'

/** How often failed connections are tried again and late answers given up. */
const SWEEP_MS = 50
/**
 * A timer fires up to a millisecond and more after its time, so the loop sleeps only when the next
 * send is further off than this, wakes this much early and spins for the rest.
 */
const SPIN_AHEAD_US = 3000

/** A run in this process: `open`, then `run` once. */
export interface LoadRun {
  /** Resolves when every connection is open or has failed. */
  open(): Promise<void>
  run(): Promise<ProcessResult>
}

export function createLoadRun(plan: ProcessPlan): LoadRun {
  return plan.shape.kind === 'event-stream' ? new StreamRun(plan) : new RequestRun(plan)
}

/** How soon after the last answer the run ends. */
const FINISH_POLL_MS = 1

/** CPU time over wall time since it was made. */
class CpuMeter {
  readonly #cpu = process.cpuUsage()
  readonly #startUs = nowUs()

  read(): number {
    const { user, system } = process.cpuUsage(this.#cpu)
    return (user + system) / (nowUs() - this.#startUs)
  }
}

function connectionsOf(shape: LoadShape): number {
  return shape.kind === 'connection-storm' ? shape.burst : shape.connections
}

/** Everything that is requests and answers. */
class RequestRun implements LoadRun {
  readonly #plan: ProcessPlan
  readonly #tally: RunTally
  readonly #connections: LoadConnection[]
  readonly #context: ConnectionContext
  readonly #isReused: boolean
  readonly #late = new LatencyRecord()
  #slow: SlowClients | null = null
  #source: WorkSource = new ClosedLoop()
  /** The source, at a constant rate. */
  #schedule: ConstantRate | null = null
  #startUs = 0
  #meter = new CpuMeter()
  #cpuShare = 0
  // Of the last turn of the loop at a constant rate.
  #passUs = 0
  #passActivity = 0
  #sleepUs = 0
  #idleUs = 0
  #resolve: () => void = () => {}

  constructor(plan: ProcessPlan) {
    const { shape } = plan
    const run = this
    this.#plan = plan
    this.#tally = new RunTally(plan.requests, plan.rate !== null)
    this.#isReused = shape.kind === 'keep-alive' || shape.kind === 'slow-clients'
    const host = `${plan.host}:${plan.port}`
    // Nothing is given out before the clock starts.
    this.#source.stop()
    this.#context = {
      host: plan.host,
      port: plan.port,
      requests: plan.requests.map(({ request }) => encodeRequest(request, host, !this.#isReused)),
      nextRequest: 0,
      outstanding: 0,
      activity: 0,
      pipelining: shape.kind === 'keep-alive' ? shape.pipelining : 1,
      isReused: this.#isReused,
      timeoutMs: plan.timeoutMs,
      get source() {
        return run.#source
      },
      tally: this.#tally,
    }
    this.#connections = Array.from(
      { length: connectionsOf(shape) },
      (_, slot) => new LoadConnection(slot, this.#context),
    )
  }

  async open(): Promise<void> {
    const { shape, host, port } = this.#plan
    if (shape.kind === 'slow-clients' && shape.slow > 0) {
      const request = this.#context.requests[0]?.text ?? ''
      this.#slow = new SlowClients(shape.slow, { host, port, request })
    }
    if (!this.#isReused) return
    for (const connection of this.#connections) connection.open(nowUs())
    const deadlineUs = nowUs() + this.#plan.timeoutMs * 1000
    while (!this.#connections.every((connection) => connection.isOpen || connection.hasFailed)) {
      if (nowUs() > deadlineUs) break
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }

  async run(): Promise<ProcessResult> {
    const { seconds, rate, shape, firstDueUs } = this.#plan
    const sweeper = setInterval(() => this.#sweep(), SWEEP_MS)
    const isBurst = shape.kind === 'connection-storm'
    const slots = this.#connections.length
    const finished = new Promise<void>((resolve) => {
      this.#resolve = resolve
    })
    this.#meter = new CpuMeter()
    const startUs = nowUs()
    this.#startUs = startUs
    if (rate !== null) {
      const firstUs = startUs + firstDueUs
      const options = { slots, rate, startUs, firstDueUs: firstUs, seconds, isBurst }
      this.#schedule = new ConstantRate(options)
      this.#source = this.#schedule
      this.#passUs = startUs
      this.#pass()
    } else {
      this.#source = isBurst ? new ClosedBursts(slots, this.#pumpAll) : new ClosedLoop()
      this.#pumpAll()
      setTimeout(() => this.#stop(), seconds * 1000)
    }
    await finished
    clearInterval(sweeper)
    this.#slow?.close()
    for (const connection of this.#connections) connection.close()
    return this.#result()
  }

  readonly #pumpAll = (): void => {
    for (const connection of this.#connections) connection.pump(nowUs())
  }

  #sweep(): void {
    const now = nowUs()
    for (const connection of this.#connections) connection.sweep(now)
  }

  /** Nothing is sent from now on; what is outstanding is waited for, or timed out by the sweep. */
  #stop(): void {
    this.#source.stop()
    this.#cpuShare = this.#meter.read()
    const poll = (): void => {
      if (this.#context.outstanding === 0) this.#resolve()
      else setTimeout(poll, FINISH_POLL_MS)
    }
    poll()
  }

  /**
   * One turn of the loop at a constant rate: sends what is due, then lets the event loop read
   * answers and comes back at once. A timer would send in bursts, once a millisecond.
   */
  readonly #pass = (): void => {
    const schedule = this.#schedule as ConstantRate
    const now = nowUs()
    const isIdle = this.#context.activity === this.#passActivity
    this.#idleUs += isIdle ? now - this.#passUs : Math.min(this.#sleepUs, now - this.#passUs)
    this.#passActivity = this.#context.activity
    this.#passUs = now
    if (now - this.#startUs >= this.#plan.seconds * 1_000_000) {
      this.#noteUnsent(schedule, now)
      this.#stop()
      return
    }
    let lastDueUs = Number.NaN
    for (let slot = schedule.advance(now); slot >= 0; slot = schedule.advance(now)) {
      const dueUs = schedule.dueAt(schedule.due - 1)
      const turnUs = nowUs()
      // When its turn has come, whether an earlier answer is in its way or not: the delay up to here
      // is the driver's own. Of a burst the first counts: not all can be sent in one moment.
      if (dueUs !== lastDueUs) this.#late.record(turnUs - dueUs)
      lastDueUs = dueUs
      this.#connections[slot]?.pump(turnUs)
    }
    schedule.noteBacklog(now)
    const waitUs = schedule.nextDueUs - nowUs()
    this.#sleepUs = waitUs > 2 * SPIN_AHEAD_US ? waitUs - SPIN_AHEAD_US : 0
    if (this.#sleepUs > 0) setTimeout(this.#pass, this.#sleepUs / 1000)
    else setImmediate(this.#pass)
  }

  /**
   * What was due and never sent has waited until now at least: left out, the worst of a run that falls
   * behind would be missing from the corrected latencies. That goes for what became due since the
   * last turn, too.
   */
  #noteUnsent(schedule: ConstantRate, now: number): void {
    while (schedule.advance(now) >= 0);
    for (const dueUs of schedule.unsent()) this.#tally.corrected?.record(now - dueUs)
  }

  #result(): ProcessResult {
    const { corrected, uncorrected, requests, errors, samples, lastAnswerUs } = this.#tally
    return {
      requests,
      seconds: Math.max(this.#plan.seconds, (lastAnswerUs - this.#startUs) / 1_000_000),
      errors,
      corrected: corrected?.encode() ?? null,
      uncorrected: uncorrected.encode(),
      cpuShare: this.#cpuShare,
      schedule: this.#schedule === null ? null : this.#scheduleTally(this.#schedule),
      samples,
    }
  }

  #scheduleTally(schedule: ConstantRate): ScheduleTally {
    return {
      sent: schedule.sent,
      due: schedule.due,
      isBacklogGrowing: schedule.isBacklogGrowing,
      late: this.#late.encode(),
      idleShare: this.#idleUs / (this.#plan.seconds * 1_000_000),
    }
  }
}

/** Streams of events, which come at the server's pace. */
class StreamRun implements LoadRun {
  readonly #plan: ProcessPlan
  readonly #tally: RunTally
  readonly #streams: EventStream[]

  constructor(plan: ProcessPlan) {
    const host = `${plan.host}:${plan.port}`
    this.#plan = plan
    this.#tally = new RunTally(plan.requests, false)
    const context = {
      host: plan.host,
      port: plan.port,
      requests: plan.requests.map(({ request }) => encodeRequest(request, host, false)),
      statuses: plan.requests.map(({ status }) => status),
      tally: this.#tally,
    }
    const connections = connectionsOf(plan.shape)
    this.#streams = Array.from({ length: connections }, (_, slot) => new EventStream(slot, context))
  }

  async open(): Promise<void> {}

  async run(): Promise<ProcessResult> {
    const meter = new CpuMeter()
    const startUs = nowUs()
    for (const stream of this.#streams) stream.open()
    await new Promise((resolve) => setTimeout(resolve, this.#plan.seconds * 1000))
    const seconds = (nowUs() - startUs) / 1_000_000
    const cpuShare = meter.read()
    for (const stream of this.#streams) stream.close()
    const { requests, errors, uncorrected } = this.#tally
    return {
      requests,
      seconds,
      errors,
      corrected: null,
      uncorrected: uncorrected.encode(),
      cpuShare,
      schedule: null,
      samples: [],
    }
  }
}
