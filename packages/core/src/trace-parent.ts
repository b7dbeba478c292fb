/** What a `traceparent` says (W3C Trace Context, §3.2). */
export interface TraceParent {
  /** 32 lower-case hexadecimal digits, not all 0. */
  readonly traceId: string
  /** The span of who sent the request: 16 lower-case hexadecimal digits, not all 0. */
  readonly parentId: string
  readonly isSampled: boolean
}

const FIELDS = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/
const ALL_ZERO = /^0+$/

/**
 * Reads a `traceparent` header field. Of versions later than 00 it reads what 00 has too, as §3.2.4
 * asks; anything that is not valid is null, and so is a field that was sent twice.
 *
 * @example
 * const traceId = parseTraceParent(request.headers.get('traceparent'))?.traceId
 */
export function parseTraceParent(value: string | null): TraceParent | null {
  if (value === null || value.length < 55) return null
  const match = FIELDS.exec(value)
  if (match === null) return null
  const [, version = '', traceId = '', parentId = '', flags = '', rest] = match
  if (version === 'ff' || (version === '00' && rest !== undefined)) return null
  if (ALL_ZERO.test(traceId) || ALL_ZERO.test(parentId)) return null
  return { traceId, parentId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 }
}
