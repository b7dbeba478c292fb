/**
 * `pnpm bench:report FILE [FOLDER]`: writes results.md and plots/*.svg from a result file into
 * docs/bench, or into FOLDER.
 */
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readResultFile } from './grid/result-file.ts'
import { writeReport } from './report/write-report.ts'

const [file, folder = fileURLToPath(new URL('../../docs/bench', import.meta.url))] =
  process.argv.slice(2)
if (file === undefined || file.startsWith('-')) {
  console.error('Usage: pnpm bench:report FILE [FOLDER]')
  process.exitCode = 2
} else {
  for (const path of await writeReport(readResultFile(file), resolve(folder))) console.log(path)
}
