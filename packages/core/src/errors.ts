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
  RR_SHARED_MEMORY: 500,
  RR_POOL_BUSY: 503,
  RR_HEADER_INVALID: 500,
  RR_RESPONSE_INVALID: 500,
  RR_RESPONSE_LENGTH: 500,
  RR_NEXT_REPEATED: 500,
  RR_BODY_USED: 500,
  RR_BODY_TOO_LARGE: 413,
  RR_BODY_MALFORMED: 400,
  RR_MEDIA_TYPE_UNSUPPORTED: 415,
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

export interface RrErrorOptions extends ErrorOptions {
  /** Header fields that the answer to the request has to carry. */
  readonly headers?: Readonly<Record<string, string>>
}

/**
 * The base of every error that rr makes. `code` is stable, `status` is the HTTP status that answers
 * it when it ends a request, `cause` is what led to it.
 */
export class RrError extends Error {
  readonly code: ErrorCode
  readonly status: number
  /** Header fields of the answer, where there are any. */
  readonly headers: Readonly<Record<string, string>> | null

  constructor(code: ErrorCode, message: string, options?: RrErrorOptions) {
    super(message, options)
    this.headers = options?.headers ?? null
    this.code = code
    this.status = ERROR_STATUS[code]
  }

  override get name(): string {
    return 'RrError'
  }
}

/**
 * Thrown by a handler to answer with a status of its choice.
 *
 * @example
 * throw new HttpError(404, 'no such user')
 */
export class HttpError extends Error {
  /** 400 to 599. */
  readonly status: number

  /**
   * @param status 400 to 599; anything else throws a RangeError
   * @param message sent to the client as text/plain when the status is below 500; without one,
   *   and from 500 on, the client is sent the status's number
   */
  constructor(status: number, message?: string, options?: ErrorOptions) {
    if (!Number.isInteger(status) || status < 400 || status > 599) {
      throw new RangeError(`HttpError takes a status from 400 to 599, not ${status}`)
    }
    super(message ?? '', options)
    this.status = status
  }

  override get name(): string {
    return 'HttpError'
  }
}
