import { RrError } from './errors.ts'
import { isNetwork, NETWORK_FORMS } from './networks.ts'

/**
 * Option tables: one row an option, read by validation, the command line's help and the
 * configuration page, so that the three cannot disagree (STYLE rule 9).
 */

interface OptionRowBase {
  /** One sentence: what it sets and what happens at its bound. */
  readonly doc: string
  /** The command-line flag without its dashes; none where the option is for `serve()` only. */
  readonly flag?: string
  /** The word that stands for the value in help, such as `ms`. */
  readonly valueName?: string
  /** One letter that stands for the flag. */
  readonly short?: string
}

/** A whole number within bounds, both included. */
export interface IntegerOptionRow extends OptionRowBase {
  readonly type: 'integer'
  readonly default: number
  readonly minimum: number
  readonly maximum: number
}

/** A string that is not empty. */
export interface StringOptionRow extends OptionRowBase {
  readonly type: 'string'
  readonly default: string
}

/** True or false; on the command line, the flag alone is true. */
export interface BooleanOptionRow extends OptionRowBase {
  readonly type: 'boolean'
  readonly default: boolean
}

/** One of some words. */
export interface EnumOptionRow extends OptionRowBase {
  readonly type: 'enum'
  readonly default: string
  readonly values: readonly string[]
}

/** A whole number, or the word `auto`. */
export interface AutoIntegerOptionRow extends OptionRowBase {
  readonly type: 'integer-or-auto'
  readonly default: 'auto' | number
  readonly minimum: number
  readonly maximum: number
}

/** Strings; on the command line and in variables, one text with commas between them. */
export interface StringListOptionRow extends OptionRowBase {
  readonly type: 'string-list'
  readonly default: readonly string[]
  /** What each of them is. */
  readonly items: 'network'
}

/** What the items of a list can be: in words, and how one is told. */
const LIST_ITEMS = { network: { words: NETWORK_FORMS, accepts: isNetwork } } as const

/** What is known of one option; told apart by `type`. */
export type OptionRow =
  | IntegerOptionRow
  | StringOptionRow
  | BooleanOptionRow
  | EnumOptionRow
  | AutoIntegerOptionRow
  | StringListOptionRow

/** Options by name. */
export type OptionTable = Readonly<Record<string, OptionRow>>

type OptionValue<Row extends OptionRow> = Row extends { type: 'integer' }
  ? number
  : Row extends { type: 'integer-or-auto' }
    ? number | 'auto'
    : Row extends { type: 'boolean' }
      ? boolean
      : Row extends { type: 'enum'; values: readonly (infer Value)[] }
        ? Value
        : Row extends { type: 'string-list' }
          ? readonly string[]
          : string

/** Every option of a table with its value; frozen. */
export type ResolvedOptions<Table extends OptionTable> = {
  readonly [Name in keyof Table]: OptionValue<Table[Name]>
}

/** What a caller may give: any subset, undefined meaning the default. */
export type OptionsInput<Table extends OptionTable> = {
  readonly [Name in keyof Table]?: OptionValue<Table[Name]> | undefined
}

/**
 * Checks `input` against `table` and fills in the defaults.
 *
 * @param where names the options in error messages, such as `serve()`
 * @throws RrError RR_OPTION_UNKNOWN for a key that the table lacks, naming the nearest one;
 *   RR_OPTION_INVALID for a value of the wrong type or outside its bounds
 */
export function resolveOptions<Table extends OptionTable>(
  table: Table,
  input: OptionsInput<Table>,
  where: string,
): ResolvedOptions<Table> {
  for (const key of Object.keys(input)) {
    if (!Object.hasOwn(table, key)) throw unknownOption(key, Object.keys(table), where)
  }
  const resolved: Record<string, unknown> = {}
  for (const [name, row] of Object.entries(table)) {
    const value = (input as Record<string, unknown>)[name]
    resolved[name] =
      value === undefined ? row.default : ownValue(checkOption(name, row, value, where))
  }
  return Object.freeze(resolved) as ResolvedOptions<Table>
}

/** A list is copied: what is done to the caller's later must not change a checked option. */
function ownValue(value: unknown): unknown {
  return Array.isArray(value) ? Object.freeze([...value]) : value
}

/** The error for a key that is in no table. */
export function unknownOption(key: string, known: readonly string[], where: string): RrError {
  const near = nearestName(key, known)
  const hint = near === null ? '' : `; did you mean '${near}'?`
  return new RrError('RR_OPTION_UNKNOWN', `${where}: unknown option '${key}'${hint}`)
}

/** What values a row takes, in words, for messages and help. */
export function describeValues(row: OptionRow): string {
  switch (row.type) {
    case 'integer':
      return `a whole number from ${row.minimum} to ${row.maximum}`
    case 'integer-or-auto':
      return `'auto' or a whole number from ${row.minimum} to ${row.maximum}`
    case 'boolean':
      return 'true or false'
    case 'enum':
      return `one of ${row.values.join(', ')}`
    case 'string':
      return 'a string that is not empty'
    case 'string-list':
      return `a list of which each is ${LIST_ITEMS[row.items].words}`
  }
}

/** A row's default, in words: what help and the configuration page show. */
export function describeDefault(row: OptionRow): string {
  const text = row.type === 'string-list' ? row.default.join(',') : String(row.default)
  return text === '' ? 'none' : text
}

function checkOption(name: string, row: OptionRow, value: unknown, where: string): unknown {
  if (isValidOption(row, value)) return value
  const shown = typeof value === 'string' ? `'${value}'` : String(value)
  throw new RrError(
    'RR_OPTION_INVALID',
    `${where}: '${name}' takes ${describeValues(row)}, not ${shown}`,
  )
}

function isValidOption(row: OptionRow, value: unknown): boolean {
  switch (row.type) {
    case 'integer-or-auto':
      return value === 'auto' || isIntegerWithin(value, row.minimum, row.maximum)
    case 'integer':
      return isIntegerWithin(value, row.minimum, row.maximum)
    case 'boolean':
      return typeof value === 'boolean'
    case 'enum':
      return typeof value === 'string' && row.values.includes(value)
    case 'string':
      return typeof value === 'string' && value !== ''
    case 'string-list':
      return (
        Array.isArray(value) &&
        value.every((item) => typeof item === 'string' && LIST_ITEMS[row.items].accepts(item))
      )
  }
}

function isIntegerWithin(value: unknown, minimum: number, maximum: number): boolean {
  return Number.isInteger(value) && (value as number) >= minimum && (value as number) <= maximum
}

/** The known name closest to `name` by edit distance, or null when none is near. */
export function nearestName(name: string, known: readonly string[]): string | null {
  let best: string | null = null
  let bestDistance = Math.max(2, Math.floor(name.length / 2))
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** Letters inserted, left out, replaced, or swapped with the next one. */
function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const current = [i]
    for (let j = 1; j <= b.length; j++) {
      const substituted = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      const isSwapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const swapped = isSwapped ? (beforePrevious[j - 2] ?? 0) + 1 : substituted
      current.push(
        Math.min(substituted, swapped, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1),
      )
    }
    beforePrevious = previous
    previous = current
  }
  return previous[b.length] ?? 0
}
