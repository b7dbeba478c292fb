import type { ContentCoding } from './content-codings.ts'

/** What a client's Accept-Encoding comes to. */
export interface CodingChoice {
  /** The coding to use, or null for none. */
  readonly coding: ContentCoding | null
  /** True when the client does not take a body as it is: `identity;q=0`, or `*;q=0`. */
  readonly isPlainRefused: boolean
}

const NONE: CodingChoice = { coding: null, isPlainRefused: false }
/** RFC 9110 §12.4.2: at most three decimals. */
const WEIGHT = /^q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/i

/**
 * Chooses a coding (RFC 9110 §12.5.3). Among those that the client likes equally the first of
 * `preference` wins; `identity` counts only where it is listed, since who lists codings wants one.
 *
 * @param header all values of Accept-Encoding, or null: then none is asked for
 */
export function chooseCoding(
  header: string | null,
  preference: readonly ContentCoding[],
): CodingChoice {
  if (header === null) return NONE
  const weights = readWeights(header)
  const any = weights.get('*')
  let coding: ContentCoding | null = null
  let best = 0
  for (const candidate of preference) {
    const weight = weights.get(candidate) ?? any ?? 0
    if (weight > best) {
      coding = candidate
      best = weight
    }
  }
  const plain = weights.get('identity')
  if (plain !== undefined && plain > best) return NONE
  return { coding, isPlainRefused: (plain ?? (any === 0 ? 0 : 1)) === 0 }
}

/** Weights by name in lower case; members that are not well-formed do not count. */
function readWeights(header: string): Map<string, number> {
  const weights = new Map<string, number>()
  for (const member of header.split(',')) {
    const semicolon = member.indexOf(';')
    const listed = (semicolon < 0 ? member : member.slice(0, semicolon)).trim().toLowerCase()
    // An old name that recipients treat as the same (RFC 9110 §8.4.1.3).
    const name = listed === 'x-gzip' ? 'gzip' : listed
    if (name === '' || weights.has(name)) continue
    if (semicolon < 0) {
      weights.set(name, 1)
      continue
    }
    const weight = WEIGHT.exec(member.slice(semicolon + 1).trim())?.[1]
    if (weight !== undefined) weights.set(name, Number(weight))
  }
  return weights
}
