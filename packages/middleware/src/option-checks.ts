import { RrError, unknownOption } from '@rr/core'

/**
 * Checks that `input` is an object with no key but the known ones.
 *
 * @throws RrError RR_OPTION_UNKNOWN naming the nearest known key, RR_OPTION_INVALID
 */
export function checkKeys(input: object, known: readonly string[], where: string): void {
  // A caller without types may give anything.
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw new RrError('RR_OPTION_INVALID', `${where}: options are an object`)
  }
  for (const key of Object.keys(input)) {
    if (!known.includes(key)) throw unknownOption(key, known, where)
  }
}

/** The error for an option whose value cannot be. */
export function invalidOption(where: string, name: string, takes: string, value: unknown): RrError {
  const shown = typeof value === 'string' ? `'${value}'` : describe(value)
  return new RrError('RR_OPTION_INVALID', `${where}: '${name}' takes ${takes}, not ${shown}`)
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return 'that list'
  return typeof value === 'object' && value !== null ? 'that object' : String(value)
}

/** @throws RrError RR_OPTION_INVALID when it is neither undefined nor a function */
export function checkFunction(where: string, name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'function') {
    throw invalidOption(where, name, 'a function', value)
  }
}
