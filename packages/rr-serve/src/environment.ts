import type { OptionRow, OptionTable } from '@rr/core'
import { type OptionScalar, readOptionValue } from './option-values.ts'

/** Variables as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Names the application when the command line does not. */
export const APPLICATION_VARIABLE = 'RR_APP'

/** Variables that many hosting platforms set, by option; rr's own names come before them. */
const PLATFORM_VARIABLES: Readonly<Record<string, string>> = { port: 'PORT' }

/** The variables that set an option, the strongest first; none for a row without a flag. */
export function environmentNames(option: string, row: OptionRow): readonly string[] {
  if (row.flag === undefined) return []
  const own = `RR_${row.flag.toUpperCase().replaceAll('-', '_')}`
  const platform = PLATFORM_VARIABLES[option]
  return platform === undefined ? [own] : [own, platform]
}

/**
 * Reads the options that variables set. An empty variable is the same as none.
 *
 * @throws RrError RR_OPTION_INVALID, naming the variable, for a value outside its bounds
 */
export function readEnvironment(
  environment: Environment,
  table: OptionTable,
): Readonly<Record<string, OptionScalar>> {
  const options: Record<string, OptionScalar> = {}
  for (const [option, row] of Object.entries(table)) {
    const name = environmentNames(option, row).find((known) => isSet(environment[known]))
    if (name === undefined) continue
    options[option] = readOptionValue(row, environment[name] ?? '', name)
  }
  return options
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== ''
}
