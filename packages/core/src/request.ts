import { type BodySource, quiet, sourceStream } from './body-source.ts'
import { RrError } from './errors.ts'
import { addAbortListener, addEndListener, type BodySink, type Exchange } from './exchange.ts'
import type { FormFields } from './form-fields.ts'
import { type FormOptionsInput, resolveFormOptions } from './form-options.ts'
import { checkFormType, parseForm } from './form-urlencoded.ts'
import type { HeadersInput } from './header-block.ts'
import { HTTP_OPTIONS } from './http-options.ts'
import { interimBlock } from './interim-answer.ts'
import { checkJsonType, type JsonBodyOptions, parseJson } from './json-body.ts'
import { type MultipartPart, readBoundary, readParts } from './multipart.ts'
import { collectForm, type MultipartForm } from './multipart-form.ts'
import { type MultipartOptionsInput, resolveMultipartOptions } from './multipart-options.ts'
import { findQueryParam, parseQuery } from './query.ts'
import { RequestBody } from './request-body.ts'
import type { RequestCookies } from './request-cookies.ts'
import { RequestHeaders } from './request-headers.ts'
import { nextRequestId } from './request-id.ts'
import { type LogSource, OpenLog, type RequestLog } from './request-log.ts'
import type { EndpointAddress, TlsFacts } from './transport.ts'

const NO_PARAMS: Readonly<Record<string, string>> = Object.freeze(Object.create(null))

/** Of a request without a body. */
const EMPTY_SOURCE: BodySource = { read: () => Promise.resolve(null), cancel: () => {} }

/**
 * A request as a handler sees it. Whatever costs something is done when it is first asked for.
 *
 * `Params` is the type of the path parameters, which a router derives from the pattern; `State` is
 * that of the value given with the route, `Valid` that of what its schemas made of the request.
 */
export class HttpRequest<
  Params = Readonly<Record<string, string>>,
  State = unknown,
  Valid = unknown,
> {
  /** The method as sent, which is in upper case for all standard ones (RFC 9110 §9.1). */
  readonly method: string
  /** The request target as it was sent (RFC 9112 §3.2). */
  readonly target: string
  /** The target's path, still percent-encoded; `*` for the asterisk form. */
  readonly path: string
  /** What follows the first `?` of the target; empty without one. */
  readonly queryString: string
  /** Of the request; the answer's is 1.1 or 2 (RFC 9110 §2.5). */
  readonly httpVersion: '1.0' | '1.1' | '2'
  /** Path parameters, percent-decoded. Set by the router. */
  params: Params = NO_PARAMS as Params
  /** The value given with the route. Set by the router. */
  state: State = undefined as State
  /** The pattern of the route that matched, or null. Set by the router. */
  route: string | null = null

  /**
   * What the route's schemas made of `params`, `query`, `headers` and `body`. Set by the router
   * where the route has schemas, so that other requests do not pay for the field.
   */
  declare valid: Valid

  readonly #exchange: Exchange
  readonly #head: string
  readonly #fieldsStart: number
  readonly #authority: string | null
  readonly #body: RequestBody | null
  readonly #sequence: number
  #headers: RequestHeaders | null = null
  #query: URLSearchParams | null = null
  #id: string | null = null
  #log: LogSource | OpenLog
  #abort: AbortController | null = null

  /** Made by rr, not by applications. Reads the exchange's facts while they are valid. */
  constructor(exchange: Exchange, decompressBodies: boolean, log: LogSource) {
    this.#log = log
    this.#exchange = exchange
    this.#sequence = exchange.sequence
    const facts = exchange.request
    this.method = facts.method
    this.target = facts.target
    this.path = facts.path
    this.queryString = facts.queryString
    this.httpVersion = facts.httpVersion
    this.#head = facts.head
    this.#fieldsStart = facts.fieldsStart
    this.#authority = facts.authority
    if (exchange.hasBody) {
      const body = new RequestBody(exchange, decompressBodies)
      this.#body = body
      exchange.bodySink = body satisfies BodySink
    } else {
      this.#body = null
    }
  }

  /** The header fields; names are case-insensitive. */
  get headers(): RequestHeaders {
    this.#headers ??= new RequestHeaders(this.#head, this.#fieldsStart)
    return this.#headers
  }

  /** The authority that the request is for: of an absolute-form target, else of Host; or empty. */
  get host(): string {
    return this.#authority ?? this.headers.get('host') ?? ''
  }

  /**
   * The query's parameters (WHATWG URL, application/x-www-form-urlencoded), repeats kept. For one or
   * two of them `queryParam` costs less.
   *
   * @throws RrError RR_QUERY_MALFORMED (400) when the percent-encoding is broken or not UTF-8
   */
  get query(): URLSearchParams {
    this.#query ??= parseQuery(this.queryString)
    return this.#query
  }

  /**
   * The value of the first query parameter of that name, or null: what `query.get(name)` gives,
   * without parsing the rest.
   *
   * @throws RrError RR_QUERY_MALFORMED (400) when the encoding of what it has to read is broken
   * @example
   * const page = Number(request.queryParam('page') ?? '1')
   */
  queryParam(name: string): string | null {
    return findQueryParam(this.queryString, name)
  }

  /** The cookies that the client has sent (RFC 6265 §5.4). */
  get cookies(): RequestCookies {
    return this.headers.cookies
  }

  /** The client's end of the connection. */
  get peer(): EndpointAddress {
    return this.#exchange.peer
  }

  /** The server's end of the connection. */
  get local(): EndpointAddress {
    return this.#exchange.local
  }

  /** What TLS negotiated, or null on a plain connection. */
  get tls(): TlsFacts | null {
    return this.#exchange.tls
  }

  /**
   * Milliseconds that the client may take none of the bytes of the answer that wait for it; then
   * the connection is cut. The server's option of that name, until something else is set.
   *
   * @throws RangeError when it is set to anything but a whole number from 1 to 3600000
   */
  get sendTimeoutMs(): number {
    return this.#exchange.sendTimeoutMs
  }

  set sendTimeoutMs(ms: number) {
    const { minimum, maximum } = HTTP_OPTIONS.sendTimeoutMs
    if (!Number.isInteger(ms) || ms < minimum || ms > maximum) {
      throw new RangeError(`sendTimeoutMs is a whole number from ${minimum} to ${maximum}`)
    }
    if (this.#exchange.sequence === this.#sequence) this.#exchange.sendTimeoutMs = ms
  }

  /** An identifier of this request, unique in the process; made when first asked for. */
  get id(): string {
    this.#id ??= nextRequestId()
    return this.#id
  }

  /**
   * For middleware that knows the identifier which the request has elsewhere. It ends up in logs
   * and headers.
   *
   * @throws RangeError unless it is 1 to 256 visible ASCII characters
   */
  set id(id: string) {
    if (typeof id !== 'string' || !/^[!-~]{1,256}$/.test(id)) {
      throw new RangeError('a request identifier is 1 to 256 visible ASCII characters')
    }
    this.#id = id
  }

  /**
   * A logger whose lines carry `requestId` and, once the router has matched, `route`: a child of the
   * server's log, made when first asked for. It follows `id`: a logger taken before that was set goes
   * on with the identifier that it was made with, so ask for it where it is used.
   *
   * @example
   * request.log.info({ orderId }, 'paid')
   */
  get log(): RequestLog {
    if (!(this.#log instanceof OpenLog)) this.#log = this.#log.open(this)
    return this.#log.current(this)
  }

  /**
   * Aborts when the client goes before its answer was sent whole: also when it only closes its
   * side of the connection, after which an answer may still reach it; and when a middleware, such as
   * a time limit, has answered already. Costs nothing when not used.
   */
  get signal(): AbortSignal {
    if (this.#abort === null) {
      const controller = new AbortController()
      this.#abort = controller
      const exchange = this.#exchange
      // A connection serves many requests in turn: never listen in on a later one's.
      if (exchange.sequence === this.#sequence) {
        const abort = (error: Error): void => controller.abort(error)
        addAbortListener(exchange, abort)
        exchange.leaveListener = abort
        if (exchange.hasClientLeft) {
          abort(new RrError('RR_REQUEST_ABORTED', 'the client has closed its side'))
        }
      } else if (exchange.sequence === this.#sequence + 1 && exchange.failure !== null) {
        controller.abort(exchange.failure)
      }
    }
    return this.#abort.signal
  }

  /**
   * Tells the client what the answer will most likely need, while it is still being worked on: 103
   * (Early Hints, RFC 8297). May be called any number of times before the answer.
   *
   * @returns false when it was not sent; see `informational`
   * @throws RrError RR_HEADER_INVALID
   * @example
   * request.earlyHints({ link: '</style.css>; rel=preload; as=style' })
   */
  earlyHints(headers: HeadersInput): boolean {
    return this.informational(103, headers)
  }

  /**
   * Sends an interim answer (RFC 9110 §15.2) before the final one.
   *
   * @param status 102 to 199: 100 is sent when the body is asked for, 101 is an answer of its own
   * @returns false when it was not sent: the answer has begun, the client has gone or takes no
   *   bytes at the moment, or speaks HTTP/1.0, which has no interim answers
   * @throws RrError RR_RESPONSE_INVALID for another status, RR_HEADER_INVALID
   */
  informational(status: number, headers: HeadersInput = {}): boolean {
    const block = interimBlock(status, headers)
    const exchange = this.#exchange
    // A connection serves many requests in turn: never speak into a later one's answer.
    return exchange.sequence === this.#sequence && exchange.sendInterim(status, block)
  }

  /**
   * For middleware that answers in the handler's stead: aborts `signal`, also one that is asked for
   * later. Has no effect on the connection, nor when the signal has aborted already.
   */
  abort(reason: Error): void {
    void this.signal
    this.#abort?.abort(reason)
  }

  /** True when the message has a body, of whatever length. */
  get hasBody(): boolean {
    return this.#body !== null
  }

  /** True once the body has been asked for. */
  get bodyUsed(): boolean {
    return this.#body?.used ?? false
  }

  /**
   * The whole body. The bytes belong to the caller.
   *
   * With the server's option `decompressBodies`, this and all the other ways to read the body give
   * it without its Content-Encoding; the header still says what was sent.
   *
   * @throws RrError RR_BODY_TOO_LARGE (413) past the route's or the server's `maxBodyBytes`,
   *   RR_REQUEST_ABORTED when the client left, RR_REQUEST_TIMEOUT when it was too slow, RR_BODY_USED
   *   the second time; when decompressing, RR_MEDIA_TYPE_UNSUPPORTED (415) for a coding that is not
   *   known and RR_BODY_MALFORMED (400) for a body that is not in it
   */
  bytes(): Promise<Uint8Array> {
    return quiet(this.#bytes())
  }

  /** The whole body as UTF-8, invalid sequences replaced, a byte-order mark removed. Throws as `bytes`. */
  text(): Promise<string> {
    return quiet(this.#text())
  }

  /**
   * The whole body as JSON. The caller names the type and answers for it.
   *
   * @param options `anyType: true` reads it whatever its Content-Type says
   * @throws RrError RR_MEDIA_TYPE_UNSUPPORTED (415) when Content-Type is there and not of JSON:
   *   `application/json`, `text/json` or `...+json`; RR_BODY_MALFORMED (400) when the body is not
   *   JSON in UTF-8; otherwise as `bytes`
   */
  json<Value = unknown>(options?: JsonBodyOptions): Promise<Value> {
    return quiet(this.#json<Value>(options?.anyType === true))
  }

  /**
   * The fields of a form: application/x-www-form-urlencoded in UTF-8 (WHATWG URL §5.1). None
   * without a body.
   *
   * @param options `maxFields` (default 1000)
   * @throws RrError RR_MEDIA_TYPE_UNSUPPORTED (415) for a body of another type; RR_BODY_MALFORMED
   *   (400) for broken percent-encoding or UTF-8; RR_BODY_TOO_LARGE (413) over `maxFields`;
   *   otherwise as `bytes`
   * @example
   * const form = await request.form()
   * const email = form.get('email')
   */
  form(options?: FormOptionsInput): Promise<FormFields> {
    return quiet(this.#form(options))
  }

  /**
   * The parts of a multipart/form-data body (RFC 7578) as they arrive, one after the other. A part
   * that is not read is skipped; a handler that waits makes the client wait.
   *
   * @param options limits, see `MULTIPART_OPTIONS`; beside them the body has its own
   * @throws RrError RR_MEDIA_TYPE_UNSUPPORTED (415), RR_BODY_MALFORMED (400, without a valid
   *   boundary), RR_BODY_USED, and what an unknown or invalid option throws. While reading:
   *   RR_BODY_MALFORMED (400), RR_BODY_TOO_LARGE (413) over a limit; otherwise as `bytes`
   * @example
   * for await (const part of request.multipart({ maxFileBytes: 10_000_000 })) {
   *   if (part.filename === null) console.log(part.name, await part.text())
   *   else await store.put(part.stream)
   * }
   */
  multipart(options?: MultipartOptionsInput): AsyncGenerator<MultipartPart, void, void> {
    const limits = resolveMultipartOptions(options)
    const boundary = readBoundary(this.headers.get('content-type'))
    const source = this.#body?.open(this.#contentCoding()) ?? EMPTY_SOURCE
    return readParts(source, boundary, limits)
  }

  /**
   * A multipart/form-data body, read whole: fields in memory, files in temporary files, which only
   * this process's user can read and which are removed when the request ends, however it does.
   *
   * @param options as for `multipart`
   * @throws RrError as `multipart`; the system's error when a file cannot be written
   * @example
   * const { fields, files } = await request.multipartForm()
   * await files[0]?.saveTo(`/srv/avatars/${userId}`)
   */
  multipartForm(options?: MultipartOptionsInput): Promise<MultipartForm> {
    return quiet(this.#multipartForm(options))
  }

  /**
   * The body as it arrives. A consumer that waits makes the client wait. Errors as `bytes`.
   *
   * @throws RrError RR_BODY_USED when the body was asked for before
   * @example
   * for await (const chunk of request.stream) hash.update(chunk)
   */
  get stream(): ReadableStream<Uint8Array> {
    return this.#body === null
      ? sourceStream(EMPTY_SOURCE)
      : this.#body.stream(this.#contentCoding())
  }

  /**
   * The trailer fields (RFC 9110 §6.5), once the body has been read to its end; empty before and
   * without any.
   */
  get trailers(): RequestHeaders {
    return new RequestHeaders(this.#body?.trailers ?? '', 0)
  }

  /** The codings to undo, or null. */
  #contentCoding(): string | null {
    return this.#body?.decompress === true ? this.headers.get('content-encoding') : null
  }

  #bytes(): Promise<Uint8Array> {
    return this.#body === null
      ? Promise.resolve(new Uint8Array(0))
      : this.#body.bytes(this.#contentCoding())
  }

  async #text(): Promise<string> {
    return new TextDecoder().decode(await this.#bytes())
  }

  async #json<Value>(isAnyType: boolean): Promise<Value> {
    if (!isAnyType) checkJsonType(this.headers.get('content-type'))
    return parseJson(await this.#bytes()) as Value
  }

  async #form(input: FormOptionsInput | undefined): Promise<FormFields> {
    const options = resolveFormOptions(input)
    checkFormType(this.headers.get('content-type'), this.hasBody)
    return parseForm(await this.#bytes(), options)
  }

  async #multipartForm(options: MultipartOptionsInput | undefined): Promise<MultipartForm> {
    const parts = this.multipart(options)
    const { moveFile, UploadFiles } = await import('./upload-files.ts')
    const uploads = new UploadFiles()
    this.#atEnd(() => uploads.removeAll())
    try {
      return await collectForm(parts, uploads, moveFile)
    } catch (error) {
      uploads.removeAll()
      throw error
    }
  }

  /** Calls `listener` when the request ends, or now if it has. */
  #atEnd(listener: () => void): void {
    if (this.#exchange.sequence === this.#sequence) addEndListener(this.#exchange, listener)
    else listener()
  }
}
