import type { HeaderBlock, HttpRequest, Middleware } from '@rr/core'
import {
  type ContentSecurityPolicy,
  type PolicyField,
  policyField,
} from './content-security-policy.ts'
import { changeAnswer, changeFields, HeaderCache } from './header-changes.ts'
import { checkKeys, invalidOption } from './option-checks.ts'
import { hstsValue, permissionsValue, type StrictTransportSecurity } from './security-values.ts'

const WHERE = 'securityHeaders()'

interface ChoiceRow {
  readonly field: string
  /** Null where the field is sent only when asked for. */
  readonly default: string | null
  readonly values: readonly string[]
}

/** Fields with a fixed choice of values. */
const CHOICES: Readonly<Record<keyof FieldChoices, ChoiceRow>> = {
  contentTypeOptions: {
    field: 'x-content-type-options',
    default: 'nosniff',
    values: ['nosniff'],
  },
  // no-referrer would be stricter, and makes browsers send `origin: null` with every form, which
  // defeats checks against forgery.
  referrerPolicy: {
    field: 'referrer-policy',
    default: 'strict-origin-when-cross-origin',
    values: [
      ...['no-referrer', 'no-referrer-when-downgrade', 'origin', 'origin-when-cross-origin'],
      ...['same-origin', 'strict-origin', 'strict-origin-when-cross-origin', 'unsafe-url'],
    ],
  },
  frameOptions: {
    field: 'x-frame-options',
    default: 'SAMEORIGIN',
    values: ['SAMEORIGIN', 'DENY'],
  },
  crossOriginOpenerPolicy: {
    field: 'cross-origin-opener-policy',
    default: 'same-origin',
    values: ['same-origin', 'same-origin-allow-popups', 'noopener-allow-popups', 'unsafe-none'],
  },
  crossOriginResourcePolicy: {
    field: 'cross-origin-resource-policy',
    default: 'same-origin',
    values: ['same-origin', 'same-site', 'cross-origin'],
  },
  crossOriginEmbedderPolicy: {
    field: 'cross-origin-embedder-policy',
    default: null,
    values: ['require-corp', 'credentialless', 'unsafe-none'],
  },
  dnsPrefetchControl: {
    field: 'x-dns-prefetch-control',
    default: null,
    values: ['off', 'on'],
  },
}

interface FieldChoices {
  /** x-content-type-options: a body is what its content-type says. Default `nosniff`. */
  readonly contentTypeOptions?: 'nosniff' | false
  /** Default `strict-origin-when-cross-origin`. */
  readonly referrerPolicy?:
    | 'no-referrer'
    | 'no-referrer-when-downgrade'
    | 'origin'
    | 'origin-when-cross-origin'
    | 'same-origin'
    | 'strict-origin'
    | 'strict-origin-when-cross-origin'
    | 'unsafe-url'
    | false
  /** x-frame-options: who may show the page in a frame. Default `SAMEORIGIN`. */
  readonly frameOptions?: 'SAMEORIGIN' | 'DENY' | false
  /** Default `same-origin`. */
  readonly crossOriginOpenerPolicy?:
    | 'same-origin'
    | 'same-origin-allow-popups'
    | 'noopener-allow-popups'
    | 'unsafe-none'
    | false
  /** Default `same-origin`; `cross-origin` for what other sites may embed, such as images. */
  readonly crossOriginResourcePolicy?: 'same-origin' | 'same-site' | 'cross-origin' | false
  /** Default none. */
  readonly crossOriginEmbedderPolicy?: 'require-corp' | 'credentialless' | 'unsafe-none' | false
  /** x-dns-prefetch-control. Default none. */
  readonly dnsPrefetchControl?: 'off' | 'on' | false
}

/** What `securityHeaders` takes. `false` leaves a field out. */
export interface SecurityHeadersOptions extends FieldChoices {
  /** Allowed origins by feature: `'self'`, `'*'` or origins; an empty list for none. Default none. */
  readonly permissionsPolicy?: Readonly<Record<string, readonly string[]>> | false
  /** Strict-Transport-Security (RFC 6797), for hosts that only ever speak TLS. Default none. */
  readonly strictTransportSecurity?: StrictTransportSecurity | false
  /** Default none: a policy that fits every application would allow everything. */
  readonly contentSecurityPolicy?: ContentSecurityPolicy | false
}

const OBJECTS = ['permissionsPolicy', 'strictTransportSecurity', 'contentSecurityPolicy'] as const

/**
 * Adds fields that tell browsers to be strict, to every answer, errors included. What the handler
 * sets itself stays.
 *
 * @throws RrError RR_OPTION_UNKNOWN, RR_OPTION_INVALID
 * @example
 * securityHeaders({
 *   strictTransportSecurity: { maxAgeSeconds: 31_536_000 },
 *   contentSecurityPolicy: {
 *     directives: { 'default-src': ["'self'"], 'script-src': ["'self'", CSP_NONCE] },
 *   },
 * })
 */
export function securityHeaders(options: SecurityHeadersOptions = {}): Middleware {
  checkKeys(options, [...Object.keys(CHOICES), ...OBJECTS], WHERE)
  const { contentSecurityPolicy = false } = options
  const fields = constantFields(options)
  const policy = contentSecurityPolicy === false ? null : policyField(contentSecurityPolicy)
  if (policy !== null && policy.constant !== null) fields[policy.name] = policy.constant
  const cache = new HeaderCache((headers) => addMissing(headers, fields))
  if (policy === null || policy.constant !== null) {
    return (request, next) => changeAnswer(request, next, (headers) => cache.get(headers))
  }
  return (request, next) =>
    changeAnswer(request, next, (headers) => addPolicy(cache.get(headers), policy, request))
}

function constantFields(options: SecurityHeadersOptions): Record<string, string> {
  const fields: Record<string, string> = {}
  for (const [option, row] of Object.entries(CHOICES)) {
    const value = options[option as keyof FieldChoices] ?? row.default ?? false
    if (value === false) continue
    if (!row.values.includes(value)) {
      throw invalidOption(WHERE, option, `false or one of ${row.values.join(', ')}`, value)
    }
    fields[row.field] = value
  }
  const { permissionsPolicy = false, strictTransportSecurity = false } = options
  if (permissionsPolicy !== false) {
    fields['permissions-policy'] = permissionsValue(permissionsPolicy, WHERE)
  }
  if (strictTransportSecurity !== false) {
    fields['strict-transport-security'] = hstsValue(strictTransportSecurity, WHERE)
  }
  return fields
}

function addMissing(
  headers: HeaderBlock | null,
  fields: Readonly<Record<string, string>>,
): HeaderBlock {
  const missing = Object.entries(fields).filter(([name]) => (headers?.get(name) ?? null) === null)
  return changeFields(headers, Object.fromEntries(missing))
}

function addPolicy(headers: HeaderBlock, policy: PolicyField, request: HttpRequest): HeaderBlock {
  if (headers.get(policy.name) !== null) return headers
  return changeFields(headers, { [policy.name]: policy.valueFor(request) })
}
