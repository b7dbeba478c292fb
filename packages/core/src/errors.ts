/** Every code that an rr error can carry, with the status that answers it when it ends a request. */
export const ERROR_STATUS = {
  RR_OPTION_UNKNOWN: 500,
  RR_OPTION_INVALID: 500,
  RR_APPLICATION_INVALID: 500,
  RR_APPLICATION_FAILED: 500,
  RR_ROUTE_INVALID: 500,
  RR_ROUTE_DUPLICATE: 500,
  RR_BIND_FAILED: 500,
  RR_WORKER_FAILED: 500,
  RR_SERVER_STATE: 500,
  RR_RELOAD_FAILED: 500,
  RR_SHARED_MEMORY: 500,
  RR_POOL_BUSY: 503,
  RR_HEADER_INVALID: 500,
  RR_RESPONSE_INVALID: 500,
  RR_RESPONSE_LENGTH: 500,
  RR_RESPONSE_MISMATCH: 500,
  RR_COOKIE_INVALID: 500,
  RR_NEXT_REPEATED: 500,
  RR_BODY_USED: 500,
  RR_BODY_TOO_LARGE: 413,
  RR_BODY_MALFORMED: 400,
  RR_MEDIA_TYPE_UNSUPPORTED: 415,
  RR_QUERY_MALFORMED: 400,
  RR_REQUEST_MALFORMED: 400,
  RR_REQUEST_TIMEOUT: 408,
  RR_REQUEST_ABORTED: 400,
  RR_REQUEST_LINE_TOO_LONG: 414,
  RR_EXPECTATION_FAILED: 417,
  RR_HEADERS_TOO_LARGE: 431,
  RR_METHOD_UNKNOWN: 501,
  RR_TRANSFER_CODING_UNKNOWN: 501,
  RR_VERSION_UNSUPPORTED: 505,
} as const

/** A stable error code, listed with its meaning in docs/errors.md. */
export type ErrorCode = keyof typeof ERROR_STATUS

/** Fields that the answer to such an error has wherever it was made, in another thread also. */
const ERROR_HEADERS: { readonly [code in ErrorCode]?: Readonly<Record<string, string>> } = {
  // As a connection refused over the limit is told.
  RR_POOL_BUSY: { 'retry-after': '1' },
}

/** What an RrError may have beside its message. */
export interface RrErrorOptions extends ErrorOptions {
  /** Header fields that the answer to the request has to carry. */
  readonly headers?: Readonly<Record<string, string>>
}

/**
 * The base of every error that rr makes. `code` is stable, `status` is the HTTP status that answers
 * it when it ends a request, `cause` is what led to it.
 *
 * @example
 * if (error instanceof RrError && error.code === 'RR_BODY_TOO_LARGE') {
 *   return problem(413, { detail: 'at most 1 MiB' })
 * }
 */
export class RrError extends Error {
  /** Such as `RR_BODY_TOO_LARGE`; docs/errors.md says what each means. */
  readonly code: ErrorCode
  /** 400 to 599; 500 for those that end no request. */
  readonly status: number
  /** Header fields of the answer, where there are any. */
  readonly headers: Readonly<Record<string, string>> | null

  constructor(code: ErrorCode, message: string, options?: RrErrorOptions) {
    super(message, options)
    this.headers = options?.headers ?? ERROR_HEADERS[code] ?? null
    this.code = code
    this.status = ERROR_STATUS[code]
  }

  override get name(): string {
    return 'RrError'
  }
}

/** What an HttpError may have beside its message. */
export interface HttpErrorOptions extends ErrorOptions {
  /** Further members of the problem that the client is sent (RFC 9457 §3.2), below 500 only. */
  readonly details?: Readonly<Record<string, unknown>>
}

/**
 * Thrown by a handler to answer with a status of its choice, as `application/problem+json`
 * (RFC 9457).
 *
 * @example
 * throw new HttpError(404, 'no such user')
 */
export class HttpError extends Error {
  /** 400 to 599. */
  readonly status: number
  /** Further members of the problem, or null. */
  readonly details: Readonly<Record<string, unknown>> | null

  /**
   * @param status 400 to 599; anything else throws a RangeError
   * @param message the problem's `detail` when the status is below 500; from 500 on the client is
   *   told the status only
   */
  constructor(status: number, message?: string, options?: HttpErrorOptions) {
    if (!Number.isInteger(status) || status < 400 || status > 599) {
      throw new RangeError(`HttpError takes a status from 400 to 599, not ${status}`)
    }
    super(message ?? '', options)
    this.status = status
    this.details = options?.details ?? null
  }

  override get name(): string {
    return 'HttpError'
  }
}
