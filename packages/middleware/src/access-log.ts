import {
  type EndpointAddress,
  errorResponse,
  type HttpRequest,
  type HttpResponse,
  type Middleware,
} from '@rr/core'
import { checkFunction, checkKeys } from './option-checks.ts'

/** What is known of one request and its answer. Strings are as the client sent them. */
export interface AccessRecord {
  /** When the request came, ISO 8601. */
  readonly time: string
  readonly method: string
  /** Without the query, in which secrets travel. */
  readonly path: string
  readonly httpVersion: string
  /** For an error that passes through: the status with which the server answers it. */
  readonly status: number
  /** Bytes of the body, or null for a stream of unknown length and for errors. */
  readonly bytes: number | null
  /** Until there was an answer; a stream is sent after that. */
  readonly durationMs: number
  /** The client's address, as `request.client` has it. */
  readonly client: string
  /** The address at the other end of the connection: the client's, or a proxy's. */
  readonly peer: string
  readonly requestId: string
  readonly referrer: string | null
  readonly userAgent: string | null
}

/** What `accessLog` takes. */
export interface AccessLogOptions {
  /** Takes each record; default: `jsonLine(record)` on stdout. Errors of it are a warning, once. */
  readonly log?: (record: AccessRecord) => void
}

/**
 * Tells a function of each answer. For logs of an application's own, or of some routes: a whole
 * server's log is better had from `rr-serve`, which knows what was sent in the end, streams and
 * refused requests included, and writes in batches.
 *
 * Outermost, but inside `requestId`, it sees what the client gets.
 *
 * @throws RrError RR_OPTION_UNKNOWN, RR_OPTION_INVALID
 * @example
 * accessLog({ log: (record) => logger.info(record, 'answered') })
 */
export function accessLog(options: AccessLogOptions = {}): Middleware {
  checkKeys(options, ['log'], 'accessLog()')
  checkFunction('accessLog()', 'log', options.log)
  const log = options.log ?? ((record) => void process.stdout.write(jsonLine(record)))
  let hasWarned = false
  const tell = (start: Start, status: number, bytes: number | null): void => {
    try {
      log(makeRecord(start, status, bytes))
    } catch (error) {
      // The client gets its answer whatever the log does.
      if (hasWarned) return
      hasWarned = true
      process.emitWarning(`accessLog() could not log: ${describe(error)}`)
    }
  }
  return async (request, next) => {
    // Asked for now: a client that has left has no address.
    const start = { request, atMs: performance.now(), peer: request.peer }
    try {
      const response = await next()
      tell(start, response.status, bodyBytes(request, response))
      return response
    } catch (error) {
      // As the server answers it, unless an error handler further out does.
      tell(start, errorResponse(error).status, null)
      throw error
    }
  }
}

interface Start {
  readonly request: HttpRequest
  readonly atMs: number
  readonly peer: EndpointAddress
}

function makeRecord(
  { request, atMs, peer }: Start,
  status: number,
  bytes: number | null,
): AccessRecord {
  const durationMs = performance.now() - atMs
  return {
    time: new Date(Date.now() - durationMs).toISOString(),
    method: request.method,
    path: request.path,
    httpVersion: request.httpVersion,
    status,
    bytes,
    durationMs: Math.round(durationMs * 1000) / 1000,
    client: request.client.address,
    peer: peer.address,
    requestId: request.id,
    referrer: request.headers.get('referer'),
    userAgent: request.headers.get('user-agent'),
  }
}

function bodyBytes(request: HttpRequest, { status, headers, body }: HttpResponse): number | null {
  if (request.method === 'HEAD' || status === 204 || status === 205 || status === 304) return 0
  if (body === null) return 0
  if (typeof body === 'string') return Buffer.byteLength(body)
  if (body instanceof Uint8Array) return body.length
  const announced = headers?.contentLength ?? -1
  return announced < 0 ? null : announced
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : 'what it threw is no Error'
}

/** A client chooses these; a line need not be as long as a request may be. */
const MAX_FIELD_CHARS = 1024

/**
 * A record as one line of JSON with its line feed, in ASCII: whatever a client sends, it ends no
 * line and reaches no terminal as a control. Long strings are cut at 1024 characters.
 */
export function jsonLine(record: AccessRecord): string {
  const line = JSON.stringify(record, (_name, value: unknown) =>
    typeof value === 'string' ? value.slice(0, MAX_FIELD_CHARS) : value,
  )
  return `${line.replace(/[\x7f-\uffff]/g, escapeUnit)}\n`
}

/**
 * A record as a line of the combined log format with its line feed, in ASCII; quotes, backslashes
 * and whatever is not printable are escaped as `\xHH`.
 */
export function combinedLine(record: AccessRecord): string {
  const { method, path, httpVersion, status, bytes, referrer, userAgent } = record
  const request = `${method} ${path} HTTP/${httpVersion}`
  const quoted = [referrer, userAgent].map((text) => `"${escapeField(text ?? '-')}"`).join(' ')
  return (
    `${escapeField(record.client)} - - [${commonTime(record.time)}] "${escapeField(request)}" ` +
    `${status} ${bytes ?? '-'} ${quoted}\n`
  )
}

/** 10/Oct/2000:13:55:36 +0000 */
function commonTime(iso: string): string {
  const [, day, month, year, time] = new Date(iso).toUTCString().split(' ')
  return `${day}/${month}/${year}:${time} +0000`
}

function escapeField(text: string): string {
  return text.slice(0, MAX_FIELD_CHARS).replace(/[^\x20-\x7e]|["\\]/g, (unit) => {
    const code = unit.charCodeAt(0)
    return code > 0xff ? escapeUnit(unit) : `\\x${code.toString(16).padStart(2, '0')}`
  })
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}
