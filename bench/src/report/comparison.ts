import type { ResultFile } from '../grid/result-file.ts'
import { type ByRound, relativeRange, type Spread, summarize } from '../grid/statistics.ts'
import {
  METRICS,
  type Metric,
  REFERENCE_SERVER,
  type ResultRow,
  ratioToReference,
  resultRows,
  rowKey,
} from './result-rows.ts'

/** With fewer rounds there is no spread from which noise could be told. */
const MIN_JUDGED_ROUNDS = 3

/**
 * Differences below this are never flagged. Three rounds may lie close together by chance, and
 * CPU time comes in clock ticks of 10 ms, which is 1 % of a core in a run of one second.
 */
const MIN_NOISE = 0.01

export type Verdict = 'same' | 'faster' | 'slower' | 'not judged'

/** One metric of one row in both files. */
export interface ComparedRow {
  readonly scenario: string
  readonly server: string
  readonly fraction: number | null
  readonly metric: Metric
  readonly base: Spread
  readonly head: Spread
  /** Head over base, as measured. */
  readonly ratio: number
  /**
   * Head over base of the ratios to the reference server, each within its own file, so that a
   * machine which is slower today cancels out; the plain ratio where there is no reference.
   */
  readonly judgedRatio: number
  /** How far the rounds of both files lie apart, in parts of their medians. */
  readonly noise: number
  readonly verdict: Verdict
}

/** Compares what both files have. */
export function compareResults(base: ResultFile, head: ResultFile): readonly ComparedRow[] {
  const baseRows = resultRows(base)
  const headRows = resultRows(head)
  const before = new Map(baseRows.map((row) => [rowKey(row), row]))
  return headRows.flatMap((row) => {
    const old = before.get(rowKey(row))
    if (old === undefined) return []
    return METRICS.filter((metric) => isMeaningful(metric, row)).flatMap((metric) => {
      const compared = compareMetric(metric, { row: old, rows: baseRows }, { row, rows: headRows })
      return compared === null ? [] : [compared]
    })
  })
}

/** Throughput at a given rate is that rate; there is no corrected latency in the closed loop. */
function isMeaningful(metric: Metric, { fraction }: ResultRow): boolean {
  if (metric === 'rps') return fraction === null
  return metric === 'cpu' || fraction !== null
}

interface Side {
  readonly row: ResultRow
  readonly rows: readonly ResultRow[]
}

function compareMetric(metric: Metric, base: Side, head: Side): ComparedRow | null {
  const plainBase = summarize([...base.row.values[metric].values()])
  const plainHead = summarize([...head.row.values[metric].values()])
  if (plainBase === null || plainHead === null || plainBase.median === 0) return null
  const judged = judgedValues(metric, base, head)
  const judgedBase = summarize([...judged.base.values()]) ?? plainBase
  const judgedHead = summarize([...judged.head.values()]) ?? plainHead
  const judgedRatio = judgedHead.median / judgedBase.median
  const noise = Math.max(MIN_NOISE, relativeRange(judgedBase) + relativeRange(judgedHead))
  const { scenario, server, fraction } = head.row
  const isJudged =
    server !== REFERENCE_SERVER && Math.min(judgedBase.count, judgedHead.count) >= MIN_JUDGED_ROUNDS
  return {
    ...{ scenario, server, fraction, metric, judgedRatio, noise },
    base: plainBase,
    head: plainHead,
    ratio: plainHead.median / plainBase.median,
    verdict: isJudged ? judge(metric, judgedRatio, noise) : 'not judged',
  }
}

function judgedValues(
  metric: Metric,
  base: Side,
  head: Side,
): { readonly base: ByRound; readonly head: ByRound } {
  const ratios = {
    base: ratioToReference(base.rows, base.row, metric),
    head: ratioToReference(head.rows, head.row, metric),
  }
  // Both or neither: a ratio and a plain value have nothing in common.
  if (ratios.base !== null && ratios.head !== null) return { base: ratios.base, head: ratios.head }
  return { base: base.row.values[metric], head: head.row.values[metric] }
}

function judge(metric: Metric, ratio: number, noise: number): Verdict {
  const cost = metric === 'rps' ? 1 / ratio : ratio
  if (cost > 1 + noise) return 'slower'
  return 1 / cost > 1 + noise ? 'faster' : 'same'
}

/** Why figures of two files do not belong beside each other; empty when they do. */
export function whyIncomparable(base: ResultFile, head: ResultFile): readonly string[] {
  const facts = (file: ResultFile): Readonly<Record<string, unknown>> => ({
    'CPU model': file.machine.cpuModel,
    'number of CPUs': file.machine.cpuCount,
    // The kernel keeps a little more or less for itself from one start to the next.
    'memory in GiB': Math.round(file.machine.memoryBytes / 1024 ** 3),
    kernel: file.machine.kernel,
    'cores of server and driver': file.cpus.note,
    workers: file.options.workers,
    connections: file.options.connections,
    'seconds of a run': file.options.seconds,
    drivers: file.software.drivers
      .filter(({ missing }) => missing === null)
      .map(({ name, version }) => `${name} ${version}`)
      .join(', '),
  })
  const ofBase = facts(base)
  return Object.entries(facts(head))
    .filter(([name, value]) => value !== ofBase[name])
    .map(([name, value]) => `${name}: ${ofBase[name]} and ${value}`)
}
