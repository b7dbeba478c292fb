import { randomBytes } from 'node:crypto'
import { type HttpRequest, unknownOption } from '@rr/core'
import { checkKeys, invalidOption } from './option-checks.ts'

const WHERE = 'securityHeaders() contentSecurityPolicy'

/** Stands for the request's nonce in a list of sources; `cspNonce(request)` is its value. */
export const CSP_NONCE: string = '{nonce}'

/** Directives of Content Security Policy Level 3 and of the specifications that add to it. */
export type CspDirective =
  | `${'child' | 'connect' | 'default' | 'fenced-frame' | 'font' | 'frame' | 'img'}-src`
  | `${'manifest' | 'media' | 'object' | 'worker'}-src`
  | `${'script' | 'style'}-src${'' | '-attr' | '-elem'}`
  | `${'base' | 'report'}-uri`
  | 'form-action'
  | 'frame-ancestors'
  | 'report-to'
  | 'require-trusted-types-for'
  | 'sandbox'
  | 'trusted-types'
  | 'upgrade-insecure-requests'
  | 'webrtc'

const DIRECTIVES: readonly CspDirective[] = [
  ...(['child-src', 'connect-src', 'default-src', 'fenced-frame-src', 'font-src'] as const),
  ...(['frame-src', 'img-src', 'manifest-src', 'media-src', 'object-src', 'script-src'] as const),
  ...(['script-src-attr', 'script-src-elem', 'style-src', 'style-src-attr'] as const),
  ...(['style-src-elem', 'worker-src', 'base-uri', 'sandbox', 'form-action'] as const),
  ...(['frame-ancestors', 'report-to', 'report-uri', 'require-trusted-types-for'] as const),
  ...(['trusted-types', 'upgrade-insecure-requests', 'webrtc'] as const),
]

/** Words that mean something only within single quotes; without, they are hosts of that name. */
const KEYWORDS = new Set([
  ...['none', 'self', 'unsafe-inline', 'unsafe-eval', 'unsafe-hashes', 'strict-dynamic'],
  ...['report-sample', 'wasm-unsafe-eval', 'inline-speculation-rules', 'trusted-types-eval'],
])

/** A policy: nothing is allowed or forbidden but by the directives given. */
export interface ContentSecurityPolicy {
  /** Sources by directive; true for a directive without a value. */
  readonly directives: Readonly<Partial<Record<CspDirective, readonly string[] | true>>>
  /** Sends content-security-policy-report-only: browsers tell, and block nothing. Default false. */
  readonly reportOnly?: boolean
}

/** The field's name, and its value for a request. */
export interface PolicyField {
  readonly name: string
  /** Null when the value differs from request to request. */
  readonly constant: string | null
  valueFor(request: HttpRequest): string
}

/** @throws RrError RR_OPTION_UNKNOWN, RR_OPTION_INVALID */
export function policyField(policy: ContentSecurityPolicy): PolicyField {
  checkKeys(policy, ['directives', 'reportOnly'], WHERE)
  const { directives, reportOnly = false } = policy
  if (typeof reportOnly !== 'boolean') {
    throw invalidOption(WHERE, 'reportOnly', 'true or false', reportOnly)
  }
  if (typeof directives !== 'object' || directives === null) {
    throw invalidOption(WHERE, 'directives', 'an object', directives)
  }
  const parts = Object.entries(directives).map(([name, sources]) => serialize(name, sources))
  if (parts.length === 0) throw invalidOption(WHERE, 'directives', 'at least one', directives)
  const template = parts.join('; ')
  const hasNonce = template.includes(CSP_NONCE)
  return {
    name: reportOnly ? 'content-security-policy-report-only' : 'content-security-policy',
    constant: hasNonce ? null : template,
    valueFor: (request) =>
      hasNonce ? template.replaceAll(CSP_NONCE, `'nonce-${cspNonce(request)}'`) : template,
  }
}

const nonces = new WeakMap<HttpRequest, string>()

/**
 * A secret of this request for `<script nonce="...">`: 128 random bits in Base64, the same each
 * time it is asked for. Sent where the policy lists `CSP_NONCE`.
 *
 * @example
 * html(`<script nonce="${cspNonce(request)}">start()</script>`)
 */
export function cspNonce(request: HttpRequest): string {
  let nonce = nonces.get(request)
  if (nonce === undefined) {
    nonce = randomBytes(16).toString('base64')
    nonces.set(request, nonce)
  }
  return nonce
}

function serialize(name: string, sources: unknown): string {
  if (!(DIRECTIVES as readonly string[]).includes(name)) {
    throw unknownOption(name, DIRECTIVES, `${WHERE} directives`)
  }
  if (sources === true) return name
  if (!Array.isArray(sources)) {
    throw invalidOption(WHERE, name, 'a list of sources, or true', sources)
  }
  for (const source of sources) checkSource(name, source)
  return [name, ...sources].join(' ')
}

/** A source that could end its directive would begin another one. */
function checkSource(directive: string, source: unknown): void {
  if (typeof source !== 'string' || !/^[!-+\--:<-~]+$/.test(source)) {
    const takes = 'sources of visible ASCII without spaces, commas and semicolons'
    throw invalidOption(WHERE, directive, takes, source)
  }
  const mayBeWord = directive === 'sandbox' || directive === 'report-to'
  if (!mayBeWord && KEYWORDS.has(source.toLowerCase())) {
    throw invalidOption(WHERE, directive, `"'${source}'" within single quotes`, source)
  }
}
