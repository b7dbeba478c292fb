import { type EndpointAddress, type HttpRequest, type Middleware, resolveOptions } from '@rr/core'
import { changeAnswer, changeFields } from './header-changes.ts'
import { checkKeys, invalidOption } from './option-checks.ts'

const WHERE = 'requestId()'

const OPTIONS = {
  header: {
    type: 'string',
    default: 'x-request-id',
    doc: 'The field that carries the identifier, both ways.',
  },
  maxLength: {
    type: 'integer',
    default: 128,
    minimum: 1,
    maximum: 256,
    doc: 'Longest identifier that is taken over; a longer one is replaced.',
  },
} as const

/** What identifiers of proxies and tracers are made of; nothing that a log or shell reads. */
const IDENTIFIER = /^[A-Za-z0-9._~+/=:@-]+$/

/** What `requestId` takes. */
export interface RequestIdOptions {
  /** Default `x-request-id`. */
  readonly header?: string
  /**
   * Whose identifiers are taken over: everyone's (true), nobody's (false, the default), or those
   * of the peers for which a function is true, such as the own proxy.
   */
  readonly trust?: boolean | ((peer: EndpointAddress) => boolean)
  /** Longest identifier that is taken over, 1 to 256 characters; default 128. */
  readonly maxLength?: number
}

/**
 * Gives every request an identifier that its client, its handler and the logs know: `request.id`
 * and a field of the answer, also of one that is an error. Taken from the request only where that
 * is trusted, and only when it is made of letters, digits and `._~+/=:@-`; else rr makes one.
 *
 * @throws RrError RR_OPTION_UNKNOWN, RR_OPTION_INVALID
 * @example
 * requestId({ trust: (peer) => peer.address === '127.0.0.1' })
 */
export function requestId(options: RequestIdOptions = {}): Middleware {
  checkKeys(options, ['header', 'trust', 'maxLength'], WHERE)
  const { trust = false, ...rest } = options
  if (typeof trust !== 'boolean' && typeof trust !== 'function') {
    throw invalidOption(WHERE, 'trust', 'true, false or a function', trust)
  }
  const { header, maxLength } = resolveOptions(OPTIONS, rest, WHERE)
  const name = header.toLowerCase()
  if (!/^[a-z0-9_-]+$/.test(name)) throw invalidOption(WHERE, 'header', 'a header name', header)
  const isTrusted = (request: HttpRequest): boolean =>
    typeof trust === 'function' ? trust(request.peer) === true : trust
  return (request, next) => {
    const given = request.headers.get(name)
    if (given !== null && isAcceptable(given, maxLength) && isTrusted(request)) request.id = given
    return changeAnswer(request, next, (headers) => changeFields(headers, { [name]: request.id }))
  }
}

function isAcceptable(id: string, maxLength: number): boolean {
  return id.length <= maxLength && IDENTIFIER.test(id)
}
