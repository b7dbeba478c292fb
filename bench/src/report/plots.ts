import type { TopLevelSpec } from 'vega-lite'
import type { ResultFile } from '../grid/result-file.ts'
import type { Spread } from '../grid/statistics.ts'
import { fixed, integer, percent } from './figures.ts'
import { type ResultRow, resultRows, typicalRun } from './result-rows.ts'
import type { PlotLink } from './results-page.ts'

/** A plot as data: what is drawn and the file that it goes to. */
export interface Plot extends PlotLink {
  readonly spec: TopLevelSpec
}

const FOLDER = 'plots'
/** The rates that are drawn: a server with room, and one near its limit. */
const DRAWN_FRACTIONS = [0.75, 0.95]
const COLUMNS = 2
const BAR_WIDTH_PX = 300
const LATENCY_WIDTH_PX = 320
const LATENCY_HEIGHT_PX = 210

/** All plots of a result; only those for which there are figures. */
export function resultPlots(result: ResultFile): readonly Plot[] {
  const rows = resultRows(result)
  const peaks = rows.filter(({ fraction }) => fraction === null)
  if (peaks.length === 0) return []
  const bars = [
    barPlot(result, peaks, {
      file: `${FOLDER}/throughput.svg`,
      title: 'Requests per second in the closed loop: more is better',
      value: (row) => row.requestsPerSecond,
      format: integer,
    }),
    barPlot(result, peaks, {
      file: `${FOLDER}/cpu-per-request.svg`,
      title: 'CPU microseconds of the server per request: less is better',
      value: (row) => row.cpuMicrosecondsPerRequest,
      format: fixed(2),
    }),
  ]
  const latency = result.scenarios.flatMap(({ name }) => {
    const own = rows.filter(({ scenario }) => scenario === name)
    const plot = latencyPlot(result, own, name)
    return plot === null ? [] : [plot]
  })
  return [...bars, ...latency]
}

interface BarOptions {
  readonly file: string
  readonly title: string
  value(row: ResultRow): Spread | null
  format(value: number): string
}

function barPlot(result: ResultFile, peaks: readonly ResultRow[], options: BarOptions): Plot {
  const { file, title, value, format } = options
  const scenarios = [...new Set(peaks.map(({ scenario }) => scenario))]
  const servers = result.servers.map(({ name }) => name)
  const values = scenarios.flatMap((scenario) =>
    servers.map((server) => {
      const row = peaks.find((one) => one.scenario === scenario && one.server === server)
      const spread = row === undefined ? null : value(row)
      if (spread !== null) {
        const { median, min, max } = spread
        return { scenario, server, median, min, max, label: format(median) }
      }
      const cell = result.cells.find((one) => one.scenario === scenario && one.server === server)
      const label = cell === undefined || cell.state === 'measured' ? 'no figure' : cell.state
      return { scenario, server, median: 0, min: 0, max: 0, label }
    }),
  )
  const y = { field: 'server', type: 'nominal' as const, sort: servers, title: null }
  const spec: TopLevelSpec = {
    data: { values },
    title: { text: title, subtitle: 'Bars are medians of the rounds; lines go from min to max.' },
    facet: { field: 'scenario', type: 'nominal', sort: scenarios, header: { title: null } },
    columns: COLUMNS,
    spec: {
      width: BAR_WIDTH_PX,
      height: { step: 20 },
      layer: [
        {
          mark: { type: 'bar', height: 13 },
          encoding: {
            y,
            // Room on the right for the label of the longest bar.
            x: { field: 'median', type: 'quantitative', title: null, axis: { tickCount: 4 } },
            color: serverColor(servers),
          },
        },
        {
          mark: { type: 'rule', strokeWidth: 1.5 },
          encoding: { y, x: { field: 'min', type: 'quantitative' }, x2: { field: 'max' } },
        },
        {
          mark: { type: 'text', align: 'left', dx: 5, fontSize: 10 },
          encoding: {
            y,
            x: { field: 'max', type: 'quantitative' },
            text: { field: 'label', type: 'nominal' },
          },
        },
      ],
    },
    resolve: { scale: { x: 'independent' }, axis: { x: 'independent', y: 'independent' } },
  }
  return { file, title, scenario: null, spec }
}

/** rr stands out; the others are one colour, for their names are beside the bars. */
function serverColor(servers: readonly string[]): object {
  const range = servers.map((name) => (name === 'rr' ? '#c2410c' : '#7c93ab'))
  return { field: 'server', type: 'nominal', scale: { domain: servers, range }, legend: null }
}

interface CurvePoint {
  /** The server, with what must be known to read its curves. */
  readonly panel: string
  readonly rate: string
  readonly view: string
  /** 1 / (1 - percentile): 10 for 90 %, 100 for 99 %. */
  readonly rarity: number
  readonly milliseconds: number
}

function latencyPlot(
  result: ResultFile,
  rows: readonly ResultRow[],
  scenario: string,
): Plot | null {
  const drawn = rows.filter(
    ({ fraction }) => fraction !== null && DRAWN_FRACTIONS.includes(fraction),
  )
  const panels = result.servers.map(({ name }) =>
    panelTitle(
      name,
      drawn.filter(({ server }) => server === name),
    ),
  )
  const points = result.servers.flatMap(({ name }, index) =>
    drawn
      .filter(({ server }) => server === name)
      .flatMap((row) => curvePoints(row, panels[index] ?? name)),
  )
  if (points.length === 0) return null
  const title = `${scenario}: latency by percentile at a constant rate`
  const spec: TopLevelSpec = {
    data: { values: points },
    title: {
      text: title,
      subtitle:
        "Share of each server's own peak. Corrected: from the intended start of each request.",
    },
    facet: {
      field: 'panel',
      type: 'nominal',
      sort: panels.filter((title) => points.some(({ panel }) => panel === title)),
      // Marks stand in lines of their own: a wide title would push the panels apart.
      header: { title: null, labelExpr: "split(datum.value, '\\n')", labelFontSize: 11 },
    },
    columns: COLUMNS,
    spec: {
      width: LATENCY_WIDTH_PX,
      height: LATENCY_HEIGHT_PX,
      mark: { type: 'line', strokeWidth: 1.8, clip: true },
      encoding: {
        x: {
          field: 'rarity',
          type: 'quantitative',
          title: 'percentile',
          scale: { type: 'log', nice: false },
          axis: {
            values: [2, 10, 100, 1000, 10_000, 100_000],
            labelExpr: "format(100 - 100 / datum.value, '~r')",
          },
        },
        y: {
          field: 'milliseconds',
          type: 'quantitative',
          title: 'latency, ms',
          scale: { type: 'log' },
          axis: { tickCount: 5, format: '~g' },
        },
        color: {
          field: 'rate',
          type: 'nominal',
          title: 'rate',
          scale: { domain: DRAWN_FRACTIONS.map(percent), range: ['#1d6fb8', '#c2410c'] },
        },
        strokeDash: {
          field: 'view',
          type: 'nominal',
          title: null,
          scale: {
            domain: ['corrected', 'uncorrected'],
            range: [
              [1, 0],
              [4, 3],
            ],
          },
        },
      },
    },
    // One scale for all panels, and axes at each of them.
    resolve: { axis: { x: 'independent', y: 'independent' } },
  }
  return { file: `${FOLDER}/latency-${scenario}.svg`, title, scenario, spec }
}

/** A curve of a saturated run looks like any other one, so it is told above it. */
function panelTitle(server: string, rows: readonly ResultRow[]): string {
  const marks = rows.flatMap((row) => {
    const texts = [
      ...(row.saturatedRounds > 0 ? ['saturated'] : []),
      ...(row.driverBoundRounds > 0 ? ['driver-bound'] : []),
    ]
    return texts.length === 0 ? [] : [`${percent(row.fraction ?? 1)} ${texts.join(', ')}`]
  })
  return [server, ...marks].join('\n')
}

function curvePoints(row: ResultRow, panel: string): CurvePoint[] {
  const load = typicalRun(row)?.load
  const rate = percent(row.fraction ?? 1)
  return (['corrected', 'uncorrected'] as const).flatMap((view) =>
    (load?.[view]?.curve ?? [])
      // The hundredth percentile is infinitely far right, and no logarithm of 0 exists.
      .filter(([percentile, microseconds]) => percentile < 100 && microseconds > 0)
      .map(([percentile, microseconds]) => ({
        ...{ panel, view, rate },
        rarity: 1 / (1 - percentile / 100),
        milliseconds: microseconds / 1000,
      })),
  )
}
