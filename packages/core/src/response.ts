import { STATUS_CODES } from 'node:http'
import { RrError } from './errors.ts'
import {
  HeaderBlock,
  type HeadersInput,
  headerBlock,
  headerPairs,
  mergeHeaders,
} from './header-block.ts'
import { guardNodeStream } from './response-stream.ts'
import { type TrailerSource, trailerAnnouncement } from './response-trailers.ts'

/**
 * A body that is produced while it is sent: an async iterable, which Node's streams are too, or a
 * web stream. Strings are sent as UTF-8.
 */
export type StreamBody = AsyncIterable<Uint8Array | string> | ReadableStream<Uint8Array | string>

/** What a response may carry. A string is sent as UTF-8. */
export type ResponseBody = string | Uint8Array | StreamBody | null

/** A response as a plain value: what handlers return, and what the helpers below make. */
export interface ResponseValue {
  /** 200 to 599. */
  readonly status: number
  /** Default none. */
  readonly headers?: HeadersInput | null | undefined
  /** Default none. */
  readonly body?: ResponseBody | undefined
}

/** What the helpers take beside the body. */
export interface ResponseInit {
  /** 200 to 599; default 200. */
  readonly status?: number
  /** In place of fields of the same name that the helper sets. */
  readonly headers?: HeadersInput
  /** Values of Set-Cookie fields, as `cookie()` makes them. */
  readonly cookies?: readonly string[]
}

/** What `stream` takes beside the body. */
export interface StreamInit extends ResponseInit {
  /**
   * Called once when the body is complete, gives the fields that follow it (RFC 9110 §6.5): a
   * checksum, how long it took. Only where the client says `TE: trailers` (RFC 9110 §6.5.1) and
   * the body is sent in chunks; anyone else gets the body alone, and this is not called. What it
   * throws, and fields that may not follow a body, cut the connection.
   */
  readonly trailers?: TrailerSource
  /** Names of those fields, announced in `Trailer` (RFC 9110 §6.6.2); default none. */
  readonly trailerNames?: readonly string[]
}

/** A response made by a helper: its headers are checked already. */
export class HttpResponse implements ResponseValue {
  readonly status: number
  readonly headers: HeaderBlock | null
  readonly body: ResponseBody
  /** What follows a body that is a stream, or null; see `StreamInit.trailers`. */
  readonly trailers: TrailerSource | null

  /** @throws RrError RR_RESPONSE_INVALID for a status outside 200 to 599 */
  constructor(
    status: number,
    headers: HeaderBlock | null,
    body: ResponseBody,
    trailers: TrailerSource | null = null,
  ) {
    checkStatus(status)
    // Middleware may hold it for as long as it likes before anybody reads.
    if (typeof body === 'object' && body !== null && !(body instanceof Uint8Array)) {
      guardNodeStream(body)
    }
    this.status = status
    this.headers = headers
    this.body = body
    this.trailers = trailers
  }

  /**
   * The same response with some of it changed: what a middleware makes of an answer. Fields of
   * `headers` replace those of the same name; a body that is replaced loses its `content-length`,
   * and keeps its trailers where it is a stream.
   *
   * @throws RrError RR_RESPONSE_INVALID, RR_HEADER_INVALID
   */
  with(changes: ResponseChanges): HttpResponse {
    const { status = this.status, headers, body = this.body } = changes
    let block = this.headers
    if (block !== null && body !== this.body && block.contentLength >= 0) {
      block = new HeaderBlock([...headerPairs(block)].filter(isNotLength))
    }
    if (headers !== undefined) {
      block = mergeHeaders(block, headers)
    }
    return new HttpResponse(status, addCookies(block, changes.cookies), body, this.trailers)
  }
}

/** What `HttpResponse.with` changes; what is left out stays. */
export interface ResponseChanges {
  readonly status?: number
  readonly headers?: HeadersInput
  /** Values of Set-Cookie fields, added to those that there are. */
  readonly cookies?: readonly string[]
  readonly body?: ResponseBody
}

/** A field line each: Set-Cookie cannot be joined (RFC 9110 §5.3). */
function addCookies(
  block: HeaderBlock | null,
  cookies: readonly string[] | undefined,
): HeaderBlock | null {
  if (cookies === undefined || cookies.length === 0) return block
  const added = cookies.map((value) => ['set-cookie', value] as const)
  return new HeaderBlock([...(block === null ? [] : headerPairs(block)), ...added])
}

function isNotLength([name]: readonly [string, string]): boolean {
  return name.toLowerCase() !== 'content-length'
}

/** @throws RrError RR_RESPONSE_INVALID for a status that no final response has */
export function checkStatus(status: number): void {
  if (!(status >= 200 && status <= 599 && Number.isInteger(status))) {
    throw new RrError('RR_RESPONSE_INVALID', `a response status is 200 to 599, not ${status}`)
  }
}

const TEXT = new HeaderBlock([['content-type', 'text/plain; charset=utf-8']])
const HTML = new HeaderBlock([['content-type', 'text/html; charset=utf-8']])
const JSON_TYPE = new HeaderBlock([['content-type', 'application/json']])
const PROBLEM = new HeaderBlock([['content-type', 'application/problem+json']])
const BYTES = new HeaderBlock([['content-type', 'application/octet-stream']])

/**
 * A plain-text response.
 *
 * @throws RrError RR_HEADER_INVALID, RR_RESPONSE_INVALID for what `init` may not hold
 * @example
 * app.get('/health', () => text('ok'))
 */
export function text(body: string, init?: ResponseInit): HttpResponse {
  return makeResponse(TEXT, body, init)
}

/** An HTML response, sent as it is: what comes from users is to be escaped. Throws as `text`. */
export function html(body: string, init?: ResponseInit): HttpResponse {
  return makeResponse(HTML, body, init)
}

/**
 * A JSON response, by JSON.stringify.
 *
 * @throws RrError RR_RESPONSE_INVALID for a value that JSON cannot express (undefined, a function);
 *   TypeError for a circular one or a BigInt; otherwise as `text`
 * @example
 * app.post('/users', async (request) => json(await add(request), { status: 201 }))
 */
export function json(value: unknown, init?: ResponseInit): HttpResponse {
  const body: string | undefined = JSON.stringify(value)
  if (body === undefined) {
    throw new RrError('RR_RESPONSE_INVALID', `json() cannot express ${typeof value}`)
  }
  return makeResponse(JSON_TYPE, body, init)
}

/**
 * `json` for values of one kind, by a serialiser made for them: a library that compiles a schema
 * writes such values several times as fast as JSON.stringify, and leaves out what it does not name.
 *
 * @param stringify gives the value as JSON text; what it throws, the helper throws
 * @returns a helper like `json`. Throws RR_RESPONSE_INVALID when `stringify` gives no string
 * @example
 * import fastJson from 'fast-json-stringify'
 *
 * const user = jsonSerializer<User>(fastJson(userSchema))
 * app.get('/users/:id', async (request) => user(await findUser(request.params.id)))
 */
export function jsonSerializer<Value>(
  stringify: (value: Value) => string,
): (value: Value, init?: ResponseInit) => HttpResponse {
  return (value, init) => {
    const body: unknown = stringify(value)
    if (typeof body === 'string') return makeResponse(JSON_TYPE, body, init)
    throw new RrError('RR_RESPONSE_INVALID', `the serialiser gave ${typeof body}, not JSON text`)
  }
}

/** A response of bytes, `application/octet-stream` unless `init` says otherwise. */
export function bytes(body: Uint8Array | ArrayBuffer, init?: ResponseInit): HttpResponse {
  return makeResponse(BYTES, body instanceof ArrayBuffer ? new Uint8Array(body) : body, init)
}

/**
 * A response whose body is produced while it is sent, with back-pressure, `application/octet-stream`
 * unless `init` says otherwise. When the client leaves, the iterator's `return` (or the stream's
 * `cancel`) is called, and a Node stream is destroyed; when it throws, the connection is cut so
 * that the client can tell. Chunks must not be changed after they were yielded.
 *
 * @param body an async iterable, a web ReadableStream or a Node Readable, of bytes or strings;
 *   `ndjson` sends values
 * @throws RrError RR_HEADER_INVALID, RR_RESPONSE_INVALID for what `init` may not hold
 * @example
 * app.get('/report', () => stream(createReadStream('report.csv')))
 */
export function stream(body: StreamBody, init?: StreamInit): HttpResponse {
  return makeStreamResponse(BYTES, body, init)
}

/** A response whose body is produced while it is sent; `base` gives way to the headers of `init`. */
export function makeStreamResponse(
  base: HeaderBlock,
  body: StreamBody,
  init: StreamInit | undefined,
): HttpResponse {
  checkStreamBody(body)
  const response = makeResponse(base, body, init)
  if (init?.trailers === undefined) return response
  const { status, headers } = announceTrailers(response, init.trailerNames)
  return new HttpResponse(status, headers, body, init.trailers)
}

function checkStreamBody(body: unknown): void {
  if (typeof body === 'object' && body !== null && Symbol.asyncIterator in body) return
  throw new RrError(
    'RR_RESPONSE_INVALID',
    `a response stream is an async iterable or a stream, not ${body === null ? 'null' : typeof body}`,
  )
}

function announceTrailers(response: HttpResponse, names: readonly string[] = []): HttpResponse {
  if (names.length === 0) return response
  return response.with({ headers: { trailer: trailerAnnouncement(names) } })
}

/** A response without a body; default status 204 (RFC 9110 §15.3.5). Throws as `text`. */
export function empty(init?: ResponseInit): HttpResponse {
  const headers = init?.headers === undefined ? null : headerBlock(init.headers)
  return new HttpResponse(init?.status ?? 204, addCookies(headers, init?.cookies), null)
}

/**
 * A redirect: 301, 302, 303, 307 or 308 (RFC 9110 §15.4).
 *
 * @param location a URI reference; characters that a header cannot carry are an error
 * @param status default 302. 303 makes the client GET the location, 307 and 308 make it repeat
 *   its method and body; 301 and 308 are for good
 * @throws RrError RR_HEADER_INVALID, RR_RESPONSE_INVALID for another status
 * @example
 * app.post('/sign-out', () => redirect('/', 303, { headers: { 'cache-control': 'no-store' } }))
 */
export function redirect(
  location: string,
  status: RedirectStatus = 302,
  init?: Omit<ResponseInit, 'status'>,
): HttpResponse {
  if (!REDIRECTS.has(status)) {
    throw new RrError('RR_RESPONSE_INVALID', `a redirect is 301, 302, 303, 307 or 308: ${status}`)
  }
  return makeResponse(new HeaderBlock([['location', location]]), '', { ...init, status })
}

/** The statuses that send a client elsewhere (RFC 9110 §15.4). */
export type RedirectStatus = 301 | 302 | 303 | 307 | 308

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

/** The members of a problem (RFC 9457 §3.1), and whatever else describes it. */
export interface ProblemDetails {
  /** A URI reference that names the kind of problem; default `about:blank`. */
  readonly type?: string
  /** Default: the status's reason phrase. */
  readonly title?: string
  /** What went wrong this time, in words for the client. */
  readonly detail?: string
  /** A URI reference that names this occurrence. */
  readonly instance?: string
  readonly [extension: string]: unknown
}

/**
 * An error as `application/problem+json` (RFC 9457).
 *
 * @param status 400 to 599
 * @throws RrError RR_RESPONSE_INVALID for another status, and as `json`
 * @example
 * app.get('/users/:id', () => problem(404, { detail: 'no such user' }))
 */
export function problem(
  status: number,
  details: ProblemDetails = {},
  init?: Omit<ResponseInit, 'status'>,
): HttpResponse {
  if (!(status >= 400)) {
    throw new RrError('RR_RESPONSE_INVALID', `a problem's status is 400 to 599, not ${status}`)
  }
  const title = details.title ?? STATUS_CODES[status]
  const body = JSON.stringify({ title, ...details, status })
  return makeResponse(PROBLEM, body, { ...init, status })
}

function makeResponse(
  type: HeaderBlock,
  body: ResponseBody,
  init: ResponseInit | undefined,
): HttpResponse {
  if (init === undefined) return new HttpResponse(200, type, body)
  const headers = init.headers === undefined ? type : mergeHeaders(type, init.headers)
  return new HttpResponse(init.status ?? 200, addCookies(headers, init.cookies), body)
}
