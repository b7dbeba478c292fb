/**
 * The normal form of a path, in which routing compares: each character is written in one way only.
 * Printable ASCII stands for itself, except what would change the path's meaning (`%`, `/`, `?`,
 * `#`); everything else is percent-encoded UTF-8 with upper-case digits (RFC 3986 §6.2.2). RFC 3986
 * keeps reserved characters such as `:` and `%3A` apart; here they are the same, since a guard on
 * one spelling must hold for the other.
 */

const DOT = 46
const PERCENT = '%'

/** What each escape of an ASCII byte becomes, by byte. */
const NORMAL_ESCAPES: readonly string[] = Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte)
  return byte > 0x20 && byte < 0x7f && !'%/?#'.includes(character)
    ? character
    : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
})

/**
 * A request path in normal form, or null when its percent-encoding is broken or not UTF-8. Raw
 * characters are left alone: the protocol lets none but printable ASCII through.
 */
export function normalizePath(path: string): string | null {
  let next = path.indexOf(PERCENT)
  if (next === -1) return path
  if (decodeStrict(path) === null) return null
  let normal = ''
  let copied = 0
  while (next !== -1) {
    const byte = Number.parseInt(path.slice(next + 1, next + 3), 16)
    normal += path.slice(copied, next) + NORMAL_ESCAPES[byte]!
    copied = next + 3
    next = path.indexOf(PERCENT, copied)
  }
  return normal + path.slice(copied)
}

/** A static segment of a pattern in normal form, or null when it has none. */
export function normalizeSegment(segment: string): string | null {
  try {
    return normalizePath(segment.replace(/[^!-~]+/gu, encodeURIComponent))
  } catch {
    // encodeURIComponent refuses half of a surrogate pair, which no UTF-8 can express.
    return null
  }
}

/** `text` percent-decoded as UTF-8, or null when that is impossible. */
export function decodeStrict(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}

/** True when the text from `start` up to `end` is `.` or `..` (RFC 3986 §3.3). */
export function isDotSegment(text: string, start: number, end: number): boolean {
  if (end === start || text.charCodeAt(start) !== DOT) return false
  return end - start === 1 || (end - start === 2 && text.charCodeAt(start + 1) === DOT)
}

/** True when one of the segments of `path` from `start` on is `.` or `..`. */
export function hasDotSegment(path: string, start: number): boolean {
  // Scans before it cuts: nearly no path has a segment that starts with a dot.
  if (path.charCodeAt(start) !== DOT && path.indexOf('/.', start) === -1) return false
  let segmentStart = start
  while (segmentStart <= path.length) {
    const end = segmentEnd(path, segmentStart)
    if (isDotSegment(path, segmentStart, end)) return true
    segmentStart = end + 1
  }
  return false
}

/** Where the segment of `path` that begins at `start` ends. */
export function segmentEnd(path: string, start: number): number {
  const end = path.indexOf('/', start)
  return end === -1 ? path.length : end
}
