import { type Disturbance, NOTED_DISTURBANCE } from '../grid/machine-load.ts'
import type { Cell, MeasuredRun, ResultFile, RunRecord } from '../grid/result-file.ts'
import { type ByRound, pairedRatios, type Spread, summarize } from '../grid/statistics.ts'
import type { LatencySummary } from '../model.ts'

/** What ratios are taken against, where it was measured. */
export const REFERENCE_SERVER = 'node-http'

/** All rounds of one server, scenario and rate. */
export interface ResultRow {
  readonly scenario: string
  readonly server: string
  /** Null for the closed loop. */
  readonly fraction: number | null
  /** What the driver was to send; the same in all rounds. Null for the closed loop. */
  readonly askedRequestsPerSecond: number | null
  readonly runs: readonly MeasuredRun[]
  readonly requestsPerSecond: Spread | null
  readonly cpuMicrosecondsPerRequest: Spread | null
  readonly peakRssBytes: Spread | null
  /** Over all rounds. */
  readonly errors: number
  readonly failures: readonly string[]
  /** Rounds in which the driver was the limit. */
  readonly driverBoundRounds: number
  /** Rounds in which the rate was not kept. */
  readonly saturatedRounds: number
  /** By round, for ratios. */
  readonly values: Readonly<Record<Metric, ByRound>>
}

export const METRICS = ['cpu', 'rps', 'p99'] as const
/** CPU per request, requests a second, corrected 99th percentile. */
export type Metric = (typeof METRICS)[number]

export type Percentile = Exclude<keyof LatencySummary, 'curve' | 'mean'>
export const PERCENTILES: readonly Percentile[] = ['p50', 'p90', 'p99', 'p999', 'p9999', 'max']

/** Rows in the order of the runs that gave them. */
export function resultRows(result: Pick<ResultFile, 'runs'>): readonly ResultRow[] {
  const groups = Map.groupBy(result.runs, rowKey)
  return [...groups.values()].map(toRow)
}

/** The same for the same row of two result files. */
export function rowKey(row: Pick<ResultRow, 'scenario' | 'server' | 'fraction'>): string {
  return `${row.scenario} ${row.server} ${row.fraction === null ? 'peak' : row.fraction}`
}

function toRow(records: readonly RunRecord[]): ResultRow {
  const { scenario, server, fraction, rate } = records[0] as RunRecord
  const done = records.flatMap(({ round, measured }) =>
    measured === null ? [] : [{ round, measured }],
  )
  const byRound = (value: (run: MeasuredRun) => number | null): ByRound =>
    new Map(
      done.flatMap(({ round, measured }) => {
        const number = value(measured)
        return number === null || !Number.isFinite(number) ? [] : [[round, number] as const]
      }),
    )
  const values = {
    cpu: byRound(({ load, serverCpuMicroseconds }) => serverCpuMicroseconds / load.requests),
    rps: byRound(({ load }) => load.requests / load.seconds),
    p99: byRound(({ load }) => load.corrected?.p99 ?? null),
  }
  const runs = done.map(({ measured }) => measured)
  const count = (test: (run: MeasuredRun) => boolean): number => runs.filter(test).length
  return {
    ...{ scenario, server, fraction, runs, values },
    askedRequestsPerSecond: rate,
    requestsPerSecond: summarize([...values.rps.values()]),
    cpuMicrosecondsPerRequest: summarize([...values.cpu.values()]),
    peakRssBytes: summarize(runs.map(({ serverPeakRssBytes }) => serverPeakRssBytes)),
    errors: runs.reduce((sum, { load }) => sum + errorCount(load.errors), 0),
    failures: records.flatMap(({ failure }) => (failure === null ? [] : [failure])),
    driverBoundRounds: count(({ load }) => load.isDriverBound),
    saturatedRounds: count(({ load }) => load.isSaturated),
  }
}

function errorCount(errors: Readonly<Record<string, number>>): number {
  return Object.values(errors).reduce((sum, count) => sum + count, 0)
}

/** The row's metric over the reference server's, round by round; null without one. */
export function ratioToReference(
  rows: readonly ResultRow[],
  row: ResultRow,
  metric: Metric,
): ByRound | null {
  if (row.server === REFERENCE_SERVER) return null
  const reference = rows.find(
    (other) =>
      other.server === REFERENCE_SERVER &&
      other.scenario === row.scenario &&
      other.fraction === row.fraction,
  )
  if (reference === undefined) return null
  const ratios = pairedRatios(row.values[metric], reference.values[metric])
  return ratios.size === 0 ? null : ratios
}

/** One percentile over the rounds of a row; null where no round has it. */
export function latencySpread(
  row: ResultRow,
  view: 'corrected' | 'uncorrected',
  percentile: Percentile,
): Spread | null {
  return summarize(
    row.runs.flatMap(({ load }) => {
      const summary = load[view]
      return summary === null ? [] : [summary[percentile]]
    }),
  )
}

/** The run whose corrected 99th percentile is the (lower) median: the one that plots show. */
export function typicalRun(row: ResultRow): MeasuredRun | null {
  const order = row.runs.toSorted(
    (a, b) => (a.load.corrected?.p99 ?? 0) - (b.load.corrected?.p99 ?? 0),
  )
  return order[Math.floor((order.length - 1) / 2)] ?? null
}

/** What must be known to read a row's figures, in words. */
export function rowMarks(row: ResultRow): readonly string[] {
  const rounds = row.runs.length
  const of = (count: number, text: string): string =>
    count === rounds ? text : `${text} in ${count} of ${rounds} rounds`
  return [
    ...(row.failures.length > 0 ? [`${row.failures.length} failed: ${row.failures[0]}`] : []),
    ...(row.errors > 0 ? [`${row.errors} errors`] : []),
    ...(row.driverBoundRounds > 0 ? [of(row.driverBoundRounds, 'driver-bound')] : []),
    ...(row.saturatedRounds > 0 ? [of(row.saturatedRounds, 'saturated')] : []),
    ...disturbanceMark(row, 'otherCpu', 'other programs'),
    ...disturbanceMark(row, 'stolenCpu', 'the host'),
  ]
}

function disturbanceMark(row: ResultRow, kind: keyof Disturbance, who: string): string[] {
  const most = Math.max(0, ...row.runs.map(({ disturbance }) => disturbance[kind]))
  return most < NOTED_DISTURBANCE ? [] : [`${who} took up to ${most.toFixed(1)} cores`]
}

/** Cells of a scenario that have no figures, with the reason. */
export function unmeasuredCells(result: ResultFile, scenario: string): readonly Cell[] {
  return result.cells.filter((cell) => cell.scenario === scenario && cell.state !== 'measured')
}
