import type { ResultFile } from '../grid/result-file.ts'
import { summarize } from '../grid/statistics.ts'
import { fixed, integer, medianText, spreadText } from './figures.ts'
import { REFERENCE_SERVER, ratioToReference, resultRows, rowMarks } from './result-rows.ts'

/** The closed-loop rows in plain text, for the end of a run. */
export function renderTerminalSummary(result: ResultFile): string {
  const rows = resultRows(result)
  const lines = rows
    .filter(({ fraction }) => fraction === null)
    .map((row) => {
      const ratios = ratioToReference(rows, row, 'cpu')
      return [
        row.scenario,
        row.server,
        medianText(row.requestsPerSecond, integer),
        medianText(row.cpuMicrosecondsPerRequest, fixed(2)),
        spreadText(ratios === null ? null : summarize([...ratios.values()]), fixed(3)),
        rowMarks(row).join('; '),
      ]
    })
  const unmeasured = result.cells
    .filter(({ state }) => state === 'wrong' || state === 'missing')
    .map(({ scenario, server, state }) => [scenario, server, state, '', '', ''])
  const head = ['scenario', 'server', 'req/s', 'CPU us/req', `CPU over ${REFERENCE_SERVER}`, '']
  const failed = result.runs.filter(({ measured }) => measured === null).length
  const table = alignColumns([head, ...lines, ...unmeasured])
  return failed === 0 ? table : `${table}\n\n${failed} of ${result.runs.length} runs FAILED`
}

/** Columns as wide as their widest cell. */
export function alignColumns(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  )
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
