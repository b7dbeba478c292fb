import {
  fixed,
  integer,
  markdownTable,
  medianText,
  milliseconds,
  percent,
  spreadText,
} from './figures.ts'
import {
  latencySpread,
  PERCENTILES,
  type Percentile,
  type ResultRow,
  rowMarks,
} from './result-rows.ts'

const PERCENTILE_TITLES: Readonly<Record<Percentile, string>> = {
  p50: 'p50',
  p90: 'p90',
  p99: 'p99',
  p999: 'p99.9',
  p9999: 'p99.99',
  max: 'max',
}

/** Latency at constant rates: each cell has the corrected value, then the uncorrected one. */
export function latencyTable(rows: readonly ResultRow[]): string {
  const table = markdownTable(
    [
      'server',
      'rate',
      'asked, requests/s',
      'got, requests/s',
      ...PERCENTILES.map((percentile) => PERCENTILE_TITLES[percentile]),
      'p99 corrected, all rounds',
      'CPU us/request',
      'mind',
    ],
    rows.toSorted(byServerOfFirstRun(rows)).map(latencyLine),
  )
  return `Latency in ms, corrected / uncorrected, medians of the rounds.\n\n${table}`
}

/** Runs are made rate by rate; the table goes server by server. */
function byServerOfFirstRun(rows: readonly ResultRow[]): (a: ResultRow, b: ResultRow) => number {
  const order = [...new Set(rows.map(({ server }) => server))]
  return (a, b) =>
    order.indexOf(a.server) - order.indexOf(b.server) || (a.fraction ?? 0) - (b.fraction ?? 0)
}

function latencyLine(row: ResultRow): string[] {
  const asked = row.askedRequestsPerSecond
  return [
    row.server,
    percent(row.fraction ?? 1),
    asked === null ? '—' : integer(asked),
    spreadText(row.requestsPerSecond, integer),
    ...PERCENTILES.map((percentile) => {
      const [corrected, uncorrected] = (['corrected', 'uncorrected'] as const).map((view) =>
        medianText(latencySpread(row, view, percentile), milliseconds),
      )
      return `${corrected} / ${uncorrected}`
    }),
    spreadText(latencySpread(row, 'corrected', 'p99'), milliseconds),
    medianText(row.cpuMicrosecondsPerRequest, fixed(2)),
    rowMarks(row).join('; '),
  ]
}
