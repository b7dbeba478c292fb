/** wrk: a load generator in C, for the closed loop. */
import type { LoadDriver, LoadPlan, LoadResult, Scenario } from '../model.ts'
import { probeProgram, runProgram } from './program.ts'
import { isDriverBound } from './verdict.ts'
import { parseWrk, type WrkCounts } from './wrk-output.ts'
import { pipeliningOf, withScript, wrkObstacle, wrkScript } from './wrk-script.ts'

/** wrk drops latencies above this and counts them as errors; as long as the in-repo driver's. */
const TIMEOUT_SECONDS = 10

export const wrkDriver: LoadDriver = {
  name: 'wrk',
  probe: () => probeProgram('wrk'),
  can: (plan) => plan.rate === null && wrkObstacle(plan) === null,
  run: (plan) => withScript(wrkScript(plan), (script) => run(plan, script)),
}

async function run(plan: LoadPlan, script: string): Promise<LoadResult> {
  const parameters = [...wrkParameters(plan), '--timeout', `${TIMEOUT_SECONDS}s`, '--latency']
  const { stdout, stderr, cpuSeconds } = await runProgram(
    'wrk',
    [...parameters, '-s', script, plan.url],
    plan.cpus,
  )
  const output = parseWrk(stdout === '' ? stderr : stdout)
  if (output.latency === null) throw new Error(`wrk printed no latencies: ${stdout}`)
  const seconds = output.requests / output.requestsPerSecond || plan.seconds
  const driverCpu = cpuSeconds / seconds
  return {
    driver: 'wrk',
    requests: output.requests,
    seconds,
    errors: wrkErrors(plan.scenario, output),
    corrected: null,
    uncorrected: output.latency,
    driverCpu,
    isDriverBound: isDriverBound(driverCpu / threadsOf(plan), null),
    isSaturated: false,
  }
}

/** Threads, connections and time, which wrk and wrk2 take alike; whole seconds only. */
export function wrkParameters(plan: LoadPlan): string[] {
  const threads = threadsOf(plan)
  return [`-t${threads}`, `-c${wrkConnections(plan)}`, `-d${Math.max(1, Math.ceil(plan.seconds))}s`]
}

export function threadsOf({ cpus }: LoadPlan): number {
  return Math.max(1, cpus.length)
}

/** Every thread has as many connections as the others, at least one. */
export function wrkConnections(plan: LoadPlan): number {
  const { shape } = plan.scenario
  const asked = shape.kind === 'connection-storm' ? shape.burst : shape.connections
  const threads = threadsOf(plan)
  return Math.max(threads, asked - (asked % threads))
}

/**
 * wrk counts every answer of 400 and above as an error. Where the scenario asks for such answers, what
 * is wrong is the difference from the share of them in the list. A run ends somewhere in the list on
 * each of its connections, so a difference of that much is none.
 */
export function wrkErrors(scenario: Scenario, counts: WrkCounts): Record<string, number> {
  const { status = 0, ...errors } = counts.errors
  const refusals = scenario.requests.filter(({ answer }) => answer.status >= 400).length
  const expected = (counts.requests * refusals) / scenario.requests.length
  const { shape } = scenario
  const connections = shape.kind === 'connection-storm' ? shape.burst : shape.connections
  const isAlike = refusals === 0 || refusals === scenario.requests.length
  const slack = isAlike ? 0 : connections * pipeliningOf(shape) + scenario.requests.length
  const wrong = Math.max(0, Math.round(Math.abs(status - expected)) - slack)
  return wrong > 0 ? { ...errors, status: wrong } : errors
}

/** How to put load on a server without a scenario. */
export interface WrkRun {
  readonly url: string
  readonly connections: number
  readonly seconds: number
  /** The CPU that wrk is bound to, or null for none. */
  readonly cpu: number | null
  /** A Lua script, or null. */
  readonly script: string | null
}

/** Runs wrk with one thread. */
export async function runWrk(run: WrkRun): Promise<WrkCounts> {
  const parameters = ['-t1', `-c${run.connections}`, `-d${run.seconds}s`]
  if (run.script !== null) parameters.push('-s', run.script)
  const { stdout, stderr } = await runProgram(
    'wrk',
    [...parameters, run.url],
    run.cpu === null ? [] : [run.cpu],
  )
  return parseWrk(stdout === '' ? stderr : stdout)
}
