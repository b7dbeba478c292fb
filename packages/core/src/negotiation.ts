import { elements, type Ranked, rankedElements } from './ranked-list.ts'

/**
 * Proactive negotiation (RFC 9110 §12.5): which of what the server offers the client likes best.
 * The quality of an offer is that of the most specific range that covers it; among equals the first
 * offered wins. A range with `q=0` excludes what it is the most specific for. Elements of a field
 * that are malformed are passed over.
 */

/** What is needed of a request: an HttpRequest has it, and so has a standard Request. */
interface Negotiating {
  readonly headers: { get(name: string): string | null }
}

/** How well a range covers an offer in lower case: higher is more specific, -1 is not at all. */
type Match = (range: Ranked, offer: string) => number

/**
 * The offered media type that Accept likes best (RFC 9110 §12.5.1), or null when it takes none.
 * Without Accept, the first.
 *
 * @param offers media types, with parameters where these matter: `text/html;level=1`
 * @example
 * if (accepts(request, ['application/json', 'text/html']) === 'text/html') return html(page)
 */
export function accepts<Offer extends string>(
  request: Negotiating,
  offers: readonly Offer[],
): Offer | null {
  return choose(rankedElements(request.headers.get('accept') ?? ''), offers, matchMediaType)
}

/**
 * The offered language that Accept-Language likes best (RFC 9110 §12.5.4), or null when it takes
 * none. Without the field, the first. `en` covers `en-GB` (RFC 4647 §3.3.1); where nothing closer
 * fits, `en-GB` takes `en` (RFC 4647 §3.4).
 *
 * @param offers language tags
 */
export function acceptsLanguage<Offer extends string>(
  request: Negotiating,
  offers: readonly Offer[],
): Offer | null {
  return choose(rankedElements(request.headers.get('accept-language') ?? ''), offers, matchLanguage)
}

/**
 * The offered content coding that Accept-Encoding likes best (RFC 9110 §12.5.3), or null when it
 * takes none: then the answer goes out uncoded. `identity` is offered like any other, is taken
 * unless it is excluded, and is then liked least if it is not named.
 *
 * Without the field any coding would be allowed; yet many who leave it out cannot decode one, so
 * only `identity` is taken then.
 *
 * @param offers content codings: `br`, `gzip`, `identity`
 */
export function acceptsEncoding<Offer extends string>(
  request: Negotiating,
  offers: readonly Offer[],
): Offer | null {
  return rankEncodings(request, offers)[0] ?? null
}

/**
 * All the offered content codings that Accept-Encoding takes, best liked first and equals in the
 * order offered: for who may have to fall back on the next. Otherwise as `acceptsEncoding`.
 *
 * @param offers content codings: `br`, `gzip`, `identity`
 * @example
 * const [coding = 'identity'] = rankEncodings(request, ['br', 'gzip', 'identity'])
 */
export function rankEncodings<Offer extends string>(
  request: Negotiating,
  offers: readonly Offer[],
): Offer[] {
  const ranges = rankedElements(request.headers.get('accept-encoding') ?? '')
  const rated: { offer: Offer; quality: number }[] = []
  for (const offer of offers) {
    const quality =
      offer.toLowerCase() === 'identity'
        ? identityQuality(ranges)
        : qualityOf(offer, ranges, matchCoding)
    if (quality > 0) rated.push({ offer, quality })
  }
  return rated.sort((a, b) => b.quality - a.quality).map(({ offer }) => offer)
}

/** Below every weight that a client can write. */
const LEAST_QUALITY = 0.0001

/** Who lists codings wants one: what is only not excluded, or is meant by `*`, comes last. */
function identityQuality(ranges: readonly Ranked[]): number {
  const quality = qualityOf('identity', ranges, matchCoding)
  if (ranges.some(({ value }) => value === 'identity')) return quality
  return ranges.some(({ value }) => value === '*')
    ? Math.min(quality, LEAST_QUALITY)
    : LEAST_QUALITY
}

function choose<Offer extends string>(
  ranges: readonly Ranked[],
  offers: readonly Offer[],
  match: Match,
): Offer | null {
  // A field that says nothing that can be understood excludes nothing.
  if (ranges.length === 0) return offers[0] ?? null
  let best: Offer | null = null
  let bestQuality = 0
  for (const offer of offers) {
    const quality = qualityOf(offer, ranges, match)
    if (quality > bestQuality) {
      best = offer
      bestQuality = quality
    }
  }
  return best
}

function qualityOf(offer: string, ranges: readonly Ranked[], match: Match): number {
  let best = -1
  let bestQuality = 0
  const lower = offer.toLowerCase()
  for (const range of ranges) {
    const specificity = match(range, lower)
    if (specificity < 0 || specificity < best) continue
    const { quality } = range
    bestQuality = specificity === best ? Math.max(bestQuality, quality) : quality
    best = specificity
  }
  return bestQuality
}

// A full type over `type/*` over `*/*`, and each parameter makes it closer.
const matchMediaType: Match = ({ value }, offer) => {
  const [type = '', ...wanted] = elements(value, ';')
  const [offered = '', ...given] = elements(offer, ';')
  if (!wanted.every((parameter) => given.includes(parameter))) return -1
  if (type === offered) return 2 + wanted.length
  if (type === '*/*') return 0
  return type.endsWith('/*') && offered.startsWith(type.slice(0, -1)) ? 1 : -1
}

const matchCoding: Match = ({ value }, offer) => {
  // An old name of the same coding (RFC 9110 §8.4.1.3).
  if (value === offer || (value === 'x-gzip' && offer === 'gzip')) return 1
  return value === '*' ? 0 : -1
}

/** A tag has far fewer characters than this. */
const EXACT = 1_000_000

const matchLanguage: Match = ({ value, quality }, offer) => {
  if (value === '*') return 0
  if (value === offer) return EXACT
  if (offer.startsWith(`${value}-`)) return value.length + 1
  // Closer than `*` only, so that `en` itself decides where it is named. Who refuses `en-GB` has not
  // refused `en`.
  return quality > 0 && value.startsWith(`${offer}-`) ? 1 : -1
}
