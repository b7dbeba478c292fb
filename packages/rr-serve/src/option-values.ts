import { describeValues, type OptionRow, RrError, resolveOptions } from '@rr/core'

/** A value as an option table knows it. */
export type OptionScalar = string | number | boolean | readonly string[]

/** Factors to a row's own unit, by the unit's name in lower case. */
const UNITS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  ms: { ms: 1, s: 1000, m: 60_000, h: 3_600_000 },
  // kB is 1000 and KiB is 1024 (IEC 80000-13); the units are read in any case.
  bytes: {
    b: 1,
    kb: 1000,
    mb: 1000 ** 2,
    gb: 1000 ** 3,
    kib: 1024,
    mib: 1024 ** 2,
    gib: 1024 ** 3,
  },
}

/** Numbers of this row with units, as examples; empty where it takes none. */
export function unitExamples(row: OptionRow): string {
  if (row.valueName === 'ms') return '500ms, 10s, 2m'
  if (row.valueName === 'bytes') return '64KiB, 1MiB, 10MB'
  return ''
}

/** What a row takes, in words. */
export function describeOption(row: OptionRow): string {
  if (row.type === 'string-list') return `${describeValues(row)}, with commas between them`
  const examples = unitExamples(row)
  if (examples === '') return describeValues(row)
  return `${describeValues(row)} (${row.valueName}), or one with a unit as in ${examples}`
}

/**
 * Reads the text of a flag or a variable.
 *
 * @param source names where the text stood, such as `--port` or `RR_PORT`
 * @throws RrError RR_OPTION_INVALID when it is no value of the row or outside the row's bounds
 */
export function readOptionValue(row: OptionRow, text: string, source: string): OptionScalar {
  const value = parse(row, text)
  if (!isAccepted(row, value)) {
    throw new RrError('RR_OPTION_INVALID', `${source} takes ${describeOption(row)}, not '${text}'`)
  }
  return value
}

/** The bounds are judged where `serve()` judges them. */
function isAccepted(row: OptionRow, value: OptionScalar): boolean {
  try {
    resolveOptions({ value: row }, { value }, '')
    return true
  } catch {
    return false
  }
}

/** A text that cannot be read stays a text, which no row but a string's accepts. */
function parse(row: OptionRow, text: string): OptionScalar {
  switch (row.type) {
    case 'integer':
    case 'integer-or-auto':
      return parseQuantity(text, UNITS[row.valueName ?? ''] ?? {}) ?? text
    case 'boolean':
      return parseBoolean(text) ?? text
    case 'enum':
      return text.toLowerCase()
    case 'string':
      return text
    case 'string-list':
      return text.split(',').map((item) => item.trim())
  }
}

function parseQuantity(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const match = /^([+-]?\d+) ?([a-z]*)$/i.exec(text.replaceAll('_', ''))
  if (match === null) return undefined
  const [, digits = '', unit = ''] = match
  const factor = unit === '' ? 1 : units[unit.toLowerCase()]
  return factor === undefined ? undefined : Number(digits) * factor
}

function parseBoolean(text: string): boolean | undefined {
  switch (text.toLowerCase()) {
    case 'true':
    case '1':
    case 'yes':
    case 'on':
      return true
    case 'false':
    case '0':
    case 'no':
    case 'off':
      return false
    default:
      return undefined
  }
}
