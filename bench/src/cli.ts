/**
 * `pnpm bench`: measures servers against each other and writes a result file.
 *
 *     node bench/src/cli.ts --help
 */
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { RrError } from '@rr/core'
import {
  type BenchOptions,
  gridOptions,
  helpText,
  parseBenchOptions,
  selectNamed,
} from './grid/bench-options.ts'
import { benchParts } from './grid/bench-parts.ts'
import { runBenchSession } from './grid/bench-session.ts'
import { probePart } from './grid/check-servers.ts'
import { killDescendants } from './grid/process-tree.ts'
import { type ResultFile, writeResultFile } from './grid/result-file.ts'
import { renderTerminalSummary } from './report/terminal-summary.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** The shells' code for a program that Ctrl-C ended. */
const INTERRUPTED_EXIT_CODE = 130
const USAGE_EXIT_CODE = 2

async function main(argv: readonly string[]): Promise<number> {
  const options = parseBenchOptions(argv)
  if (options.help) {
    console.log(helpText())
    return 0
  }
  const parts = {
    ...benchParts,
    scenarios: selectNamed(options.scenarios, benchParts.scenarios, 'scenario'),
    servers: selectNamed(options.servers, benchParts.servers, 'server'),
  }
  if (options.list) {
    await list(parts)
    return 0
  }
  return measure(parts, options)
}

async function measure(parts: typeof benchParts, options: BenchOptions): Promise<number> {
  const file = resolve(options.out === 'auto' ? defaultFile() : options.out)
  const interruption = interruptOnSignals()
  const session = {
    ...{ parts, options: gridOptions(options), folder: ROOT },
    say: (line: string) => console.log(line),
    save: (result: ResultFile) => writeResultFile(file, result),
  }
  const result = await runBenchSession(session, interruption)
  console.log(`\n${renderTerminalSummary(result)}`)
  console.log(`\nWritten to ${file}${result.isPartial ? ', marked partial' : ''}`)
  return interruption.aborted ? INTERRUPTED_EXIT_CODE : 0
}

/** The first signal ends the run in order; the second one ends everything at once. */
function interruptOnSignals(): AbortSignal {
  const controller = new AbortController()
  const onSignal = (): void => {
    if (controller.signal.aborted) {
      killDescendants()
      process.exit(INTERRUPTED_EXIT_CODE)
    }
    console.log('\nInterrupted: ending the servers and writing what there is')
    controller.abort(new Error('interrupted'))
  }
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal)
  return controller.signal
}

function defaultFile(): string {
  const time = new Date().toISOString().replaceAll(/[-:]|\..*/g, '')
  return `${ROOT}bench/results/${time}.json`
}

async function list({ scenarios, servers, drivers }: typeof benchParts): Promise<void> {
  console.log('Scenarios')
  for (const { name, summary, notYet } of scenarios) {
    console.log(`  ${name.padEnd(24)}${notYet === null ? summary : `not yet: ${notYet}`}`)
  }
  for (const [title, probeable] of [
    ['Servers', servers],
    ['Drivers', drivers],
  ] as const) {
    console.log(title)
    for (const { name, version, missing } of await Promise.all(probeable.map(probePart))) {
      console.log(`  ${name.padEnd(24)}${missing === null ? version : `missing: ${missing}`}`)
    }
  }
}

try {
  const code = await main(process.argv.slice(2))
  // Drivers whose run was broken off may still have processes and timers.
  killDescendants()
  process.exit(code)
} catch (error) {
  killDescendants()
  console.error(error instanceof RrError ? error.message : error)
  process.exit(error instanceof RrError ? USAGE_EXIT_CODE : 1)
}
