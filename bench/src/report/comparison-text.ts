import type { ResultFile } from '../grid/result-file.ts'
import type { ComparedRow } from './comparison.ts'
import { fixed, integer, milliseconds, percent } from './figures.ts'
import { METRICS, type Metric, REFERENCE_SERVER } from './result-rows.ts'
import { alignColumns } from './terminal-summary.ts'

const TITLES: Readonly<Record<Metric, string>> = {
  cpu: 'CPU us/req',
  rps: 'req/s',
  p99: 'p99 corrected, ms',
}
const FORMATS: Readonly<Record<Metric, (value: number) => string>> = {
  cpu: fixed(2),
  rps: integer,
  p99: milliseconds,
}

/** The comparison as text for a terminal. */
export function renderComparison(
  rows: readonly ComparedRow[],
  base: ResultFile,
  head: ResultFile,
): string {
  if (rows.length === 0) return 'The two files have no row in common.'
  const lines = rows.map((row) => [
    row.scenario,
    row.server,
    row.fraction === null ? 'peak' : percent(row.fraction),
    TITLES[row.metric],
    FORMATS[row.metric](row.base.median),
    FORMATS[row.metric](row.head.median),
    fixed(3)(row.ratio),
    fixed(3)(row.judgedRatio),
    `±${(row.noise * 100).toFixed(1)} %`,
    row.verdict === 'slower' ? 'SLOWER' : row.verdict,
  ])
  const heading = [
    ...['scenario', 'server', 'load', 'figure', 'base', 'head', 'head/base'],
    ...[`over ${REFERENCE_SERVER}`, 'noise', 'verdict'],
  ]
  const count = (verdict: string): number => rows.filter((row) => row.verdict === verdict).length
  return [
    `base ${describeFile(base)}`,
    `head ${describeFile(head)}`,
    '',
    alignColumns([heading, ...lines]),
    '',
    `${count('slower')} slower, ${count('faster')} faster, ${count('same')} within the noise, ` +
      `${count('not judged')} not judged`,
    `Judged is head/base of the ratios over ${REFERENCE_SERVER}, each within its own file; the ` +
      'noise is the spread of the rounds of both. Fewer than 3 rounds are not judged.',
    ...driftLines(rows),
  ].join('\n')
}

function describeFile({ commit, startedAt, isPartial, software }: ResultFile): string {
  const hash = commit === null ? 'unknown commit' : commit.hash.slice(0, 12)
  const dirty = commit?.isDirty === true ? ' with changes' : ''
  return `${hash}${dirty}, ${startedAt}, Node ${software.node}${isPartial ? ', PARTIAL' : ''}`
}

/** How far the reference server, which nobody changed, moved between the files. */
function driftLines(rows: readonly ComparedRow[]): string[] {
  return METRICS.flatMap((metric) => {
    const ratios = rows
      .filter((row) => row.server === REFERENCE_SERVER && row.metric === metric)
      .map(({ ratio }) => ratio)
    if (ratios.length === 0) return []
    const range = `${Math.min(...ratios).toFixed(3)} to ${Math.max(...ratios).toFixed(3)}`
    return [
      `${REFERENCE_SERVER} itself moved by ${range} in ${TITLES[metric]}: the machine's part.`,
    ]
  })
}
