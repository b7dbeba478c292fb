import { includesTag, isEntityTag, matchesStrongly, matchesWeakly } from './entity-tags.ts'
import { parseHttpDate } from './http-date.ts'

/** What identifies the state of the representation that would be sent (RFC 9110 §8.8). */
export interface Validators {
  /** The entity tag, quoted, `W/` in front when it is weak; null for none. */
  readonly etag: string | null
  /** When it changed last, in milliseconds since 1970; compared by the second. Null: not known. */
  readonly lastModifiedMs: number | null
  /**
   * True when it has surely not changed twice within that second (RFC 9110 §8.8.2.2), which
   * If-Range asks for. Default false.
   */
  readonly isLastModifiedStrong?: boolean
}

/** The part of a request that preconditions are read from. */
export interface ConditionalRequest {
  readonly method: string
  readonly headers: { get(name: string): string | null }
}

/** What the preconditions say: go on, or answer 304 or 412 instead. */
export type ConditionOutcome = 'proceed' | 304 | 412

/**
 * Evaluates the preconditions of a request in the order of RFC 9110 §13.2.2. Pure: the caller
 * answers. Dates that are none are ignored, members of a tag list that are no tags match nothing.
 * So `If-Match: abc` fails: who sends it means to be protected from overwriting.
 *
 * @param validators of the current representation; null when there is none, which is what
 *   `If-Match: *` and `If-None-Match: *` ask about
 * @example
 * const outcome = evaluateConditions(request, { etag: '"v7"', lastModifiedMs: null })
 * if (outcome !== 'proceed') return empty({ status: outcome, headers: { etag: '"v7"' } })
 */
export function evaluateConditions(
  request: ConditionalRequest,
  validators: Validators | null,
): ConditionOutcome {
  const { headers } = request
  const isRead = request.method === 'GET' || request.method === 'HEAD'

  const ifMatch = headers.get('if-match')
  if (ifMatch !== null) {
    if (!isListed(ifMatch, validators, matchesStrongly)) return 412
  } else if (isModifiedSince(headers.get('if-unmodified-since'), validators) === true) {
    return 412
  }

  const ifNoneMatch = headers.get('if-none-match')
  if (ifNoneMatch !== null) {
    if (isListed(ifNoneMatch, validators, matchesWeakly)) return isRead ? 304 : 412
  } else if (isRead) {
    if (isModifiedSince(headers.get('if-modified-since'), validators) === false) return 304
  }
  return 'proceed'
}

/**
 * True when a Range field may be followed: without If-Range, or when that names the current
 * representation by a strong tag or a strong date (RFC 9110 §13.1.5). Evaluated after the others.
 */
export function evaluateIfRange(request: ConditionalRequest, validators: Validators): boolean {
  const ifRange = request.headers.get('if-range')
  if (ifRange === null) return true
  if (isEntityTag(ifRange)) {
    return validators.etag !== null && matchesStrongly(ifRange, validators.etag)
  }
  const { lastModifiedMs, isLastModifiedStrong = false } = validators
  if (lastModifiedMs === null || !isLastModifiedStrong) return false
  // An exact match, not "not later than": what is older is another representation too.
  return parseHttpDate(ifRange) === toSecondMs(lastModifiedMs)
}

function isListed(
  list: string,
  validators: Validators | null,
  matches: (a: string, b: string) => boolean,
): boolean {
  return validators !== null && includesTag(list, validators.etag, matches)
}

/** Null when the question does not arise: no field, no date in it, or nothing to compare with. */
function isModifiedSince(field: string | null, validators: Validators | null): boolean | null {
  if (field === null || validators === null || validators.lastModifiedMs === null) return null
  const sinceMs = parseHttpDate(field)
  return sinceMs === null ? null : toSecondMs(validators.lastModifiedMs) > sinceMs
}

function toSecondMs(timeMs: number): number {
  return Math.floor(timeMs / 1000) * 1000
}
