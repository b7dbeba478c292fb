import { parseArgs } from 'node:util'
import {
  nearestName,
  type OptionTable,
  type ResolvedOptions,
  RrError,
  resolveOptions,
  unknownOption,
} from '@rr/core'
import type { GridOptions } from './result-file.ts'

/** The one table that parsing, checking and `--help` read. */
export const BENCH_OPTIONS = {
  scenarios: {
    type: 'string',
    default: 'all',
    doc: 'Scenarios to run, separated by commas, or all.',
    valueName: 'names',
  },
  servers: {
    type: 'string',
    default: 'all',
    doc: 'Servers to run, separated by commas, or all.',
    valueName: 'names',
  },
  rounds: {
    type: 'integer',
    default: 3,
    minimum: 1,
    maximum: 100,
    doc: 'Times that every run is repeated; below 3 no noise can be told.',
    valueName: 'count',
  },
  seconds: {
    type: 'integer',
    default: 5,
    minimum: 1,
    maximum: 3600,
    doc: 'Length of every run that counts.',
    valueName: 'seconds',
  },
  'warm-up': {
    type: 'integer',
    default: 2,
    minimum: 0,
    maximum: 600,
    doc: 'Load in the closed loop before every run, not counted.',
    valueName: 'seconds',
  },
  workers: {
    type: 'integer',
    default: 1,
    minimum: 1,
    maximum: 512,
    doc: 'Workers of each server; with more than one, only servers that can.',
    valueName: 'count',
  },
  connections: {
    type: 'integer',
    default: 0,
    minimum: 0,
    maximum: 100_000,
    doc: 'Connections of the driver; 0 for what each scenario says.',
    valueName: 'count',
  },
  driver: {
    type: 'enum',
    default: 'auto',
    values: ['auto', 'wrk', 'wrk2', 'in-repo'],
    doc: 'Load driver to prefer; where it cannot do a run, another one does.',
    valueName: 'name',
  },
  'no-rates': {
    type: 'boolean',
    default: false,
    doc: 'Peaks only, without the runs at constant rates.',
  },
  quick: {
    type: 'boolean',
    default: false,
    doc: 'A first look in about two minutes: few scenarios and servers, one short round.',
  },
  out: {
    type: 'string',
    default: 'auto',
    doc: 'File for the results; auto is bench/results/ with a name from the time.',
    valueName: 'file',
  },
  list: {
    type: 'boolean',
    default: false,
    doc: 'Show scenarios, servers and drivers with what is here of them, and end.',
  },
  help: { type: 'boolean', default: false, doc: 'Show this text, and end.', short: 'h' },
} as const

export type BenchOptions = ResolvedOptions<typeof BENCH_OPTIONS>

/** What `--quick` sets where the command line says nothing else. */
const QUICK = {
  scenarios: 'hello,json,echo',
  servers: 'rr,node-http,fastify',
  rounds: 1,
  seconds: 1,
  'warm-up': 1,
} as const

/** Constant rates as parts of a server's own median peak. */
const RATE_FRACTIONS = [0.5, 0.75, 0.9, 0.95]
const WHERE = 'bench'

/**
 * Reads a command line.
 *
 * @throws RrError RR_OPTION_UNKNOWN, naming the nearest option; RR_OPTION_INVALID for a value that
 *   is missing or outside its bounds
 */
export function parseBenchOptions(argv: readonly string[]): BenchOptions {
  const options: Record<string, { type: 'string' | 'boolean'; short?: string }> = {}
  for (const [name, row] of Object.entries(BENCH_OPTIONS)) {
    options[name] = { type: row.type === 'boolean' ? 'boolean' : 'string' }
    if ('short' in row) options[name].short = row.short
  }
  // Not strict, because its errors do not name the nearest option.
  const { tokens } = parseArgs({ args: [...argv], options, strict: false, tokens: true })
  const given: Record<string, unknown> = {}
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue
    if (token.kind === 'positional') {
      throw new RrError('RR_OPTION_UNKNOWN', `${WHERE}: '${token.value}' belongs to no option`)
    }
    given[token.name] = readValue(token.name, token.rawName, token.value)
  }
  const base = given['quick'] === true ? QUICK : {}
  return resolveOptions(BENCH_OPTIONS, { ...base, ...given }, WHERE)
}

function readValue(name: string, rawName: string, value: string | undefined): unknown {
  const row = (BENCH_OPTIONS as OptionTable)[name]
  if (row === undefined) throw unknownOption(rawName, shownNames(), WHERE)
  if (row.type === 'boolean') {
    if (value === undefined) return true
    throw new RrError('RR_OPTION_INVALID', `${WHERE}: ${rawName} takes no value`)
  }
  if (value === undefined)
    throw new RrError('RR_OPTION_INVALID', `${WHERE}: ${rawName} needs a value`)
  return row.type === 'integer' && /^-?\d+$/.test(value) ? Number(value) : value
}

const shownNames = (): string[] => Object.keys(BENCH_OPTIONS).map((name) => `--${name}`)

/**
 * Picks parts by name, in the order of `all`.
 *
 * @param what the kind of part, for the message
 * @throws RrError RR_OPTION_INVALID for a name that none has, naming the nearest
 */
export function selectNamed<Part extends { readonly name: string }>(
  list: string,
  all: readonly Part[],
  what: string,
): readonly Part[] {
  if (list === 'all') return all
  const wanted = list.split(',').map((name) => name.trim())
  const known = all.map(({ name }) => name)
  for (const name of wanted) {
    if (known.includes(name)) continue
    const near = nearestName(name, known)
    const hint = near === null ? `; there are ${known.join(', ')}` : `; did you mean '${near}'?`
    throw new RrError('RR_OPTION_INVALID', `${WHERE}: unknown ${what} '${name}'${hint}`)
  }
  return all.filter(({ name }) => wanted.includes(name))
}

/** The part of the options that the runs depend on and that is written to the result. */
export function gridOptions(options: BenchOptions): GridOptions {
  return {
    rounds: options.rounds,
    seconds: options.seconds,
    warmUpSeconds: options['warm-up'],
    workers: options.workers,
    connections: options.connections === 0 ? null : options.connections,
    driver: options.driver,
    fractions: options['no-rates'] ? [] : RATE_FRACTIONS,
  }
}

export function helpText(): string {
  const rows = Object.entries(BENCH_OPTIONS as OptionTable).map(([name, row]) => {
    const short = row.short === undefined ? '' : `-${row.short}, `
    const flag = `${short}--${name}${row.valueName === undefined ? '' : ` <${row.valueName}>`}`
    const values = row.type === 'enum' ? ` One of ${row.values.join(', ')}.` : ''
    const initial = row.type === 'boolean' ? '' : ` Default: ${row.default}.`
    return `  ${flag.padEnd(24)}  ${row.doc}${values}${initial}`
  })
  return [
    'Usage: pnpm bench [options]',
    '',
    'Measures servers against each other on this machine: peak throughput in the closed loop, then',
    'latency at constant rates. Without options it runs everything, after saying how long that takes.',
    '',
    ...rows,
    '',
    'Then: pnpm bench:report FILE writes docs/bench/results.md; pnpm bench:compare BASE HEAD',
    'compares two files.',
  ].join('\n')
}
