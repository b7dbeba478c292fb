/** Which bytes a Range field asks for (RFC 9110 §14). Pure; sends nothing. */

/** A part of a representation: the positions of its first and last byte, both included. */
export interface ByteRange {
  readonly first: number
  readonly last: number
}

/**
 * What to answer: the whole representation (200), these parts of it (206), or that there is no such
 * part (416).
 */
export type RangeSelection = 'whole' | 'unsatisfiable' | readonly ByteRange[]

/** A player or a download tool asks for one range, a PDF viewer for a handful. */
const MAX_RANGES = 16
const MAX_OVERLAPS = 1

const RANGE_SPEC = /^[ \t]*(?:(\d+)-(\d*)|-(\d+))[ \t]*$/
const EMPTY_MEMBER = /^[ \t]*$/

/**
 * Reads a Range field against a representation of `sizeBytes`. The method (GET only, RFC 9110
 * §14.2) and If-Range are the caller's to check.
 *
 * Ignored, so that the whole is answered: other units, bad syntax, and what only a broken client or
 * an attack sends (RFC 9110 §14.2, §17.15): more than two ranges that overlap, more than 16 ranges once those
 * that touch are joined, or more bytes in sum than there are. A client gets what it asked for
 * anyway, and no request costs more than one file.
 *
 * @param field the value, such as `bytes=0-499,-500`
 * @returns ranges in the order asked for, none overlapping or touching another, none empty
 */
export function selectRanges(field: string, sizeBytes: number): RangeSelection {
  const specs = parseSpecs(field)
  if (specs === null) return 'whole'
  const ranges: ByteRange[] = []
  let totalBytes = 0
  for (const spec of specs) {
    const range = resolveSpec(spec, sizeBytes)
    if (range === 'whole') return 'whole'
    if (range === null) continue
    ranges.push(range)
    totalBytes += range.last - range.first + 1
  }
  if (ranges.length === 0) return 'unsatisfiable'
  if (totalBytes > sizeBytes) return 'whole'
  const joined = joinRanges(ranges)
  return joined === null || joined.length > MAX_RANGES ? 'whole' : joined
}

/** As sent: `[first, last]`, last being infinite when left open, or the length of a suffix. */
type RangeSpec = ByteRange | { readonly suffixBytes: number }

/** Null for another unit, bad syntax, or an empty set: all are to be ignored. */
function parseSpecs(field: string): RangeSpec[] | null {
  const equals = field.indexOf('=')
  // Names of units are case-insensitive (RFC 9110 §14.1).
  if (equals < 0 || field.slice(0, equals).toLowerCase() !== 'bytes') return null
  const specs: RangeSpec[] = []
  for (const member of field.slice(equals + 1).split(',')) {
    if (EMPTY_MEMBER.test(member)) continue
    const match = RANGE_SPEC.exec(member)
    if (match === null) return null
    const [, first, last, suffix] = match
    // Digits beyond what a number holds become the next double, or infinity: past any end.
    if (suffix !== undefined) specs.push({ suffixBytes: Number(suffix) })
    else {
      const range = { first: Number(first), last: last ? Number(last) : Number.POSITIVE_INFINITY }
      if (range.last < range.first) return null
      specs.push(range)
    }
  }
  return specs.length === 0 ? null : specs
}

/** Null when no byte of the representation is in it. */
function resolveSpec(spec: RangeSpec, sizeBytes: number): ByteRange | 'whole' | null {
  if ('suffixBytes' in spec) {
    if (spec.suffixBytes === 0) return null
    // Satisfiable (RFC 9110 §14.1.2), but no Content-Range can express nothing.
    if (sizeBytes === 0) return 'whole'
    return { first: Math.max(0, sizeBytes - spec.suffixBytes), last: sizeBytes - 1 }
  }
  if (spec.first >= sizeBytes) return null
  return { first: spec.first, last: Math.min(spec.last, sizeBytes - 1) }
}

/** Joins what overlaps or touches, in the order of each one's first mention (RFC 9110 §15.3.7.2). */
function joinRanges(ranges: readonly ByteRange[]): ByteRange[] | null {
  const sorted = ranges
    .map(({ first, last }, order) => ({ first, last, order }))
    .sort((a, b) => a.first - b.first)
  const joined: { first: number; last: number; order: number }[] = []
  let overlaps = 0
  for (const range of sorted) {
    const previous = joined.at(-1)
    if (previous === undefined || range.first > previous.last + 1) {
      joined.push(range)
      continue
    }
    if (range.first <= previous.last) overlaps++
    previous.last = Math.max(previous.last, range.last)
    previous.order = Math.min(previous.order, range.order)
  }
  if (overlaps > MAX_OVERLAPS) return null
  return joined.sort((a, b) => a.order - b.order).map(({ first, last }) => ({ first, last }))
}
