import { RrError } from './errors.ts'
import { isToken } from './field-syntax.ts'
import { FORBIDDEN_TRAILERS } from './forbidden-trailers.ts'
import { HeaderBlock, type HeadersInput, headerPairs } from './header-block.ts'
import type { RequestHeaders } from './request-headers.ts'

/** Gives the fields that follow a body, once the body is complete. */
export type TrailerSource = () => HeadersInput | PromiseLike<HeadersInput>

/** Beside those of any message: fields that a client has to know before the body. */
const FORBIDDEN: ReadonlySet<string> = new Set([
  ...FORBIDDEN_TRAILERS,
  'accept-ranges',
  'age',
  'date',
  'expires',
  'location',
  'pragma',
  'proxy-authenticate',
  'retry-after',
  'vary',
  'www-authenticate',
])

/** @throws RrError RR_HEADER_INVALID for a field that cannot be sent, or not after a body */
export function trailerBlock(input: HeadersInput): HeaderBlock {
  const pairs = [...headerPairs(input)]
  for (const [name] of pairs) checkTrailerName(name)
  return new HeaderBlock(pairs)
}

/**
 * The value of `Trailer`: the names announced (RFC 9110 §6.6.2).
 *
 * @throws RrError RR_HEADER_INVALID for a field that may not follow a body
 */
export function trailerAnnouncement(names: readonly string[]): string {
  for (const name of names) checkTrailerName(name)
  return names.join(', ')
}

/** True when the client says that trailers reach it (RFC 9110 §10.1.4). */
export function acceptsTrailers(headers: RequestHeaders): boolean {
  const te = headers.get('te')
  return te !== null && /(?:^|,)[\t ]*trailers[\t ]*(?:,|$)/i.test(te)
}

function checkTrailerName(name: unknown): void {
  if (typeof name !== 'string' || !isToken(name) || FORBIDDEN.has(name.toLowerCase())) {
    throw new RrError(
      'RR_HEADER_INVALID',
      `${JSON.stringify(name)} cannot be the name of a trailer field (RFC 9110 §6.5.1)`,
    )
  }
}
