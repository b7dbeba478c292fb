import type { BenchServer, LoadDriver, Scenario } from '../model.ts'
import { checkServers, probePart, type Verify } from './check-servers.ts'
import { type CpuPlan, planCpus, readCores } from './cpu-plan.ts'
import { withConnections } from './load-shape.ts'
import { hasTaskset, readCommit, readMachineFacts } from './machine.ts'
import { NOTED_DISTURBANCE } from './machine-load.ts'
import { measureRun } from './measure-run.ts'
import { estimateSeconds, formatDuration, Progress } from './progress.ts'
import {
  type Cell,
  type GridOptions,
  type ProbedPart,
  type ResultFile,
  type RunRecord,
  SCHEMA_VERSION,
} from './result-file.ts'
import { countRuns, runGrid } from './run-grid.ts'
import { startServerRun } from './server-run.ts'

/** Everything that can be measured and what measures it. */
export interface BenchParts {
  readonly scenarios: readonly Scenario[]
  readonly servers: readonly BenchServer[]
  readonly drivers: readonly LoadDriver[]
  readonly verify: Verify
}

export interface BenchSession {
  readonly parts: BenchParts
  readonly options: GridOptions
  /** The repository, for its commit. */
  readonly folder: string
  say(line: string): void
  /** Called after every scenario and at the end with what there is so far. */
  save(result: ResultFile): void
}

/**
 * Checks the servers, makes all runs and hands the results to `save`, marked partial until the
 * last run is made.
 */
export async function runBenchSession(
  session: BenchSession,
  signal: AbortSignal,
): Promise<ResultFile> {
  const { parts, options } = session
  const startedAt = new Date().toISOString()
  const scenarios = parts.scenarios.map((one) => withConnections(one, options.connections))
  const hasPinning = await hasTaskset()
  const cpus = planCpus({ cores: readCores(), workers: options.workers, hasTaskset: hasPinning })
  const commit = await readCommit(session.folder)
  const probed = await Promise.all(parts.drivers.map(probePart))
  sayHead(session, cpus, probed, scenarios)

  const runs: RunRecord[] = []
  let servers: readonly ProbedPart[] = []
  let cells: readonly Cell[] = []
  const result = (isPartial: boolean): ResultFile => ({
    kind: 'rr-bench',
    schema: SCHEMA_VERSION,
    startedAt,
    finishedAt: new Date().toISOString(),
    isPartial,
    machine: readMachineFacts(),
    software: { node: process.version, drivers: probed },
    commit,
    options,
    cpus,
    scenarios: scenarios.map(({ name, summary, shape, notYet }) => ({
      name,
      summary,
      shape,
      notYet,
    })),
    servers,
    cells,
    runs,
  })

  let isWhole = false
  try {
    ;({ servers, cells } = await check(session, scenarios, cpus, signal))
    const drivers = parts.drivers.filter((_, index) => probed[index]?.missing === null)
    const context = { drivers, cpus, options }
    const plan = {
      ...{ scenarios, servers: parts.servers, cells, options },
      hasRates: (name: string) =>
        scenarios.some((one) => one.name === name && canPace(drivers, one)),
      measure: (request: Parameters<typeof measureRun>[0], ended: AbortSignal) =>
        measureRun(request, context, ended),
    }
    isWhole = await runWithProgress(plan, runs, session, () => session.save(result(true)), signal)
  } catch (error) {
    // Interrupted while the servers were checked: there is nothing but the head to write.
    if (!signal.aborted) throw error
  }
  const whole = result(!isWhole)
  session.save(whole)
  return whole
}

/** Whether a driver that is here can put on the scenario's load at a constant rate. */
function canPace(drivers: readonly LoadDriver[], scenario: Scenario): boolean {
  const plan = { url: '', scenario, seconds: 1, rate: 1, cpus: [] }
  return drivers.some((driver) => driver.can(plan))
}

function sayHead(
  { say, parts, options }: BenchSession,
  cpus: CpuPlan,
  drivers: readonly ProbedPart[],
  scenarios: readonly Scenario[],
): void {
  const live = scenarios.filter(({ notYet }) => notYet === null).length
  const most = live * parts.servers.length * options.rounds * (1 + options.fractions.length)
  say(`At most ${most} runs, ${formatDuration(estimateSeconds(most, options))} in all.`)
  say(`Cores: ${cpus.note}.`)
  for (const { name, version, missing } of drivers) {
    say(`Driver ${name}: ${missing === null ? version : `missing, ${missing}`}`)
  }
  for (const { name, notYet } of scenarios) {
    if (notYet !== null) say(`Scenario ${name}: not yet, ${notYet}`)
  }
}

async function check(
  { parts, options, say }: BenchSession,
  scenarios: readonly Scenario[],
  cpus: CpuPlan,
  signal: AbortSignal,
): Promise<Awaited<ReturnType<typeof checkServers>>> {
  return checkServers(
    {
      scenarios,
      servers: parts.servers,
      workers: options.workers,
      verify: parts.verify,
      start: (server, ended) =>
        startServerRun(server, { workers: options.workers, cpus: cpus.server, signal: ended }),
      onServer: ({ name, version, missing }, cells) => {
        if (missing !== null) return say(`Server ${name}: missing, ${missing}`)
        const right = cells.filter(({ state }) => state === 'measured').length
        say(`Server ${name} ${version}: right in ${right} of ${cells.length} scenarios`)
        for (const { scenario, state, reason } of cells) {
          if (state === 'wrong') say(`  ${scenario}: WRONG, not measured: ${reason}`)
          if (state === 'not-run') say(`  ${scenario}: not run, ${reason}`)
        }
      },
    },
    signal,
  )
}

async function runWithProgress(
  plan: Parameters<typeof runGrid>[0],
  runs: RunRecord[],
  { options, say }: BenchSession,
  saveSoFar: () => void,
  signal: AbortSignal,
): Promise<boolean> {
  const total = countRuns(plan)
  const seconds = estimateSeconds(total, options)
  say(`${total} runs of ${options.seconds} s, about ${formatDuration(seconds)} in all`)
  const progress = new Progress(total, seconds, say)
  return runGrid(
    plan,
    {
      onRun: (record) => {
        runs.push(record)
        progress.step(describeRun(record))
      },
      onSkipped: (scenario, server, skipped) => {
        if (skipped > 0) progress.step(`${scenario}  ${server}  no peak, so no rates`, skipped)
      },
      onScenarioEnd: saveSoFar,
    },
    signal,
  )
}

/** A run in one line of progress. */
export function describeRun(record: RunRecord): string {
  const { scenario, server, round, fraction, measured, failure } = record
  const kind = fraction === null ? 'peak' : `${Math.round(fraction * 100)} %`
  const head = `${scenario}  ${server}  ${kind}, round ${round}:`
  if (measured === null) return `${head} FAILED, ${failure}`
  const { load, serverCpuMicroseconds, disturbance } = measured
  const { otherCpu, stolenCpu } = disturbance
  const errors = Object.values(load.errors).reduce((sum, count) => sum + count, 0)
  const facts = [
    `${Math.round(load.requests / load.seconds)} req/s`,
    `${(serverCpuMicroseconds / Math.max(1, load.requests)).toFixed(2)} us CPU/req`,
    ...(load.corrected === null ? [] : [`p99 ${(load.corrected.p99 / 1000).toFixed(2)} ms`]),
    ...(errors > 0 ? [`${errors} errors`] : []),
    ...(load.isDriverBound ? ['driver-bound'] : []),
    ...(load.isSaturated ? ['saturated'] : []),
    ...(otherCpu >= NOTED_DISTURBANCE ? [`other programs ${otherCpu.toFixed(1)} cores`] : []),
    ...(stolenCpu >= NOTED_DISTURBANCE ? [`the host ${stolenCpu.toFixed(1)} cores`] : []),
  ]
  return `${head} ${facts.join(', ')}`
}
