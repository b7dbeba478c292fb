import { type HttpRequest, rankEncodings } from '@rr/core'

/** What a client's Accept-Encoding comes to (RFC 9110 §12.5.3). */
export interface AcceptedCodings<Coding> {
  /** Those that it likes at least as well as content that is not coded, best first. */
  readonly codings: readonly Coding[]
  /** True when it does not take content as it is: `identity;q=0`, or `*;q=0`. */
  readonly isPlainRefused: boolean
}

/** @param offers best first, which decides among those that the client likes equally */
export function acceptedCodings<Coding extends string>(
  request: Pick<HttpRequest, 'headers'>,
  offers: readonly Coding[],
): AcceptedCodings<Coding> {
  const ranked = rankEncodings(request, [...offers, 'identity'])
  const plain = ranked.indexOf('identity')
  return {
    codings: (plain < 0 ? ranked : ranked.slice(0, plain)) as Coding[],
    isPlainRefused: plain < 0,
  }
}
