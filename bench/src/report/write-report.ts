import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ResultFile } from '../grid/result-file.ts'
import { resultPlots } from './plots.ts'
import { renderResultsPage } from './results-page.ts'
import { renderSvg } from './svg.ts'

const PLOTS_FOLDER = 'plots'
const METHOD_PAGE = fileURLToPath(new URL('../../../docs/bench/method.md', import.meta.url))

/**
 * Writes the page and its plots, and removes plots of an earlier page.
 *
 * @returns the files written
 */
export async function writeReport(result: ResultFile, folder: string): Promise<readonly string[]> {
  const plots = resultPlots(result)
  const plotsFolder = join(folder, PLOTS_FOLDER)
  mkdirSync(plotsFolder, { recursive: true })
  for (const name of readdirSync(plotsFolder)) {
    if (name.endsWith('.svg')) rmSync(join(plotsFolder, name))
  }
  const written: string[] = []
  const write = (file: string, text: string): void => {
    const path = join(folder, file)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
    written.push(path)
  }
  for (const { file, spec } of plots) write(file, await renderSvg(spec))
  write('results.md', renderResultsPage(result, plots, relative(folder, METHOD_PAGE)))
  return written
}
