import { resolveOptions } from '@rr/core'
import { checkKeys, invalidOption } from './option-checks.ts'

const HSTS = {
  maxAgeSeconds: {
    type: 'integer',
    default: 15_552_000,
    minimum: 0,
    maximum: 315_360_000,
    doc: 'Seconds for which browsers use TLS only; 0 makes them forget.',
  },
  includeSubDomains: { type: 'boolean', default: false, doc: 'Subdomains as well.' },
  preload: { type: 'boolean', default: false, doc: "Asks for a place in browsers' own lists." },
} as const

/** What the lists in browsers ask for. */
const PRELOAD_SECONDS = 31_536_000

/** Strict-Transport-Security (RFC 6797 §6.1). */
export interface StrictTransportSecurity {
  /** Default 15552000, 180 days. */
  readonly maxAgeSeconds?: number
  /** Default false: subdomains that have no TLS would be out of reach. */
  readonly includeSubDomains?: boolean
  /** Default false; takes a year at least, and the subdomains. */
  readonly preload?: boolean
}

/** @throws RrError RR_OPTION_UNKNOWN, RR_OPTION_INVALID */
export function hstsValue(options: StrictTransportSecurity, where: string): string {
  const place = `${where} strictTransportSecurity`
  checkKeys(options, Object.keys(HSTS), place)
  const { maxAgeSeconds, includeSubDomains, preload } = resolveOptions(HSTS, options, place)
  if (preload && !(includeSubDomains && maxAgeSeconds >= PRELOAD_SECONDS)) {
    const takes = `true only with includeSubDomains and maxAgeSeconds from ${PRELOAD_SECONDS}`
    throw invalidOption(place, 'preload', takes, preload)
  }
  return [
    `max-age=${maxAgeSeconds}`,
    ...(includeSubDomains ? ['includeSubDomains'] : []),
    ...(preload ? ['preload'] : []),
  ].join('; ')
}

/**
 * A structured dictionary (RFC 9651 §3.2) of lists: `camera=(), geolocation=(self "https://a.b")`.
 *
 * @throws RrError RR_OPTION_INVALID
 */
export function permissionsValue(
  policy: Readonly<Record<string, readonly string[]>>,
  where: string,
): string {
  const place = `${where} permissionsPolicy`
  if (typeof policy !== 'object' || policy === null) {
    throw invalidOption(where, 'permissionsPolicy', 'an object of lists', policy)
  }
  const members = Object.entries(policy).map(([feature, allowed]) => {
    if (!/^[a-z][a-z0-9-]*$/.test(feature)) {
      throw invalidOption(place, feature, 'the name of a feature, such as camera', feature)
    }
    if (!Array.isArray(allowed)) throw invalidOption(place, feature, 'a list', allowed)
    const items = allowed.map((item: unknown) => serializeItem(feature, item, place))
    // RFC 9651 has no bare item that stands for all in a list.
    return `${feature}=${items.length === 1 && items[0] === '*' ? '*' : `(${items.join(' ')})`}`
  })
  if (members.length === 0) {
    throw invalidOption(where, 'permissionsPolicy', 'at least one feature', policy)
  }
  return members.join(', ')
}

function serializeItem(feature: string, item: unknown, place: string): string {
  if (item === 'self' || item === '*') return item
  if (typeof item === 'string' && /^[a-z][a-z0-9+.-]*:\/\/[!#-[\]-~]+$/.test(item)) {
    return `"${item}"`
  }
  throw invalidOption(place, feature, "'self', '*' or origins", item)
}
