/**
 * A strict parser for what the server sends: any deviation from RFC 9112 throws. Deliberately
 * written without the server's own code.
 */

export interface ParsedResponse {
  readonly status: number
  readonly reason: string
  /** Names in lower case; repeats in one array. */
  readonly headers: ReadonlyMap<string, readonly string[]>
  readonly body: string
  /** What follows a chunked body, as `headers`. */
  readonly trailers: ReadonlyMap<string, readonly string[]>
  /** False when the input ended before the body did. */
  readonly complete: boolean
  /** Ends with the connection: neither Content-Length nor chunked, and may have a body. */
  readonly closeDelimited: boolean
}

const STATUS_LINE = /^HTTP\/1\.1 ([1-5][0-9]{2}) ([\t\x20-\x7e\x80-\xff]*)$/
const FIELD_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+): ([\t\x20-\x7e\x80-\xff]*)$/
const DATE = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/

/**
 * Parses everything in `bytes`.
 *
 * @param methodOf the method of the request that the nth final response answers
 */
export function parseResponses(
  bytes: Uint8Array,
  methodOf: (index: number) => string = () => 'GET',
): ParsedResponse[] {
  const text = Buffer.from(bytes).toString('latin1')
  const responses: ParsedResponse[] = []
  let finals = 0
  for (let position = 0; position < text.length; ) {
    const { response, end } = parseOne(text, position, methodOf(finals))
    responses.push(response)
    if (response.status >= 200) finals++
    position = end
  }
  return responses
}

function parseOne(
  text: string,
  start: number,
  method: string,
): { response: ParsedResponse; end: number } {
  const headEnd = text.indexOf('\r\n\r\n', start)
  if (headEnd < 0) throw fault('a head without its end', text, start)
  const [statusLine = '', ...fieldLines] = text.slice(start, headEnd).split('\r\n')
  const match = STATUS_LINE.exec(statusLine)
  if (match === null) throw fault('a bad status line', text, start)
  const status = Number(match[1])
  const headers = parseFields(fieldLines, text, start)
  if (status >= 200) checkFinal(headers, text, start)
  else if (headers.has('content-length') || headers.has('transfer-encoding')) {
    throw fault('an interim response with framing (RFC 9110 §8.6)', text, start)
  }
  const {
    end,
    trailers = NO_FIELDS,
    ...rest
  } = parseBody(text, headEnd + 4, status, method, headers)
  const reason = match[2] ?? ''
  return { response: { status, reason, headers, trailers, ...rest }, end }
}

function parseFields(lines: string[], text: string, start: number): Map<string, string[]> {
  const headers = new Map<string, string[]>()
  for (const line of lines) {
    const match = FIELD_LINE.exec(line)
    if (match === null) throw fault(`a bad field line ${JSON.stringify(line)}`, text, start)
    const name = (match[1] as string).toLowerCase()
    headers.set(name, [...(headers.get(name) ?? []), match[2] as string])
  }
  return headers
}

function checkFinal(headers: Map<string, string[]>, text: string, start: number): void {
  const dates = headers.get('date') ?? []
  if (dates.length !== 1 || !DATE.test(dates[0] as string)) {
    throw fault('not exactly one Date (RFC 9110 §6.6.1)', text, start)
  }
  const lengths = headers.get('content-length') ?? []
  const codings = headers.get('transfer-encoding') ?? []
  if (lengths.length + codings.length > 1) throw fault('more than one framing', text, start)
  if (lengths.length === 1 && !/^\d+$/.test(lengths[0] as string)) {
    throw fault('a bad Content-Length', text, start)
  }
  if (codings.length === 1 && codings[0] !== 'chunked') throw fault('a bad coding', text, start)
}

const NO_FIELDS: ReadonlyMap<string, readonly string[]> = new Map()

interface Body {
  body: string
  trailers?: ReadonlyMap<string, readonly string[]>
  complete: boolean
  closeDelimited: boolean
  end: number
}

function parseBody(
  text: string,
  start: number,
  status: number,
  method: string,
  headers: Map<string, string[]>,
): Body {
  const length = headers.get('content-length')?.[0]
  const isChunked = headers.has('transfer-encoding')
  if (status < 200 || status === 204) {
    if (length !== undefined || isChunked) throw fault('framing without a body', text, start)
    return { body: '', complete: true, closeDelimited: false, end: start }
  }
  if (status === 304 || method === 'HEAD') {
    return { body: '', complete: true, closeDelimited: false, end: start }
  }
  if (isChunked) return parseChunked(text, start)
  if (length !== undefined) {
    const end = Math.min(text.length, start + Number(length))
    const complete = end - start === Number(length)
    return { body: text.slice(start, end), complete, closeDelimited: false, end }
  }
  return { body: text.slice(start), complete: true, closeDelimited: true, end: text.length }
}

function parseChunked(text: string, start: number): Body {
  let body = ''
  for (let position = start; ; ) {
    const lineEnd = text.indexOf('\r\n', position)
    const cut = { body, complete: false, closeDelimited: false, end: text.length }
    if (lineEnd < 0) return cut
    const line = text.slice(position, lineEnd)
    if (!/^[0-9a-f]+$/.test(line)) throw fault(`a bad chunk size ${JSON.stringify(line)}`, text, 0)
    const size = Number.parseInt(line, 16)
    if (size === 0) return parseTrailers(text, lineEnd, body) ?? cut
    const dataEnd = lineEnd + 2 + size
    if (text.length < dataEnd + 2) return cut
    if (text.slice(dataEnd, dataEnd + 2) !== '\r\n') throw fault('a chunk too long', text, 0)
    body += text.slice(lineEnd + 2, dataEnd)
    position = dataEnd + 2
  }
}

/** @param sizeEnd the end of the last chunk's size line */
function parseTrailers(text: string, sizeEnd: number, body: string): Body | null {
  const end = text.indexOf('\r\n\r\n', sizeEnd)
  if (end < 0) return null
  const lines = end === sizeEnd ? [] : text.slice(sizeEnd + 2, end).split('\r\n')
  const trailers = parseFields(lines, text, sizeEnd)
  return { body, trailers, complete: true, closeDelimited: false, end: end + 4 }
}

function fault(what: string, text: string, start: number): Error {
  return new Error(`the server sent ${what}: ${JSON.stringify(text.slice(start, start + 300))}`)
}
