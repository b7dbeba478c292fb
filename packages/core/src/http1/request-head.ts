import { isAuthority } from '../authority.ts'
import type { RequestFacts } from '../exchange.ts'
import { equalsIgnoreCase, sliceTrimmed } from '../field-syntax.ts'
import type { HttpOptions } from '../http-options.ts'
import {
  FLAG_CLOSE,
  FLAG_CONTENT_LENGTH,
  FLAG_KEEP_ALIVE,
  FLAG_TRANSFER_ENCODING,
  type Llhttp,
} from './llhttp.ts'
import { REFUSALS, type Refusal } from './refusal.ts'

/**
 * What a request head means (RFC 9112 §3, §6; RFC 9110 §7.2, §10.1.1). llhttp has checked its
 * grammar; here are the rules that need a whole head, and those that llhttp leaves to others.
 */
export class RequestHead implements RequestFacts {
  method = ''
  target = ''
  path = ''
  queryString = ''
  authority: string | null = null
  httpVersion: '1.0' | '1.1' = '1.1'
  head = ''
  fieldsStart = 0
  /** Length of the body; -1 when it is chunked. */
  bodyLength = 0
  keepAlive = false
  expectContinue = false
}

/** Length of ` HTTP/1.1` CRLF, which follows the target. */
const VERSION_PART_LENGTH = 11
const SPACE = 0x20
const SLASH = 0x2f
const QUESTION_MARK = 0x3f
const HASH = 0x23

/**
 * Reads the head that the parser has just come to the end of.
 *
 * @param text the head, from the first character of the method
 * @returns null, or why the request is refused
 */
export function readRequestHead(
  text: string,
  source: Llhttp,
  parser: number,
  head: RequestHead,
): Refusal | null {
  head.head = text
  head.method = source.method(parser)
  const { urlStart, urlEnd } = source
  // llhttp takes several spaces after the method, and requests without a version (HTTP/0.9).
  if (urlStart !== head.method.length + 1) return REFUSALS.requestLine
  if (text.charCodeAt(urlEnd) !== SPACE || !text.startsWith('HTTP/', urlEnd + 1)) {
    return REFUSALS.requestLine
  }
  if (source.major(parser) !== 1) return REFUSALS.version
  head.httpVersion = source.minor(parser) === 1 ? '1.1' : '1.0'
  head.fieldsStart = urlEnd + VERSION_PART_LENGTH
  return (
    readTarget(text, urlStart, urlEnd, head) ?? readFields(text, source, source.flags(parser), head)
  )
}

function readTarget(text: string, start: number, end: number, head: RequestHead): Refusal | null {
  const { method } = head
  head.authority = null
  if (method === 'CONNECT') return REFUSALS.connect
  if (text.charCodeAt(start) !== SLASH) return readOtherTarget(text.slice(start, end), head)
  let query = -1
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i)
    if (code === QUESTION_MARK && query < 0) query = i
    else if (code === HASH) return REFUSALS.fragment
  }
  const target = text.slice(start, end)
  head.target = target
  head.path = query < 0 ? target : text.slice(start, query)
  head.queryString = query < 0 ? '' : text.slice(query + 1, end)
  return null
}

/** The absolute form, and `OPTIONS *` (RFC 9112 §3.2.2, §3.2.4). */
function readOtherTarget(target: string, head: RequestHead): Refusal | null {
  head.target = target
  head.queryString = ''
  if (target === '*') {
    head.path = target
    return head.method === 'OPTIONS' ? null : REFUSALS.targetForm
  }
  const scheme = /^https?:\/\//i.exec(target)
  if (scheme === null) return REFUSALS.targetForm
  if (target.includes('#')) return REFUSALS.fragment
  const rest = target.slice(scheme[0].length)
  const authorityEnd = rest.search(/[/?]/)
  const authority = authorityEnd < 0 ? rest : rest.slice(0, authorityEnd)
  // An empty host is invalid for http and https (RFC 9110 §4.2.1).
  if (authority === '' || authority.startsWith(':') || !isAuthority(authority)) {
    return REFUSALS.authority
  }
  head.authority = authority
  const pathAndQuery = authorityEnd < 0 ? '' : rest.slice(authorityEnd)
  const query = pathAndQuery.indexOf('?')
  const path = query < 0 ? pathAndQuery : pathAndQuery.slice(0, query)
  // `OPTIONS http://host` is `OPTIONS *` for that host (RFC 9112 §3.2.4).
  head.path = path === '' ? (head.method === 'OPTIONS' && query < 0 ? '*' : '/') : path
  head.queryString = query < 0 ? '' : pathAndQuery.slice(query + 1)
  return null
}

function readFields(
  text: string,
  source: Llhttp,
  flags: number,
  head: RequestHead,
): Refusal | null {
  const { spans, fieldCount } = source
  let host = -1
  let coding = -1
  let expect = -1
  head.bodyLength = 0
  for (let i = 0; i < fieldCount * 4; i += 4) {
    const start = spans[i] as number
    switch ((spans[i + 1] as number) - start) {
      case 4:
        if (!equalsIgnoreCase(text, start, 'host')) break
        if (host >= 0) return REFUSALS.hostRepeated
        host = i
        break
      case 6:
        if (equalsIgnoreCase(text, start, 'expect')) expect = expect < 0 ? i : Number.MAX_VALUE
        break
      case 14:
        if (
          (flags & FLAG_CONTENT_LENGTH) !== 0 &&
          equalsIgnoreCase(text, start, 'content-length')
        ) {
          head.bodyLength = Number(text.slice(spans[i + 2], spans[i + 3]))
        }
        break
      case 17:
        // Not by the parser's flag: it takes a field without a value for none at all.
        if (!equalsIgnoreCase(text, start, 'transfer-encoding')) break
        if (coding >= 0) return REFUSALS.codingMisplaced
        coding = i
        break
    }
  }
  const is11 = head.httpVersion === '1.1'
  head.keepAlive = (flags & FLAG_CLOSE) === 0 && (is11 || (flags & FLAG_KEEP_ALIVE) !== 0)
  head.expectContinue = false
  return (
    (host < 0
      ? is11
        ? REFUSALS.hostMissing
        : null
      : checkHost(text, spans[host + 2] as number, spans[host + 3] as number)) ??
    (coding < 0 ? null : readCoding(text, spans, coding, flags, head)) ??
    (expect < 0 || !is11 ? null : readExpectation(text, spans, expect, head))
  )
}

function valueAt(text: string, spans: Int32Array, index: number): string {
  return sliceTrimmed(text, spans[index + 2] as number, spans[index + 3] as number)
}

/** Most requests to a server carry the same Host: the last valid one is not checked again. */
let lastValidHost = ''

function checkHost(text: string, start: number, end: number): Refusal | null {
  // In place: cutting the value out costs more than the check.
  if (end - start === lastValidHost.length && isAt(text, start, lastValidHost)) return null
  const host = sliceTrimmed(text, start, end)
  if (!isAuthority(host)) return REFUSALS.hostInvalid
  lastValidHost = host
  return null
}

function isAt(text: string, start: number, expected: string): boolean {
  for (let i = 0; i < expected.length; i++) {
    if (text.charCodeAt(start + i) !== expected.charCodeAt(i)) return false
  }
  return true
}

/** Only `chunked`, once, is implemented (RFC 9112 §6.1). */
function readCoding(
  text: string,
  spans: Int32Array,
  index: number,
  flags: number,
  head: RequestHead,
): Refusal | null {
  if (head.httpVersion === '1.0') return REFUSALS.codingInHttp10
  if ((flags & FLAG_CONTENT_LENGTH) !== 0) return REFUSALS.lengthAndCoding
  const value = valueAt(text, spans, index).toLowerCase()
  head.bodyLength = -1
  if (value === 'chunked' && (flags & FLAG_TRANSFER_ENCODING) !== 0) return null
  const codings = value.split(',').map((coding) => sliceTrimmed(coding, 0, coding.length))
  const first = codings.indexOf('chunked')
  return first === codings.length - 1 && !codings.includes('')
    ? REFUSALS.codingUnknown
    : REFUSALS.codingMisplaced
}

function readExpectation(
  text: string,
  spans: Int32Array,
  index: number,
  head: RequestHead,
): Refusal | null {
  // A second Expect field makes a list, and 100-continue is not in a list with anything else.
  if (index === Number.MAX_VALUE) return REFUSALS.expectation
  if (valueAt(text, spans, index).toLowerCase() !== '100-continue') return REFUSALS.expectation
  head.expectContinue = true
  return null
}

/**
 * Checks the limits of a head, whole or not, up to `end`, its length so far. What is over a limit
 * stays over it when more arrives, and counts by where its lines are, never by how they were cut:
 * the answer is the same wherever the input was.
 */
export function checkHeadLimits(source: Llhttp, end: number, limits: HttpOptions): Refusal | null {
  const { urlStart, urlEnd } = source
  const requestLine = urlStart < 0 ? end : Math.min(end, urlEnd + VERSION_PART_LENGTH - 2)
  if (requestLine > limits.maxRequestLineBytes) return REFUSALS.requestLineTooLong
  const blockBytes = urlStart < 0 ? 0 : end - urlEnd - VERSION_PART_LENGTH
  return blockBytes <= limits.maxHeaderLineBytes &&
    blockBytes <= limits.maxHeaderBlockBytes &&
    source.fieldCount <= limits.maxHeaders
    ? null
    : checkFieldLimits(source, end, limits)
}

function checkFieldLimits(source: Llhttp, end: number, limits: HttpOptions): Refusal | null {
  const { urlEnd, fieldCount, spans } = source
  const blockStart = urlEnd + VERSION_PART_LENGTH
  const last = (fieldCount - 1) * 4
  // A name is no line before its value begins: a malformed one may never have been told.
  const lines = fieldCount > 0 && spans[last + 2] === -1 ? fieldCount - 1 : fieldCount
  if (lines > limits.maxHeaders) return REFUSALS.headersTooMany
  let lineEnd = blockStart - 2
  for (let i = 0; i < lines * 4; i += 4) {
    lineEnd = fieldEnd(spans, i)
    if (lineEnd - (spans[i] as number) > limits.maxHeaderLineBytes)
      return REFUSALS.headerLineTooLong
  }
  // What follows the last line is one without a value as yet, but for a CRLF, or ends the head.
  const rest = end - 2 - (lineEnd + 2)
  const block = Math.max(lineEnd + 2, end - 2) - blockStart
  if (rest > limits.maxHeaderLineBytes) return REFUSALS.headerLineTooLong
  return block > limits.maxHeaderBlockBytes ? REFUSALS.headerBlockTooLarge : null
}

/** Where the line of the field at `i` ends, or how far it has come. */
function fieldEnd(spans: Int32Array, i: number): number {
  const valueStart = spans[i + 2] as number
  const valueEnd = spans[i + 3] as number
  // An empty value is told after its line.
  return valueEnd === valueStart ? valueEnd - 2 : valueEnd
}
