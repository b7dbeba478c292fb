import { median } from '../median.ts'
import type { BenchServer, Scenario } from '../model.ts'
import type { RunRequest } from './measure-run.ts'
import type { Cell, GridOptions, MeasuredRun, RunRecord } from './result-file.ts'

/** The combinations to measure and how to measure one. */
export interface GridPlan {
  readonly scenarios: readonly Scenario[]
  readonly servers: readonly BenchServer[]
  /** Only `measured` cells are run. */
  readonly cells: readonly Cell[]
  readonly options: Pick<GridOptions, 'rounds' | 'fractions'>
  /** False where no driver can put the scenario's load on at a constant rate. */
  hasRates(scenario: string): boolean
  measure(request: RunRequest, signal: AbortSignal): Promise<MeasuredRun>
}

export interface GridEvents {
  onRun(record: RunRecord): void
  /** Runs that will not be made, because their server has no peak in that scenario. */
  onSkipped(scenario: string, server: string, runs: number): void
  onScenarioEnd(): void
}

/** How many runs a plan makes when nothing fails. */
export function countRuns(plan: Pick<GridPlan, 'cells' | 'options' | 'hasRates'>): number {
  const { rounds, fractions } = plan.options
  return plan.cells
    .filter(({ state }) => state === 'measured')
    .map(({ scenario }) => rounds * (1 + (plan.hasRates(scenario) ? fractions.length : 0)))
    .reduce((sum, runs) => sum + runs, 0)
}

/**
 * Makes every run of the plan. Within a round the servers take turns, so that a machine that slows
 * down over minutes slows all of them. A run that fails is recorded and the rest go on.
 *
 * @returns false when the signal ended it early
 */
export async function runGrid(
  plan: GridPlan,
  events: GridEvents,
  signal: AbortSignal,
): Promise<boolean> {
  let sequence = 0
  const isMeasured = (scenario: Scenario, server: BenchServer): boolean =>
    plan.cells.some(
      (cell) =>
        cell.scenario === scenario.name && cell.server === server.name && cell.state === 'measured',
    )

  const makeRun = async (
    scenario: Scenario,
    server: BenchServer,
    at: Pick<RunRecord, 'round' | 'fraction' | 'rate'>,
  ): Promise<RunRecord | null> => {
    if (signal.aborted) return null
    const outcome = await attempt(() => plan.measure({ scenario, server, rate: at.rate }, signal))
    // What an interruption broke off says nothing about the server.
    if (signal.aborted) return null
    sequence += 1
    const names = { scenario: scenario.name, server: server.name }
    const record: RunRecord = { sequence, ...names, ...at, ...outcome }
    events.onRun(record)
    return record
  }

  for (const scenario of plan.scenarios) {
    const servers = plan.servers.filter((server) => isMeasured(scenario, server))
    if (servers.length === 0) continue
    const peaks = await runPeaks(scenario, servers, plan.options.rounds, makeRun)
    if (plan.hasRates(scenario.name)) {
      await runRates(scenario, servers, plan.options, peaks, makeRun, events)
    }
    events.onScenarioEnd()
    if (signal.aborted) return false
  }
  return !signal.aborted
}

type MakeRun = (
  scenario: Scenario,
  server: BenchServer,
  at: Pick<RunRecord, 'round' | 'fraction' | 'rate'>,
) => Promise<RunRecord | null>

/** @returns requests a second of each round, by server */
async function runPeaks(
  scenario: Scenario,
  servers: readonly BenchServer[],
  rounds: number,
  makeRun: MakeRun,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const peaks = new Map<string, number[]>(servers.map(({ name }) => [name, []]))
  for (let round = 1; round <= rounds; round++) {
    for (const server of servers) {
      const record = await makeRun(scenario, server, { round, fraction: null, rate: null })
      const load = record?.measured?.load
      if (load !== undefined && load.requests > 0) {
        peaks.get(server.name)?.push(load.requests / load.seconds)
      }
    }
  }
  return peaks
}

async function runRates(
  scenario: Scenario,
  servers: readonly BenchServer[],
  { rounds, fractions }: Pick<GridOptions, 'rounds' | 'fractions'>,
  peaks: ReadonlyMap<string, readonly number[]>,
  makeRun: MakeRun,
  events: GridEvents,
): Promise<void> {
  const able = servers.filter(({ name }) => (peaks.get(name)?.length ?? 0) > 0)
  for (const { name } of servers.filter((server) => !able.includes(server))) {
    events.onSkipped(scenario.name, name, rounds * fractions.length)
  }
  for (let round = 1; round <= rounds; round++) {
    for (const fraction of fractions) {
      for (const server of able) {
        const rate = Math.max(1, Math.round(median(peaks.get(server.name) ?? []) * fraction))
        await makeRun(scenario, server, { round, fraction, rate })
      }
    }
  }
}

async function attempt(
  measure: () => Promise<MeasuredRun>,
): Promise<Pick<RunRecord, 'measured' | 'failure'>> {
  try {
    return { measured: await measure(), failure: null }
  } catch (error) {
    return { measured: null, failure: error instanceof Error ? error.message : String(error) }
  }
}
