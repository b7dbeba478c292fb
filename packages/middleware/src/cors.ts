import {
  empty,
  type HeaderBlock,
  type HttpRequest,
  type HttpResponse,
  isToken,
  type Middleware,
  resolveOptions,
} from '@rr/core'
import { type OriginRule, originMatcher } from './cors-origin.ts'
import { changeAnswer, changeFields, fieldValue, varyWith } from './header-changes.ts'
import { checkKeys, invalidOption } from './option-checks.ts'

const WHERE = 'cors()'

const SCALARS = {
  credentials: {
    type: 'boolean',
    default: false,
    doc: 'Lets pages of allowed origins send cookies and read what is answered to them.',
  },
  maxAgeSeconds: {
    type: 'integer',
    default: 600,
    minimum: 0,
    maximum: 86_400,
    doc: 'Time that a browser may go without asking again; Chromium takes two hours at most.',
  },
  privateNetwork: {
    type: 'boolean',
    default: false,
    doc: 'Lets public pages of allowed origins ask a server in a private network.',
  },
} as const

/** What `cors` takes. */
export interface CorsOptions {
  /**
   * Who may read answers: `'*'` for everyone; an origin such as `https://example.com`; a RegExp
   * that the whole origin must match; a function; or a list of these but `'*'`. Default: nobody.
   * The opaque origin `null`, which any sandboxed page has, is allowed only by the string `'null'`.
   */
  readonly origin?: '*' | OriginRule | readonly OriginRule[]
  /** Default false; never together with a `'*'`. */
  readonly credentials?: boolean
  /** Methods beside GET, HEAD and POST, or `['*']`. */
  readonly methods?: readonly string[]
  /** Request headers beside those that need no permission, or `['*']`; default none. */
  readonly allowedHeaders?: readonly string[]
  /** Response headers that pages may read, or `['*']`; default none but the safelisted. */
  readonly exposedHeaders?: readonly string[]
  /** Seconds for which a browser may keep the answer to a preflight, 0 to 86400; default 600. */
  readonly maxAgeSeconds?: number
  /** Answers the preflights of Private Network Access; default false. */
  readonly privateNetwork?: boolean
}

/**
 * Cross-origin resource sharing, as the Fetch standard has it (§3.2, HTTP CORS protocol). Nobody is
 * allowed who is not listed. Preflights are answered here with 204; errors that pass through get
 * the fields as any answer does, so that pages can read them. `Vary` is set also for requests
 * without an origin, or a cache would keep their answer for all others.
 *
 * @throws RrError RR_OPTION_UNKNOWN, RR_OPTION_INVALID; also for credentials together with `'*'`,
 *   which browsers refuse
 * @example
 * cors({ origin: ['https://app.example.com', /https:\/\/.*\.example\.org/], credentials: true })
 */
export function cors(options: CorsOptions = {}): Middleware {
  const policy = new CorsPolicy(options)
  return async (request, next) => {
    const allowed = await policy.allowedOrigin(request)
    if (isPreflight(request)) return policy.preflight(request, allowed)
    return changeAnswer(request, next, (headers) => policy.mark(request, headers, allowed))
  }
}

class CorsPolicy {
  readonly #isForAll: boolean
  readonly #matches: (origin: string, request: HttpRequest) => boolean | Promise<boolean>
  readonly #preflightFields: Readonly<Record<string, string>>
  readonly #isPrivateAllowed: boolean
  readonly #credentials: boolean
  readonly #exposed: string

  constructor(options: CorsOptions) {
    const { origin, methods = [], allowedHeaders = [], exposedHeaders = [], ...rest } = options
    const lists = { methods, allowedHeaders, exposedHeaders }
    checkKeys(options, ['origin', ...Object.keys(lists), ...Object.keys(SCALARS)], WHERE)
    const scalars = resolveOptions(SCALARS, rest, WHERE)
    for (const [name, list] of Object.entries(lists)) checkNames(name, list, scalars.credentials)
    if (origin === '*' && scalars.credentials) {
      const takes = "no '*' together with credentials: list the origins"
      throw invalidOption(WHERE, 'origin', takes, origin)
    }
    this.#isForAll = origin === '*'
    this.#matches = this.#isForAll ? () => true : originMatcher(origin as OriginRule | undefined)
    this.#isPrivateAllowed = scalars.privateNetwork
    this.#credentials = scalars.credentials
    this.#exposed = exposedHeaders.join(', ')
    this.#preflightFields = {
      'access-control-allow-methods': withSafelisted(methods).join(', '),
      ...(allowedHeaders.length > 0
        ? { 'access-control-allow-headers': allowedHeaders.join(', ') }
        : {}),
      'access-control-max-age': String(scalars.maxAgeSeconds),
    }
  }

  /** What Access-Control-Allow-Origin says, or null for nothing. */
  async allowedOrigin(request: HttpRequest): Promise<string | null> {
    if (this.#isForAll) return '*'
    const origin = request.headers.get('origin')
    if (origin === null) return null
    return (await this.#matches(origin, request)) === true ? origin : null
  }

  preflight(request: HttpRequest, allowed: string | null): HttpResponse {
    const fields: Record<string, string> = { ...this.#originFields(allowed) }
    if (allowed !== null) {
      Object.assign(fields, this.#preflightFields)
      const wantsPrivate = request.headers.get('access-control-request-private-network')
      if (this.#isPrivateAllowed && wantsPrivate === 'true') {
        fields['access-control-allow-private-network'] = 'true'
      }
    }
    fields['vary'] = this.#varyNames(request).join(', ')
    return empty({ headers: fields })
  }

  mark(
    request: HttpRequest,
    headers: HeaderBlock | null,
    allowed: string | null,
  ): HeaderBlock | null {
    const fields: Record<string, string> = { ...this.#originFields(allowed) }
    if (allowed !== null && this.#exposed !== '') {
      // A handler may expose more.
      const own = fieldValue(headers, 'access-control-expose-headers')
      fields['access-control-expose-headers'] =
        own === null ? this.#exposed : `${own}, ${this.#exposed}`
    }
    const vary = varyWith(headers, this.#varyNames(request))
    if (vary !== null) fields['vary'] = vary
    return Object.keys(fields).length === 0 ? headers : changeFields(headers, fields)
  }

  #originFields(allowed: string | null): Readonly<Record<string, string>> {
    if (allowed === null) return {}
    return {
      'access-control-allow-origin': allowed,
      ...(this.#credentials ? { 'access-control-allow-credentials': 'true' } : {}),
    }
  }

  /** What the answer was chosen by. For OPTIONS that is whether it was a preflight, too. */
  #varyNames(request: HttpRequest): string[] {
    const names = this.#isForAll ? [] : ['Origin']
    if (request.method !== 'OPTIONS') return names
    names.push('Access-Control-Request-Method', 'Access-Control-Request-Headers')
    if (this.#isPrivateAllowed) names.push('Access-Control-Request-Private-Network')
    return names
  }
}

/** Fetch §3.2.2: an OPTIONS request without these two is an ordinary one. */
function isPreflight({ method, headers }: HttpRequest): boolean {
  return (
    method === 'OPTIONS' && headers.has('origin') && headers.has('access-control-request-method')
  )
}

/** Listed too, though browsers do not ask: other clients read the list. */
function withSafelisted(methods: readonly string[]): readonly string[] {
  return methods.includes('*') ? methods : [...new Set(['GET', 'HEAD', 'POST', ...methods])]
}

function checkNames(option: string, names: readonly string[], credentials: boolean): void {
  const isList = Array.isArray(names) && names.every((name) => typeof name === 'string')
  if (!isList || !names.every((name) => isToken(name))) {
    throw invalidOption(WHERE, option, 'a list of names', names)
  }
  // With credentials browsers take it for the name of a method or header (Fetch §3.2.3).
  if (credentials && names.includes('*')) {
    throw invalidOption(WHERE, option, "no '*' together with credentials", '*')
  }
}
