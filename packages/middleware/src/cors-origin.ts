import type { HttpRequest } from '@rr/core'
import { invalidOption } from './option-checks.ts'

/** What allows an origin. A function is told the origin as sent. */
export type OriginRule =
  | string
  | RegExp
  | ((origin: string, request: HttpRequest) => boolean | Promise<boolean>)

/** An origin as browsers serialise it (RFC 6454 §6.2): scheme, host and port, nothing else. */
const SERIALIZED = /^[a-z][a-z0-9+.-]*:\/\/[^\s/?#@A-Z*]+$/

type Matcher = (origin: string, request: HttpRequest) => boolean | Promise<boolean>

/**
 * One function for all rules.
 *
 * @throws RrError RR_OPTION_INVALID for what is no rule, and for strings that no browser sends
 */
export function originMatcher(rules: OriginRule | readonly OriginRule[] | undefined): Matcher {
  const list = rules === undefined ? [] : Array.isArray(rules) ? rules : [rules]
  const strings = new Set<string>()
  const matchers: Matcher[] = []
  for (const rule of list as readonly OriginRule[]) {
    if (typeof rule === 'string') strings.add(checkOrigin(rule))
    else if (rule instanceof RegExp) matchers.push(wholeMatch(rule))
    else if (typeof rule === 'function') matchers.push(rule)
    else throw invalidOption('cors()', 'origin', 'strings, RegExps and functions', rule)
  }
  return (origin, request) => {
    if (strings.has(origin)) return true
    // Any page can make itself an opaque origin: a pattern that happens to fit must not let it in.
    // Nor what no browser sends: /https:\/\/[^/]*\.example/ fits https://evil.test#.example too.
    return matchers.length > 0 && SERIALIZED.test(origin) && any(matchers, origin, request)
  }
}

async function any(
  matchers: readonly Matcher[],
  origin: string,
  request: HttpRequest,
): Promise<boolean> {
  for (const matches of matchers) if ((await matches(origin, request)) === true) return true
  return false
}

/** /example\.com/ would let https://example.com.evil.test in; g and y would remember a place. */
function wholeMatch(pattern: RegExp): Matcher {
  const whole = new RegExp(`^(?:${pattern.source})$`, pattern.flags.replace(/[gy]/g, ''))
  return (origin) => whole.test(origin)
}

/** Browsers send scheme, host and port, in lower case, without a default port or a slash. */
function checkOrigin(origin: string): string {
  if (origin === 'null') return origin
  const takes = "origins as browsers send them, such as 'https://example.com'"
  if (!SERIALIZED.test(origin) || !URL.canParse(origin)) {
    throw invalidOption('cors()', 'origin', takes, origin)
  }
  const canonical = new URL(origin).origin
  // Schemes that URL does not know, such as those of browser extensions, have no origin there.
  if (canonical !== 'null' && canonical !== origin) {
    throw invalidOption('cors()', 'origin', `${takes}: here '${canonical}'`, origin)
  }
  return origin
}
