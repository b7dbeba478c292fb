import { RrError } from './errors.ts'
import { isFieldValue, isToken } from './field-syntax.ts'

/** The ways in which response headers can be given. An array value repeats the field. */
export type HeadersInput =
  | HeaderBlock
  | Headers
  | Iterable<readonly [string, string]>
  | { readonly [name: string]: string | readonly string[] | undefined }

/**
 * Fields that describe the connection, not the message: the protocol sets them itself and drops
 * the application's (RFC 9110 §7.6.1). `connection: close` alone is honoured.
 */
const CONNECTION_FIELDS = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
])

let nextSerial = 0
const frozenBlocks = new WeakMap<object, HeaderBlock>()

/**
 * Response headers, checked and serialised once. Make one at start for headers that do not change
 * (`headerBlock({...})`) and give it to as many responses as you like.
 */
export class HeaderBlock {
  /** Counts up with each block made in this thread: a key for what is derived from a block. */
  readonly serial: number = nextSerial++
  /** Names as given, values as sent; without `content-length` and the connection's own fields. */
  readonly pairs: readonly (readonly [string, string])[]
  /** The same as HTTP/1.1 field lines, each with its CRLF. */
  readonly lines: string
  /** The value of `content-length`, or -1. */
  readonly contentLength: number
  /** True when the application asked for the connection to close. */
  readonly close: boolean
  /** True when the application set `date`; else the connection adds one (RFC 9110 §6.6.1). */
  readonly hasDate: boolean

  /** @throws RrError RR_HEADER_INVALID for a name or value that cannot be sent */
  constructor(input: Iterable<readonly [string, string]>) {
    const pairs: [string, string][] = []
    let lines = ''
    let contentLength = -1
    let close = false
    let hasDate = false
    for (const [name, value] of input) {
      checkField(name, value)
      const lower = name.toLowerCase()
      if (lower === 'content-length') {
        contentLength = parseContentLength(value, contentLength)
      } else if (CONNECTION_FIELDS.has(lower)) {
        if (lower === 'connection' && /(?:^|,)\s*close\s*(?:,|$)/i.test(value)) close = true
      } else {
        if (lower === 'date') hasDate = true
        pairs.push([name, value])
        lines += `${name}: ${value}\r\n`
        // Upgrade is for the next hop only, and has to say so (RFC 9110 §7.8).
        if (lower === 'upgrade') lines += 'connection: upgrade\r\n'
      }
    }
    this.pairs = pairs
    this.lines = lines
    this.contentLength = contentLength
    this.close = close
    this.hasDate = hasDate
  }

  /** The value of the first field of that name, or null. */
  get(name: string): string | null {
    const lower = name.toLowerCase()
    for (const [key, value] of this.pairs) if (key.toLowerCase() === lower) return value
    return null
  }
}

/**
 * Checks and serialises headers once, for responses to share.
 *
 * @throws RrError RR_HEADER_INVALID for a name or value that cannot be sent
 * @example
 * const headers = headerBlock({ 'content-type': 'image/svg+xml', 'cache-control': 'max-age=60' })
 * app.get('/logo', () => bytes(logo, { headers }))
 */
export function headerBlock(input: HeadersInput): HeaderBlock {
  if (input instanceof HeaderBlock) return input
  if (!Object.isFrozen(input)) return new HeaderBlock(headerPairs(input))
  // What is frozen is the same next time: constants such as a router's 404 are checked once.
  const known = frozenBlocks.get(input)
  if (known !== undefined) return known
  const block = new HeaderBlock(headerPairs(input))
  if (isConstant(input)) frozenBlocks.set(input, block)
  return block
}

/** True for a frozen record of strings: freezing makes no array, getter or Headers constant. */
function isConstant(input: object): boolean {
  const fields = Object.values(Object.getOwnPropertyDescriptors(input))
  return !isIterable(input) && fields.every(({ value }) => typeof value === 'string')
}

/**
 * `base` with the fields of `input` in place of its own of the same name.
 *
 * @throws RrError RR_HEADER_INVALID for a name or value that cannot be sent
 * @example
 * changeErrorHeaders(request, (headers) => mergeHeaders(headers, { 'x-region': 'eu' }))
 */
export function mergeHeaders(base: HeaderBlock | null, input: HeadersInput): HeaderBlock {
  if (base === null) return headerBlock(input)
  const added = [...headerPairs(input)]
  const replaced = new Set(added.map(([name]) => name.toLowerCase()))
  const kept = [...headerPairs(base)].filter(([name]) => !replaced.has(name.toLowerCase()))
  return new HeaderBlock([...kept, ...added])
}

/** The fields of any accepted form, one pair a field line. */
export function* headerPairs(input: HeadersInput): Generator<readonly [string, string]> {
  if (input instanceof HeaderBlock) {
    yield* input.pairs
    if (input.contentLength >= 0) yield ['content-length', String(input.contentLength)]
    if (input.close) yield ['connection', 'close']
    return
  }
  if (isIterable(input)) {
    for (const pair of input) yield checkPair(pair)
    return
  }
  for (const [name, value] of Object.entries(input)) {
    if (value === undefined) continue
    if (Array.isArray(value)) for (const one of value) yield [name, one]
    // Whatever else it is, the check that follows says so.
    else yield [name, value as string]
  }
}

function isIterable(input: object): input is Iterable<readonly [string, string]> {
  return Symbol.iterator in input
}

/** A string is iterable too, and would pass for a pair of characters. */
function checkPair(pair: readonly [string, string]): readonly [string, string] {
  if (Array.isArray(pair) && pair.length === 2) return pair
  throw new RrError('RR_HEADER_INVALID', 'response headers in a list are pairs: [name, value]')
}

function checkField(name: unknown, value: unknown): void {
  if (typeof name !== 'string' || !isToken(name)) {
    throw new RrError(
      'RR_HEADER_INVALID',
      `response header name ${JSON.stringify(name)} is not a token (RFC 9110 §5.1)`,
    )
  }
  if (typeof value !== 'string' || !isFieldValue(value)) {
    throw new RrError(
      'RR_HEADER_INVALID',
      `response header '${name}' has a value that cannot be sent: strings without CR, LF, NUL, ` +
        'other controls or characters above U+00FF only (RFC 9110 §5.5)',
    )
  }
}

function parseContentLength(value: string, earlier: number): number {
  const length = /^\d{1,15}$/.test(value) ? Number(value) : -1
  if (length < 0 || (earlier >= 0 && earlier !== length)) {
    throw new RrError('RR_HEADER_INVALID', `response content-length '${value}' is not one length`)
  }
  return length
}
