import { type OptionsInput, type ResolvedOptions, RrError, resolveOptions } from '@rr/core'
import { parseArguments } from './arguments.ts'
import { CLI_ACTIONS, CLI_OPTIONS, type CliAction, COMMAND_OPTIONS } from './cli-options.ts'
import { APPLICATION_VARIABLE, type Environment, readEnvironment } from './environment.ts'
import type { OptionScalar } from './option-values.ts'

/** What the command line and the environment ask for. */
export type Command = { readonly kind: CliAction } | ServeCommand

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
  if (action !== null) return { kind: action }
  const application = readApplication(positionals, environment)
  const fromEnvironment = readEnvironment(environment, COMMAND_OPTIONS)
  const all = Object.entries({ ...fromEnvironment, ...options })
  const isOwn = ([name]: [string, OptionScalar]): boolean => Object.hasOwn(CLI_OPTIONS, name)
  const own = Object.fromEntries(all.filter(isOwn)) as OptionsInput<typeof CLI_OPTIONS>
  return {
    kind: 'serve',
    application,
    serverOptions: Object.fromEntries(all.filter((entry) => !isOwn(entry))),
    cliOptions: resolveOptions(CLI_OPTIONS, own, 'rr-serve'),
  }
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
