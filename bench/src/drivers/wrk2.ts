/** wrk2: a load generator in C, for a constant rate. */
import type { LatencySummary, LoadDriver, LoadPlan, LoadResult } from '../model.ts'
import { probeProgram, runProgram } from './program.ts'
import { isDriverBound, isShort } from './verdict.ts'
import { threadsOf, wrkConnections, wrkErrors, wrkParameters } from './wrk.ts'
import { parsePercentiles, parseWrkCounts, summaryOf, type WrkCounts } from './wrk-output.ts'
import { withScript, wrkObstacle, wrkScript } from './wrk-script.ts'

/** wrk2 calibrates for so long and then throws away the latencies so far. */
const CALIBRATION_SECONDS = 10
/** A thread opens its connections one after the other, this far apart. */
const CONNECT_INTERVAL_SECONDS = 0.005
/** As long as the in-repo driver's. */
const TIMEOUT_SECONDS = 10

export const wrk2Driver: LoadDriver = {
  name: 'wrk2',
  probe: () => probeProgram('wrk2'),
  can: (plan) => plan.rate !== null && isPaced(plan) && wrkObstacle(plan) === null,
  run: (plan) => withScript(wrkScript(plan), (script) => run(plan, script)),
}

/**
 * Of pipelined requests it paces the batches and not the requests; and it connects ahead of the
 * schedule, so that the time of a connection is in none of its latencies.
 */
function isPaced({ scenario }: LoadPlan): boolean {
  return scenario.shape.kind === 'keep-alive' && scenario.shape.pipelining === 1
}

async function run(asked: LoadPlan, script: string): Promise<LoadResult> {
  const plan = { ...asked, seconds: asked.seconds + calibrationSeconds(asked) }
  // It takes no fraction.
  const rate = Math.max(1, Math.round(plan.rate ?? 0))
  const { stdout, stderr, cpuSeconds } = await runProgram(
    'wrk2',
    [
      ...wrkParameters(plan),
      ...[`-R${rate}`, '--timeout', `${TIMEOUT_SECONDS}s`, '--latency', '--u_latency'],
      ...['-s', script, plan.url],
    ],
    plan.cpus,
  )
  const output = parseWrk2(stdout === '' ? stderr : stdout)
  const seconds = output.requests / output.requestsPerSecond || plan.seconds
  const driverCpu = cpuSeconds / seconds
  return {
    driver: 'wrk2',
    requests: output.requests,
    seconds,
    errors: wrkErrors(plan.scenario, output),
    corrected: output.corrected,
    uncorrected: output.uncorrected,
    driverCpu,
    isDriverBound: isDriverBound(driverCpu / threadsOf(plan), null),
    isSaturated: isShort(output.requests, askedRequests(plan, rate, seconds)),
  }
}

/**
 * What a run needs besides the time that is to be recorded. One that ends before the calibration
 * does keeps all its latencies, and needs nothing more.
 */
function calibrationSeconds(plan: LoadPlan): number {
  const total = CALIBRATION_SECONDS + connectSeconds(plan)
  return plan.seconds < total ? 0 : Math.ceil(total)
}

function connectSeconds(plan: LoadPlan): number {
  return (wrkConnections(plan) / threadsOf(plan)) * CONNECT_INTERVAL_SECONDS
}

/** The schedule of each connection begins when it is opened: on average half that time is lost. */
function askedRequests(plan: LoadPlan, rate: number, seconds: number): number {
  return rate * (seconds - connectSeconds(plan) / 2)
}

/** What wrk2 prints in all. */
export interface Wrk2Output extends WrkCounts {
  readonly corrected: LatencySummary
  readonly uncorrected: LatencySummary
}

/** Reads what wrk2 prints with `--latency` and `--u_latency`. */
export function parseWrk2(output: string): Wrk2Output {
  const counts = parseWrkCounts(output)
  const [corrected, uncorrected] = output
    .split('Latency Distribution (HdrHistogram - ')
    .slice(1)
    .map(parseHistogram)
  if (corrected === undefined || uncorrected === undefined) {
    throw new Error(`a histogram is missing: ${output}`)
  }
  return { ...counts, corrected, uncorrected }
}

/** Percentiles in rounded units, then the whole spectrum in milliseconds, then mean and maximum. */
function parseHistogram(text: string): LatencySummary {
  const mean = /#\[Mean\s+=\s+([\d.]+)/.exec(text)?.[1]
  const max = /#\[Max\s+=\s+([\d.]+)/.exec(text)?.[1]
  if (mean === undefined || max === undefined) throw new Error(`no mean and maximum in: ${text}`)
  const curve = [...text.matchAll(/^\s+([\d.]+)\s+([01]\.\d+)\s+\d+\s+(?:[\d.]+|inf)$/gm)].map(
    ([, ms, share]) => [Number(share) * 100, Number(ms) * 1000] as const,
  )
  return { ...summaryOf(parsePercentiles(text), Number(mean) * 1000, Number(max) * 1000), curve }
}
