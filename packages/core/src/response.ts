import { STATUS_CODES } from 'node:http'
import { RrError } from './errors.ts'
import {
  HeaderBlock,
  type HeadersInput,
  headerBlock,
  headerPairs,
  mergeHeaders,
} from './header-block.ts'

/** A body that is produced while it is sent. Strings are sent as UTF-8. */
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
}

/** A response made by a helper: its headers are checked already. */
export class HttpResponse implements ResponseValue {
  readonly status: number
  readonly headers: HeaderBlock | null
  readonly body: ResponseBody

  /** @throws RrError RR_RESPONSE_INVALID for a status outside 200 to 599 */
  constructor(status: number, headers: HeaderBlock | null, body: ResponseBody) {
    checkStatus(status)
    this.status = status
    this.headers = headers
    this.body = body
  }

  /**
   * The same response with some of it changed: what a middleware makes of an answer. Fields of
   * `headers` replace those of the same name; a body that is replaced loses its `content-length`.
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
      block = block === null ? headerBlock(headers) : mergeHeaders(block, headers)
    }
    return new HttpResponse(status, block, body)
  }
}

/** What `HttpResponse.with` changes; what is left out stays. */
export interface ResponseChanges {
  readonly status?: number
  readonly headers?: HeadersInput
  readonly body?: ResponseBody
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

/** A response of bytes, `application/octet-stream` unless `init` says otherwise. */
export function bytes(body: Uint8Array, init?: ResponseInit): HttpResponse {
  return makeResponse(BYTES, body, init)
}

/**
 * A response whose body is produced while it is sent, with back-pressure, `application/octet-stream`
 * unless `init` says otherwise. When the client leaves, the iterator's `return` (or the stream's
 * `cancel`) is called; when it throws, the connection is cut so that the client can tell. Chunks
 * must not be changed after they were yielded.
 */
export function stream(body: StreamBody, init?: ResponseInit): HttpResponse {
  return makeResponse(BYTES, body, init)
}

/** A response without a body; default status 204 (RFC 9110 §15.3.5). Throws as `text`. */
export function empty(init?: ResponseInit): HttpResponse {
  const headers = init?.headers === undefined ? null : headerBlock(init.headers)
  return new HttpResponse(init?.status ?? 204, headers, null)
}

/**
 * A redirect: 301, 302, 303, 307 or 308 (RFC 9110 §15.4).
 *
 * @param location a URI reference; characters that a header cannot carry are an error
 * @param status default 302
 */
export function redirect(
  location: string,
  status: 301 | 302 | 303 | 307 | 308 = 302,
): HttpResponse {
  return new HttpResponse(status, new HeaderBlock([['location', location]]), '')
}

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
  return new HttpResponse(init.status ?? 200, headers, body)
}
