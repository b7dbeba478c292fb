import { nearestName, type OptionRow, type OptionTable, RrError } from '@rr/core'
import { type OptionScalar, readOptionValue } from './option-values.ts'

/** A flag without a value that asks for something else than serving. */
export interface ActionRow {
  readonly flag: string
  readonly short?: string
  /** True where options and arguments count as for serving. */
  readonly isMode?: boolean
}

export interface ParsedArguments<Action extends string> {
  /** The first action asked for; what follows it is not judged, unless it is a mode. */
  readonly action: Action | null
  /** By the option's name in its table. */
  readonly options: Readonly<Record<string, OptionScalar>>
  readonly positionals: readonly string[]
}

/** What a flag stands for. */
type Target =
  | { readonly kind: 'action'; readonly name: string }
  | { readonly kind: 'option'; readonly name: string; readonly row: OptionRow }

/**
 * Reads a command line. `--flag value` and `--flag=value`, `-f value`, `-f=value` and `-fvalue`;
 * booleans also as `--flag` and `--no-flag`. Of a repeated flag the last counts, so that flags can
 * be appended to a command that is written down in a script. `--` ends the flags.
 *
 * @throws RrError RR_OPTION_UNKNOWN, naming the nearest flag; RR_OPTION_INVALID for a value that is
 *   missing or outside its bounds
 */
export function parseArguments<Action extends string>(
  argv: readonly string[],
  table: OptionTable,
  actions: Readonly<Record<Action, ActionRow>>,
): ParsedArguments<Action> {
  const flags = flagTargets(table, actions)
  const options: Record<string, OptionScalar> = {}
  const positionals: string[] = []
  let mode: Action | null = null

  for (let index = 0; index < argv.length; index++) {
    const argument = argv[index] ?? ''
    if (argument === '--') {
      positionals.push(...argv.slice(index + 1))
      break
    }
    if (!isFlag(argument)) {
      positionals.push(argument)
      continue
    }
    const { flag, inline } = splitFlag(argument, flags)
    const found = findTarget(flag, flags)
    if (found.target.kind === 'action') {
      if (inline !== null) throw invalid(`${flag} takes no value`)
      const action = found.target.name as Action
      if (actions[action].isMode !== true) return { action, options, positionals }
      mode = action
      continue
    }
    const { name, row } = found.target
    if (row.type === 'boolean') {
      const value = inline === null ? true : readOptionValue(row, inline, flag)
      if (found.negated && inline !== null) throw invalid(`${flag} takes no value`)
      options[name] = found.negated ? false : value
      continue
    }
    const text = inline ?? argv[++index]
    if (text === undefined || (inline === null && isFlag(text))) {
      throw invalid(`${flag} needs a value, as in ${flag} <${row.valueName ?? row.type}>`)
    }
    options[name] = readOptionValue(row, text, flag)
  }
  return { action: mode, options, positionals }
}

function flagTargets(
  table: OptionTable,
  actions: Readonly<Record<string, ActionRow>>,
): ReadonlyMap<string, Target> {
  const flags = new Map<string, Target>()
  for (const [name, row] of Object.entries(table)) {
    if (row.flag !== undefined) flags.set(`--${row.flag}`, { kind: 'option', name, row })
    if (row.short !== undefined) flags.set(`-${row.short}`, { kind: 'option', name, row })
  }
  for (const [name, { flag, short }] of Object.entries(actions)) {
    flags.set(`--${flag}`, { kind: 'action', name })
    if (short !== undefined) flags.set(`-${short}`, { kind: 'action', name })
  }
  return flags
}

/** `-1` is a number and `-` by convention a file, so neither is a flag. */
function isFlag(argument: string): boolean {
  return /^-(-|[a-z])/i.test(argument)
}

function splitFlag(
  argument: string,
  flags: ReadonlyMap<string, Target>,
): { flag: string; inline: string | null } {
  const equals = argument.indexOf('=')
  if (equals !== -1) {
    return { flag: argument.slice(0, equals), inline: argument.slice(equals + 1) }
  }
  const short = argument.slice(0, 2)
  if (!argument.startsWith('--') && argument.length > 2 && flags.get(short)?.kind === 'option') {
    return { flag: short, inline: argument.slice(2) }
  }
  return { flag: argument, inline: null }
}

function findTarget(
  flag: string,
  flags: ReadonlyMap<string, Target>,
): { target: Target; negated: boolean } {
  const target = flags.get(flag)
  if (target !== undefined) return { target, negated: false }
  if (flag.startsWith('--no-')) {
    const negatable = flags.get(`--${flag.slice('--no-'.length)}`)
    if (negatable?.kind === 'option' && negatable.row.type === 'boolean') {
      return { target: negatable, negated: true }
    }
  }
  throw unknownFlag(flag, flags)
}

function unknownFlag(flag: string, flags: ReadonlyMap<string, Target>): RrError {
  const long = [...flags.keys()].filter((known) => known.startsWith('--'))
  const near = flag.startsWith('--') ? nearestName(flag, long) : null
  const hint = near === null ? '' : `; did you mean ${near}?`
  return new RrError('RR_OPTION_UNKNOWN', `unknown option ${flag}${hint}`)
}

function invalid(message: string): RrError {
  return new RrError('RR_OPTION_INVALID', message)
}
