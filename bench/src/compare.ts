/**
 * `pnpm bench:compare BASE HEAD [--force]`: what changed between two result files of one machine.
 * Ends with 1 when something got slower past the noise, with 2 when it cannot compare.
 */
import { parseArgs } from 'node:util'
import { readResultFile } from './grid/result-file.ts'
import { compareResults, whyIncomparable } from './report/comparison.ts'
import { renderComparison } from './report/comparison-text.ts'

const USAGE = 'Usage: pnpm bench:compare BASE HEAD [--force]'
const SLOWER_EXIT_CODE = 1
const REFUSED_EXIT_CODE = 2

function main(): number {
  const { values, positionals } = parseArgs({
    options: { force: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h' } },
    allowPositionals: true,
  })
  const [basePath, headPath, ...more] = positionals
  if (values.help === true || basePath === undefined || headPath === undefined || more.length > 0) {
    console.log(USAGE)
    return values.help === true ? 0 : REFUSED_EXIT_CODE
  }
  const base = readResultFile(basePath)
  const head = readResultFile(headPath)
  const differences = whyIncomparable(base, head)
  for (const difference of differences) console.error(`They differ in ${difference}`)
  if (differences.length > 0 && !values.force) {
    console.error('Not compared: measured on different machines or in different ways (--force)')
    return REFUSED_EXIT_CODE
  }
  const rows = compareResults(base, head)
  console.log(renderComparison(rows, base, head))
  return rows.some(({ verdict }) => verdict === 'slower') ? SLOWER_EXIT_CODE : 0
}

try {
  process.exitCode = main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  console.error(USAGE)
  process.exitCode = REFUSED_EXIT_CODE
}
