import { hash } from 'node:crypto'
import {
  empty,
  type HeaderBlock,
  type HttpRequest,
  HttpResponse,
  type Middleware,
  type OptionsInput,
  resolveOptions,
} from '@rr/core'
import { includesTag, matchesStrongly, matchesWeakly } from './entity-tags.ts'
import { changeFields, withHeaders } from './header-changes.ts'
import { parseHttpDate } from './http-date.ts'
import { invalidOption } from './option-checks.ts'
import { releaseBody } from './release-body.ts'

const WHERE = 'etag()'

const OPTIONS = {
  kind: {
    type: 'enum',
    default: 'weak',
    values: ['weak', 'strong'],
    doc: 'Whether the same tag means the same bytes or the same meaning (RFC 9110 §8.8.1).',
  },
  maxBytes: {
    type: 'integer',
    default: 1_048_576,
    minimum: 0,
    maximum: 1_073_741_824,
    doc: 'Longest body that gets a tag; to hash 1 MiB takes about a millisecond.',
  },
  ifMatch: {
    type: 'boolean',
    default: false,
    doc: 'Whether If-Match and If-Unmodified-Since of GET and HEAD are answered 412.',
  },
} as const

/** What `etag` takes. */
export interface EtagOptions extends OptionsInput<typeof OPTIONS> {
  /** Default weak: compression further out makes a strong tag weak anyway. */
  readonly kind?: 'weak' | 'strong'
  /** Longest body that gets a tag, in bytes; default 1 MiB. */
  readonly maxBytes?: number
  /** Answers If-Match and If-Unmodified-Since of GET and HEAD, with kind strong; default false. */
  readonly ifMatch?: boolean
}

/**
 * Gives answers with a whole body an ETag made of its bytes, and answers 304 to who has that body
 * already. For GET and HEAD with status 200; an ETag of the handler's own is kept and compared. The
 * handler has run by then: what is saved is the sending.
 *
 * @throws RrError RR_OPTION_UNKNOWN, RR_OPTION_INVALID
 * @example
 * composeMiddleware([compression(), etag()], handler)
 */
export function etag(options: EtagOptions = {}): Middleware {
  const { kind, maxBytes, ifMatch } = resolveOptions(OPTIONS, options, WHERE)
  if (ifMatch && kind === 'weak') {
    // A weak tag matches no If-Match (RFC 9110 §13.1.1): every such request would fail.
    throw invalidOption(WHERE, 'ifMatch', "true only with kind 'strong'", ifMatch)
  }
  return async (request, next) => {
    const response = await next()
    const isAsked = request.method === 'GET' || request.method === 'HEAD'
    if (!isAsked || response.status !== 200) return response
    const tag = response.headers?.get('etag') ?? makeTag(response.body, kind, maxBytes)
    if (tag === null) return response
    if (ifMatch && isPreconditionFailed(request, response, tag)) {
      return inPlaceOf(response, empty({ status: 412 }))
    }
    const known = request.headers.get('if-none-match')
    if (known !== null && includesTag(known, tag, matchesWeakly)) {
      return inPlaceOf(response, notModified(response.headers, tag))
    }
    if (response.headers?.get('etag') === tag) return response
    return withHeaders(response, changeFields(response.headers, { etag: tag }))
  }
}

/**
 * SHA-256, of which 160 bits are far more than two bodies could share by chance or intent: as fast
 * as SHA-1 on processors with instructions for it, and twice as fast as MD5 (8 KiB: 9 µs).
 */
function makeTag(body: unknown, kind: 'weak' | 'strong', maxBytes: number): string | null {
  if (typeof body !== 'string' && !(body instanceof Uint8Array)) return null
  if (body.length > maxBytes) return null
  if (typeof body === 'string' && Buffer.byteLength(body) > maxBytes) return null
  const digest = hash('sha256', body, 'base64url').slice(0, 27)
  return kind === 'weak' ? `W/"${digest}"` : `"${digest}"`
}

/** RFC 9110 §13.2.2, steps 1 and 2. If-Match is compared strongly (§13.1.1). */
function isPreconditionFailed(request: HttpRequest, response: HttpResponse, tag: string): boolean {
  const condition = request.headers.get('if-match')
  if (condition !== null) return !includesTag(condition, tag, matchesStrongly)
  const sinceMs = parseHttpDate(request.headers.get('if-unmodified-since') ?? '')
  const modifiedMs = parseHttpDate(response.headers?.get('last-modified') ?? '')
  // A date that is none is passed over (§13.1.4).
  return sinceMs !== null && modifiedMs !== null && modifiedMs > sinceMs
}

/** What describes content that is not sent: a 304 would only repeat it (RFC 9110 §15.4.5). */
const CONTENT_FIELDS = {
  'content-type': null,
  'content-encoding': null,
  'content-language': null,
  'content-length': null,
  'content-disposition': null,
  'content-digest': null,
  'repr-digest': null,
  'accept-ranges': null,
  'last-modified': null,
} as const

/** Keeps cache-control, content-location, expires, vary, and whatever is about other things. */
function notModified(headers: HeaderBlock | null, tag: string): HttpResponse {
  return new HttpResponse(304, changeFields(headers, { ...CONTENT_FIELDS, etag: tag }), null)
}

function inPlaceOf(response: HttpResponse, answer: HttpResponse): HttpResponse {
  releaseBody(response)
  return answer
}
