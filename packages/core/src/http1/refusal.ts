import { ERROR_STATUS, type ErrorCode } from '../errors.ts'
import type { ReachedLimit } from '../reached-limit.ts'
import { reasonPhrase } from './response-head.ts'

/** Why a request is refused: the code gives the status, the reason goes into the answer's body. */
export interface Refusal {
  readonly code: ErrorCode
  readonly status: number
  readonly reason: string
  /** The option whose bound was met, or null. */
  readonly limit: ReachedLimit | null
}

export function refusal(
  code: ErrorCode,
  reason: string,
  limit: ReachedLimit | null = null,
): Refusal {
  return { code, status: ERROR_STATUS[code], reason, limit }
}

function tooLarge(limit: ReachedLimit): Refusal {
  return refusal('RR_HEADERS_TOO_LARGE', 'the header lines are too long or too many', limit)
}

function tooSlow(limit: ReachedLimit): Refusal {
  return refusal('RR_REQUEST_TIMEOUT', 'the request took too long to arrive', limit)
}

/** The answer's body, in UTF-8, a character a byte. Says nothing of what the client sent. */
export function refusalText({ status, reason }: Refusal): string {
  return Buffer.from(`${reasonPhrase(status)}: ${reason}\n`).toString('latin1')
}

function malformed(reason: string): Refusal {
  return refusal('RR_REQUEST_MALFORMED', reason)
}

export const REFUSALS: {
  readonly [name in
    | 'emptyLines'
    | 'requestLine'
    | 'fragment'
    | 'targetForm'
    | 'authority'
    | 'hostMissing'
    | 'hostRepeated'
    | 'hostInvalid'
    | 'codingInHttp10'
    | 'lengthAndCoding'
    | 'codingMisplaced'
    | 'codingUnknown'
    | 'chunkExtensions'
    | 'trailerForbidden'
    | 'incomplete'
    | 'expectation'
    | 'methodUnknown'
    | 'connect'
    | 'version'
    | 'requestLineTooLong'
    | 'headerLineTooLong'
    | 'headerBlockTooLarge'
    | 'headersTooMany'
    | 'bodyTooLarge'
    | 'headTooSlow'
    | 'requestTooSlow'
    | 'rateTooLow'
    | 'overloaded']: Refusal
} = {
  emptyLines: malformed('more than one empty line before the request line (RFC 9112 §2.2)'),
  requestLine: malformed('malformed request line (RFC 9112 §3)'),
  fragment: malformed('the request target has a fragment (RFC 9112 §3.2)'),
  targetForm: malformed('the request target has no form that fits (RFC 9112 §3.2)'),
  authority: malformed('the request target has an invalid authority (RFC 9110 §4.2)'),
  hostMissing: malformed('Host is missing (RFC 9112 §3.2)'),
  hostRepeated: malformed('Host is repeated (RFC 9112 §3.2)'),
  hostInvalid: malformed('Host is invalid (RFC 9112 §3.2)'),
  codingInHttp10: malformed('Transfer-Encoding in HTTP/1.0 (RFC 9112 §6.1)'),
  lengthAndCoding: malformed('Content-Length with Transfer-Encoding (RFC 9112 §6.1)'),
  codingMisplaced: malformed('chunked is not the last transfer coding, once (RFC 9112 §6.1)'),
  codingUnknown: refusal(
    'RR_TRANSFER_CODING_UNKNOWN',
    'no transfer coding but chunked is implemented (RFC 9112 §6.1)',
  ),
  chunkExtensions: refusal(
    'RR_REQUEST_MALFORMED',
    'chunk extensions are too long (RFC 9112 §7.1.1)',
    'maxChunkExtensionBytes',
  ),
  trailerForbidden: malformed('a field that may not be a trailer (RFC 9110 §6.5.1)'),
  incomplete: malformed('the request is incomplete (RFC 9112 §8)'),
  expectation: refusal('RR_EXPECTATION_FAILED', 'unknown expectation (RFC 9110 §10.1.1)'),
  methodUnknown: refusal('RR_METHOD_UNKNOWN', 'unknown method (RFC 9110 §9.1)'),
  connect: refusal('RR_METHOD_UNKNOWN', 'CONNECT is not implemented (RFC 9110 §9.3.6)'),
  version: refusal('RR_VERSION_UNSUPPORTED', 'HTTP/1.0 and HTTP/1.1 only (RFC 9110 §2.5)'),
  requestLineTooLong: refusal(
    'RR_REQUEST_LINE_TOO_LONG',
    'the request line is too long',
    'maxRequestLineBytes',
  ),
  headerLineTooLong: tooLarge('maxHeaderLineBytes'),
  headerBlockTooLarge: tooLarge('maxHeaderBlockBytes'),
  headersTooMany: tooLarge('maxHeaders'),
  bodyTooLarge: refusal('RR_BODY_TOO_LARGE', 'the request body is too large', 'maxBodyBytes'),
  overloaded: refusal('RR_OVERLOADED', 'the server has too much to do'),
  headTooSlow: tooSlow('headersTimeoutMs'),
  requestTooSlow: tooSlow('requestTimeoutMs'),
  rateTooLow: tooSlow('minBytesPerSecond'),
}
