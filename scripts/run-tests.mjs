import { existsSync, readdirSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { inRoot, root } from './project-paths.mjs'
import { endTestFiles, runTestFile } from './test-file.mjs'

/** Two files at a time: more would make the timing of servers under test depend on luck. */
const JOBS = 2

const TEST_FILE = /\.test\.ts$/

/**
 * Runs test files: the given ones, or all. Prints a line for each when it ends, with everything
 * known about it when it failed.
 *
 * @param {string[]} [files] paths from the current folder
 * @returns {Promise<import('./gate-step.mjs').StepResult>}
 */
export async function runTests(files = []) {
  const queue =
    files.length > 0 ? files.map((file) => relative(root, resolve(file))) : findTestFiles()
  const total = { passed: 0, failed: 0, skipped: /** @type {string[]} */ ([]), interrupted: false }
  if (queue.length === 0) {
    console.log('no test file found')
    return { ...total, failed: 1 }
  }

  const interrupt = () => {
    total.interrupted = true
    endTestFiles()
  }
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt)

  const runQueue = async () => {
    for (let file = queue.shift(); file !== undefined && !total.interrupted; file = queue.shift()) {
      const result = await runTestFile(file)
      printFile(result)
      total.passed += result.passed
      total.failed += result.failed
      total.skipped.push(...result.skipped)
    }
  }
  await Promise.all(Array.from({ length: JOBS }, runQueue))
  process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
  return total
}

/** The integration tests at the root come first: they are long, and the short ones fill the gaps. */
function findTestFiles() {
  const packageDirs = readdirSync(inRoot('packages')).sort()
  return ['.', 'docs', 'bench', ...packageDirs.map((name) => join('packages', name))]
    .map((dir) => join(dir, 'test'))
    .filter((dir) => existsSync(inRoot(dir)))
    .flatMap((dir) =>
      readdirSync(inRoot(dir), { recursive: true, encoding: 'utf8' })
        .filter((file) => TEST_FILE.test(file))
        .sort()
        .map((file) => join(dir, file)),
    )
}

/** @param {import('./test-file.mjs').FileResult} result */
function printFile({ file, passed, failed, skipped, durationMs, lines, stderr }) {
  const counts = [`${passed} passed`]
  if (failed > 0) counts.push(`${failed} failed`)
  if (skipped.length > 0) counts.push(`${skipped.length} skipped`)
  const seconds = (durationMs / 1000).toFixed(1)
  console.log(`  ${failed > 0 ? 'FAIL' : 'ok  '}  ${file}  ${counts.join(', ')}  ${seconds} s`)
  for (const reason of skipped) console.log(`        skipped: ${reason}`)
  if (failed === 0) return
  for (const line of lines.filter(isWorthShowing)) console.log(`        ${line}`)
  // What a test writes there is noise while it passes, and often the explanation when it fails.
  if (stderr !== '') console.log(`        written to stderr:\n${stderr.trimEnd()}`)
}

/** @param {string} line */
const isWorthShowing = (line) =>
  line.trim() !== '' && !/^ *(ok \d+|1\.\.\d+$|# time=|TAP version)/.test(line)
