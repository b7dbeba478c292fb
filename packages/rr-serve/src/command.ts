import { type OptionsInput, type ResolvedOptions, RrError, resolveOptions } from '@rr/core'
import { parseArguments } from './arguments.ts'
import { CLI_ACTIONS, CLI_OPTIONS, type CliAction, COMMAND_OPTIONS } from './cli-options.ts'
import { parseDebuggedWorker } from './debugged-worker.ts'
import { APPLICATION_VARIABLE, type Environment, readEnvironment } from './environment.ts'
import type { OptionScalar } from './option-values.ts'

/** What the command line and the environment ask for. */
export type Command =
  | { readonly kind: Exclude<CliAction, 'healthcheck'> }
  | HealthCheckCommand
  | ServeCommand

export interface HealthCheckCommand {
  readonly kind: 'healthcheck'
  /** As it was given; null for the server that the options and variables describe. */
  readonly url: string | null
  /** Every option of the server that was set, or has a default. */
  readonly options: Readonly<Record<string, OptionScalar>>
}

export interface ServeCommand {
  readonly kind: 'serve'
  /** As it was given. */
  readonly application: string
  /** For `serve()`: what was set, and nothing else. */
  readonly serverOptions: Readonly<Record<string, OptionScalar>>
  readonly cliOptions: ResolvedOptions<typeof CLI_OPTIONS>
}

/**
 * Reads what is to be done.
 *
 * @throws RrError RR_OPTION_UNKNOWN or RR_OPTION_INVALID
 */
export function readCommand(argv: readonly string[], environment: Environment): Command {
  const { action, options, positionals } = parseArguments(argv, COMMAND_OPTIONS, CLI_ACTIONS)
  if (action !== null && action !== 'healthcheck') return { kind: action }
  const fromEnvironment = readEnvironment(environment, COMMAND_OPTIONS)
  if (action === 'healthcheck') {
    return readHealthCheck(positionals, { ...fromEnvironment, ...options })
  }
  const application = readApplication(positionals, environment)
  const all = Object.entries({ ...fromEnvironment, ...options })
  const isOwn = ([name]: [string, OptionScalar]): boolean => Object.hasOwn(CLI_OPTIONS, name)
  const own = Object.fromEntries(all.filter(isOwn)) as OptionsInput<typeof CLI_OPTIONS>
  const cliOptions = resolveOptions(CLI_OPTIONS, own, 'rr-serve')
  // Judged here, so that a wrong one is an error of usage.
  parseDebuggedWorker(cliOptions.inspectWorker)
  return {
    kind: 'serve',
    application,
    serverOptions: Object.fromEntries(all.filter((entry) => !isOwn(entry))),
    cliOptions,
  }
}

function readHealthCheck(
  positionals: readonly string[],
  set: Readonly<Record<string, OptionScalar>>,
): HealthCheckCommand {
  const [url = null, second] = positionals
  if (second !== undefined) throw invalid('--healthcheck asks one URL')
  if (url !== null && !(/^https?:\/\//.test(url) && URL.canParse(url))) {
    throw invalid(`--healthcheck takes a URL that begins with http:// or https://, not '${url}'`)
  }
  const defaults = Object.entries(COMMAND_OPTIONS).map(([name, row]) => [name, row.default])
  return { kind: 'healthcheck', url, options: { ...Object.fromEntries(defaults), ...set } }
}

function readApplication(positionals: readonly string[], environment: Environment): string {
  const [application, second] = positionals
  if (second !== undefined) {
    throw invalid(`one application is served, but '${application}' and '${second}' are named`)
  }
  // The variable counts only where none is named, and an empty one is the same as none.
  const found = application ?? environment[APPLICATION_VARIABLE] ?? ''
  if (found === '') {
    throw invalid(`no application is named, neither as an argument nor in ${APPLICATION_VARIABLE}`)
  }
  return found
}

function invalid(message: string): RrError {
  return new RrError('RR_OPTION_INVALID', message)
}
