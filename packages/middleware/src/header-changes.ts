import {
  changeErrorHeaders,
  HeaderBlock,
  type HttpRequest,
  HttpResponse,
  type Next,
} from '@rr/core'

/** New values by name in lower case; null takes the field away. */
export type FieldChanges = Readonly<Record<string, string | null>>

/** `headers` with some fields replaced or taken away. */
export function changeFields(headers: HeaderBlock | null, changes: FieldChanges): HeaderBlock {
  const pairs: (readonly [string, string])[] = []
  if (headers !== null) {
    for (const pair of headers.pairs) {
      if (!Object.hasOwn(changes, pair[0].toLowerCase())) pairs.push(pair)
    }
    if (headers.contentLength >= 0 && !Object.hasOwn(changes, 'content-length')) {
      pairs.push(['content-length', String(headers.contentLength)])
    }
    if (headers.close) pairs.push(['connection', 'close'])
  }
  for (const [name, value] of Object.entries(changes)) {
    if (value !== null) pairs.push([name, value])
  }
  return new HeaderBlock(pairs)
}

/** All values of a field as one list (RFC 9110 §5.3), or null where there is none. */
export function fieldValue(headers: HeaderBlock | null, name: string): string | null {
  if (headers === null) return null
  let found: string | null = null
  for (const [key, value] of headers.pairs) {
    if (key.length === name.length && key.toLowerCase() === name) {
      found = found === null ? value : `${found}, ${value}`
    }
  }
  return found
}

/**
 * The value of Vary with `names` in it (RFC 9110 §12.5.5), or null when it says all that already:
 * `*` covers everything.
 */
export function varyWith(headers: HeaderBlock | null, names: readonly string[]): string | null {
  const present = fieldValue(headers, 'vary')
  const members = (present ?? '')
    .split(',')
    .map((member) => member.trim())
    .filter((member) => member !== '')
  const known = new Set(members.map((member) => member.toLowerCase()))
  if (known.has('*')) return null
  const missing = names.filter((name) => !known.has(name.toLowerCase()))
  return missing.length === 0 ? null : [...members, ...missing].join(', ')
}

/**
 * Calls `next` and changes the headers of the answer, also of the one that is made further out
 * when what is inside fails: errors need CORS and security headers as much as any other answer.
 */
export async function changeAnswer(
  request: HttpRequest,
  next: Next,
  change: (headers: HeaderBlock | null) => HeaderBlock | null,
): Promise<HttpResponse> {
  let response: HttpResponse
  try {
    response = await next()
  } catch (error) {
    changeErrorHeaders(request, change)
    throw error
  }
  return withHeaders(response, change(response.headers))
}

/** The same response with these headers. */
export function withHeaders(response: HttpResponse, headers: HeaderBlock | null): HttpResponse {
  if (headers === response.headers) return response
  return new HttpResponse(response.status, headers, response.body, response.trailers)
}

const SLOTS = 64

/**
 * What was made of the header blocks that a server uses over and over. A block of one response
 * only takes a slot until the next one comes: nothing grows.
 */
export class HeaderCache {
  readonly #change: (headers: HeaderBlock | null) => HeaderBlock
  readonly #from: (HeaderBlock | null)[] = []
  readonly #to: HeaderBlock[] = []
  #ofNone: HeaderBlock | null = null

  /** @param change depends on nothing but the block */
  constructor(change: (headers: HeaderBlock | null) => HeaderBlock) {
    this.#change = change
  }

  get(headers: HeaderBlock | null): HeaderBlock {
    if (headers === null) return (this.#ofNone ??= this.#change(null))
    const slot = headers.serial % SLOTS
    const known = this.#to[slot]
    if (known !== undefined && this.#from[slot] === headers) return known
    const changed = this.#change(headers)
    this.#from[slot] = headers
    this.#to[slot] = changed
    return changed
  }
}
