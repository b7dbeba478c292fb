/**
 * The driver that comes with this repository: load processes of its own, one for each CPU it is given.
 * This file divides the work among them and puts together what they counted.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { LoadDriver, LoadPlan, LoadResult, LoadShape, ScheduleQuality } from '../model.ts'
import { checkSample, expectedBodyBytes } from './answer-check.ts'
import { LatencyRecord } from './latency-record.ts'
import type {
  MessageFromProcess,
  MessageToProcess,
  ProcessPlan,
  ProcessResult,
} from './load-messages.ts'
import { isDriverBound, isShort } from './verdict.ts'

/** Far above any right answer, and short enough to see a run with a dead server through. */
const DEFAULT_TIMEOUT_MS = 10_000
/** Beside this file, with the ending that this file has. */
const PROCESS_FILE = fileURLToPath(
  new URL(`./load-process${import.meta.url.slice(-3)}`, import.meta.url),
)

/** @param timeoutMs after which an answer is given up and counted as an error */
export function createInRepoDriver(timeoutMs: number = DEFAULT_TIMEOUT_MS): LoadDriver {
  return {
    name: 'in-repo',
    probe: async () => ({ version: `Node ${process.version}` }),
    can: ({ scenario, rate }) => scenario.shape.kind !== 'event-stream' || rate === null,
    run: async (plan) => {
      const plans = divide(plan, timeoutMs)
      return combine(plan, await runProcesses(plans, plan.cpus))
    },
  }
}

/** Connections one by one and the rate in proportion; slow clients go with the connections. */
function divide(plan: LoadPlan, timeoutMs: number): ProcessPlan[] {
  const { scenario, seconds, rate, cpus } = plan
  const { hostname, port } = new URL(plan.url)
  const total = connectionsOf(scenario.shape)
  const processes = Math.max(1, Math.min(cpus.length, total))
  const requests = scenario.requests.map(({ request, answer }) => ({
    request,
    status: answer.status,
    bodyBytes: expectedBodyBytes(answer, request.method),
  }))
  return Array.from({ length: processes }, (_, index) => {
    const shape = shareOf(scenario.shape, index, processes)
    const share = connectionsOf(shape) / total
    // A burst is one moment for all; single requests of the processes go between one another.
    const isBurst = shape.kind === 'connection-storm'
    return {
      host: hostname.replace(/^\[|\]$/g, ''),
      port: Number(port || 80),
      requests,
      shape,
      seconds,
      rate: rate === null ? null : rate * share,
      firstDueUs: rate === null || isBurst ? 0 : (index * 1_000_000) / rate,
      timeoutMs,
    }
  })
}

function connectionsOf(shape: LoadShape): number {
  return shape.kind === 'connection-storm' ? shape.burst : shape.connections
}

function shareOf(shape: LoadShape, index: number, processes: number): LoadShape {
  const share = (count: number): number =>
    Math.floor(count / processes) + (index < count % processes ? 1 : 0)
  if (shape.kind === 'connection-storm') return { ...shape, burst: share(shape.burst) }
  const connections = share(shape.connections)
  if (shape.kind === 'slow-clients') return { ...shape, connections, slow: share(shape.slow) }
  return { ...shape, connections }
}

async function runProcesses(
  plans: readonly ProcessPlan[],
  cpus: readonly number[],
): Promise<ProcessResult[]> {
  const children = plans.map((_, index) => startProcess(cpus[index] ?? null))
  try {
    // All are connected before the first of them starts.
    await Promise.all(children.map((child, index) => prepare(child, plans[index] as ProcessPlan)))
    return await Promise.all(children.map((child) => collect(child)))
  } finally {
    for (const child of children) child.kill('SIGKILL')
  }
}

function startProcess(cpu: number | null): ChildProcess {
  const node = [process.execPath, PROCESS_FILE]
  const [program = '', ...parameters] =
    cpu === null ? node : ['taskset', '-c', String(cpu), ...node]
  return spawn(program, parameters, {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    // For request bodies and samples, which are bytes.
    serialization: 'advanced',
  })
}

async function prepare(child: ChildProcess, plan: ProcessPlan): Promise<void> {
  const ready = nextMessage(child)
  send(child, { kind: 'plan', plan })
  const message = await ready
  if (message.kind !== 'ready') throw unexpected(message)
}

async function collect(child: ChildProcess): Promise<ProcessResult> {
  const result = nextMessage(child)
  send(child, { kind: 'start' })
  const message = await result
  if (message.kind !== 'result') throw unexpected(message)
  return message.result
}

function send(child: ChildProcess, message: MessageToProcess): void {
  // A process that is gone is reported by `nextMessage`.
  child.send(message, () => {})
}

function unexpected(message: MessageFromProcess): Error {
  return new Error(message.kind === 'failed' ? message.message : `unexpected ${message.kind}`)
}

/** @throws Error when the process ends or cannot be started */
async function nextMessage(child: ChildProcess): Promise<MessageFromProcess> {
  const settled = new AbortController()
  const { signal } = settled
  try {
    return await Promise.race([
      // Rejects on `error` too, as when there is no taskset.
      once(child, 'message', { signal }).then(([message]) => message as MessageFromProcess),
      once(child, 'exit', { signal }).then(([code, name]) => {
        throw new Error(`the load process ended: ${code ?? name}`)
      }),
    ])
  } finally {
    settled.abort()
  }
}

function combine(plan: LoadPlan, results: readonly ProcessResult[]): LoadResult {
  const sum = (read: (result: ProcessResult) => number): number =>
    results.reduce((total, result) => total + read(result), 0)
  const qualities = results.map(qualityOf)
  const schedule = worst(qualities)
  const isSaturated =
    isShort(sum(sentOf), sum(dueOf)) || results.some((result) => result.schedule?.isBacklogGrowing)
  return {
    driver: 'in-repo',
    requests: sum((result) => result.requests),
    seconds: Math.max(...results.map((result) => result.seconds)),
    errors: combineErrors(plan, results),
    corrected: plan.rate === null ? null : merge(results.map((r) => r.corrected)).summary(),
    uncorrected: merge(results.map((result) => result.uncorrected)).summary(),
    driverCpu: sum((result) => result.cpuShare),
    isDriverBound: results.some((result, index) =>
      isDriverBound(result.cpuShare, qualities[index] ?? null),
    ),
    isSaturated: plan.rate !== null && isSaturated,
    ...(schedule === null ? {} : { schedule }),
  }
}

const sentOf = (result: ProcessResult): number => result.schedule?.sent ?? 0
const dueOf = (result: ProcessResult): number => result.schedule?.due ?? 0

function qualityOf({ schedule }: ProcessResult): ScheduleQuality | null {
  if (schedule === null) return null
  const late = new LatencyRecord(schedule.late)
  return {
    lateP50: late.percentile(50),
    lateP99: late.percentile(99),
    lateMax: late.max,
    idleShare: schedule.idleShare,
  }
}

/** The worst of every figure: one process that lacks CPU spoils the whole. */
function worst(qualities: readonly (ScheduleQuality | null)[]): ScheduleQuality | null {
  const known = qualities.filter((quality) => quality !== null)
  if (known.length === 0) return null
  return {
    lateP50: Math.max(...known.map((quality) => quality.lateP50)),
    lateP99: Math.max(...known.map((quality) => quality.lateP99)),
    lateMax: Math.max(...known.map((quality) => quality.lateMax)),
    idleShare: Math.min(...known.map((quality) => quality.idleShare)),
  }
}

function merge(encoded: readonly (string | null)[]): LatencyRecord {
  const record = new LatencyRecord()
  for (const one of encoded) if (one !== null) record.add(new LatencyRecord(one))
  return record
}

function combineErrors(
  { scenario }: LoadPlan,
  results: readonly ProcessResult[],
): Record<string, number> {
  const errors: Record<string, number> = {}
  const add = (kind: string, count: number): void => {
    errors[kind] = (errors[kind] ?? 0) + count
  }
  for (const result of results) {
    for (const [kind, count] of Object.entries(result.errors)) add(kind, count)
    for (const sample of result.samples) {
      const answer = scenario.requests[sample.request]?.answer
      if (answer !== undefined && checkSample(sample, answer) !== null) add('body', 1)
    }
  }
  return errors
}
