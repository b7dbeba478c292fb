import { RrError } from './errors.ts'
import { sliceTrimmed } from './field-syntax.ts'

/** Media types and the parameters of field values (RFC 9110 §5.6.6, §8.3.1). */

/** A parameter or an empty place for one, from where it is tried; linear in the text's length. */
const PARAMETER =
  /[ \t]*;[ \t]*(?:([!#$%&'*+\-.^_`|~0-9A-Za-z]+)=(?:"((?:[^"\\]|\\[\s\S])*)"|([!#$%&'*+\-.^_`|~0-9A-Za-z]+))[ \t]*)?/y

/**
 * What a field value such as that of Content-Type says before its parameters (RFC 9110 §5.6.6), in
 * lower case: `text/html` of `Text/HTML; charset=utf-8`.
 */
export function mainValue(fieldValue: string): string {
  const end = fieldValue.indexOf(';')
  return sliceTrimmed(fieldValue, 0, end < 0 ? fieldValue.length : end).toLowerCase()
}

/**
 * The parameters of a field value; names in lower case.
 *
 * In quoted strings only `\"` and `\\` are undone: a browser sends the backslashes of a file name
 * as they are (RFC 7578 §4.2), and no other character needs one before it.
 *
 * @returns null where the grammar is broken, or a parameter is there twice: which one counts would
 *   depend on who reads it
 */
export function parseParameters(fieldValue: string): Map<string, string> | null {
  const parameters = new Map<string, string>()
  const start = fieldValue.indexOf(';')
  let position = start < 0 ? fieldValue.length : start
  while (position < fieldValue.length) {
    PARAMETER.lastIndex = position
    const match = PARAMETER.exec(fieldValue)
    if (match === null) return null
    position = PARAMETER.lastIndex
    const [, name, quoted, token] = match
    if (name === undefined) continue
    const key = name.toLowerCase()
    if (parameters.has(key)) return null
    parameters.set(key, quoted?.replace(/\\(["\\])/g, '$1') ?? token ?? '')
  }
  return parameters
}

export function unsupportedType(expected: string): RrError {
  return new RrError('RR_MEDIA_TYPE_UNSUPPORTED', `the request body is not ${expected}`)
}
