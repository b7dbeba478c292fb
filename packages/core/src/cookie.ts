import { RrError } from './errors.ts'
import { isToken } from './field-syntax.ts'
import { unknownOption } from './options.ts'

/** The attributes of a cookie (RFC 6265 §4.1). What is left out is not sent. */
export interface CookieOptions {
  /** The paths that the cookie is sent to: begins with `/`. Default: the folder of the request. */
  readonly path?: string
  /** The host that the cookie is sent to, with all below it. Default: the request's host alone. */
  readonly domain?: string
  /** How long it lives, in whole seconds; 0 or less deletes it. Default: until the client ends. */
  readonly maxAgeSeconds?: number
  /** When it ends; clients prefer `maxAgeSeconds`. */
  readonly expires?: Date
  /** Sent over TLS only. */
  readonly secure?: boolean
  /** Out of reach for scripts. */
  readonly httpOnly?: boolean
  /** Which requests from other sites carry it; `none` needs `secure`. */
  readonly sameSite?: 'strict' | 'lax' | 'none'
  /** Kept apart for each site that embeds this one (CHIPS); needs `secure`. */
  readonly partitioned?: boolean
  /** Which cookies Chromium drops last. */
  readonly priority?: 'low' | 'medium' | 'high'
}

/** Clients drop cookies whose name and value are longer together (RFC 6265bis §5.6). */
const MAX_PAIR_BYTES = 4096
/** Clients ignore an attribute whose value is longer (RFC 6265bis §5.6). */
const MAX_ATTRIBUTE_BYTES = 1024

/** What no cookie-octet is (RFC 6265 §4.1.1), and the percent sign, which then means an escape. */
const ENCODED = /[^\x21\x23\x24\x26-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+/gu
/** A path-value (RFC 6265 §4.1.1) that begins with `/`: no controls and no semicolon. */
const PATH = /^\/[\x20-\x3a\x3c-\x7e]*$/
/** Labels of letters, digits and hyphens; the dot that clients ignore may stand first. */
const DOMAIN = /^\.?[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/i

const SAME_SITE = { strict: 'Strict', lax: 'Lax', none: 'None' } as const
const PRIORITY = { low: 'Low', medium: 'Medium', high: 'High' } as const

/**
 * The value of a Set-Cookie field. The cookie's value is percent-encoded where it must be, and
 * `request.cookies` decodes it; nothing in it can add an attribute or a field.
 *
 * Enforces what clients do, which would drop the cookie without a word: a name that begins with
 * `__Secure-` needs `secure`; one with `__Host-` needs `secure`, the path `/` and no domain;
 * SameSite=None and Partitioned need `secure`; name and value have 4096 bytes together.
 *
 * @throws RrError RR_COOKIE_INVALID, RR_OPTION_UNKNOWN
 * @example
 * const session = cookie('__Host-session', id, { path: '/', secure: true, httpOnly: true })
 * return text('welcome', { cookies: [session] })
 */
export function cookie(name: string, value: string, options: CookieOptions = {}): string {
  if (typeof name !== 'string' || !isToken(name)) {
    throw invalid(String(name), 'its name is not a token (RFC 6265 §4.1.1)')
  }
  const pair = `${name}=${encodeValue(name, value)}`
  if (pair.length - 1 > MAX_PAIR_BYTES) {
    throw invalid(name, `name and value have ${pair.length - 1} of ${MAX_PAIR_BYTES} bytes`)
  }
  checkTogether(name, options)
  let text = pair
  for (const [key, given] of Object.entries(options)) {
    const attribute = Object.hasOwn(ATTRIBUTES, key) ? ATTRIBUTES[key as keyof CookieOptions] : null
    if (attribute === null) throw unknownOption(key, Object.keys(ATTRIBUTES), `cookie '${name}'`)
    if (given === undefined) continue
    const written = attribute(given)
    if (written === null) throw invalid(name, `its ${key} cannot be ${JSON.stringify(given)}`)
    if (written !== '') text += `; ${written}`
  }
  return text
}

/**
 * The value of a Set-Cookie field that deletes a cookie. It must name the path and domain with which
 * the cookie was set, or the client keeps it.
 *
 * @throws RrError as `cookie`
 * @example
 * return text('bye', { cookies: [deleteCookie('__Host-session', { path: '/', secure: true })] })
 */
export function deleteCookie(
  name: string,
  options: Omit<CookieOptions, 'expires' | 'maxAgeSeconds'> = {},
): string {
  // Max-Age for clients of today, Expires for those that never learned it.
  return cookie(name, '', { ...options, maxAgeSeconds: 0, expires: new Date(0) })
}

/** Each attribute as it is written: empty when it is not sent, null when its value cannot be. */
const ATTRIBUTES: {
  readonly [Key in keyof Required<CookieOptions>]: (value: unknown) => string | null
} = {
  path: (value) => (isText(value, PATH) ? `Path=${value}` : null),
  domain: (value) => (isText(value, DOMAIN) ? `Domain=${value}` : null),
  maxAgeSeconds: (value) => (Number.isSafeInteger(value) ? `Max-Age=${String(value)}` : null),
  expires: writeExpires,
  secure: (value) => flag('Secure', value),
  httpOnly: (value) => flag('HttpOnly', value),
  sameSite: (value) => choice('SameSite', SAME_SITE, value),
  partitioned: (value) => flag('Partitioned', value),
  priority: (value) => choice('Priority', PRIORITY, value),
}

/** What one attribute asks of another. */
function checkTogether(name: string, options: CookieOptions): void {
  const { secure, path, domain, sameSite, partitioned } = options
  const lower = name.toLowerCase()
  // Clients compare the prefixes whatever the case (RFC 6265bis §4.1.3).
  if (lower.startsWith('__host-') && (secure !== true || path !== '/' || domain !== undefined)) {
    throw invalid(name, "the prefix __Host- needs secure, the path '/' and no domain")
  }
  if (secure === true) return
  if (lower.startsWith('__secure-')) throw invalid(name, 'the prefix __Secure- needs secure')
  if (sameSite === 'none') throw invalid(name, "sameSite 'none' needs secure")
  if (partitioned === true) throw invalid(name, 'partitioned needs secure')
}

function encodeValue(name: string, value: string): string {
  if (typeof value !== 'string') throw invalid(name, `its value is not a string: ${typeof value}`)
  try {
    return value.replace(ENCODED, encodeURIComponent)
  } catch {
    // encodeURIComponent refuses half of a surrogate pair, which no UTF-8 can express.
    throw invalid(name, 'its value is not Unicode text')
  }
}

function isText(value: unknown, pattern: RegExp): value is string {
  return typeof value === 'string' && value.length <= MAX_ATTRIBUTE_BYTES && pattern.test(value)
}

function writeExpires(value: unknown): string | null {
  // Clients take no date before 1601 (RFC 6265 §5.1.1), and the year has four digits.
  const isDate = value instanceof Date && value.getUTCFullYear() >= 1601
  return isDate && value.getUTCFullYear() <= 9999 ? `Expires=${value.toUTCString()}` : null
}

function flag(attribute: string, value: unknown): string | null {
  if (typeof value !== 'boolean') return null
  return value ? attribute : ''
}

function choice(
  attribute: string,
  choices: Readonly<Record<string, string>>,
  value: unknown,
): string | null {
  if (typeof value !== 'string' || !Object.hasOwn(choices, value)) return null
  return `${attribute}=${choices[value]}`
}

function invalid(name: string, why: string): RrError {
  return new RrError('RR_COOKIE_INVALID', `the cookie ${JSON.stringify(name)} is invalid: ${why}`)
}
