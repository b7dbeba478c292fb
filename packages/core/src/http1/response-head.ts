import { STATUS_CODES } from 'node:http'
import type { HeaderBlock } from '../header-block.ts'

/** How the body is framed (RFC 9112 §6). A length of 0 or more is a Content-Length. */
export const FRAME_CHUNKED = -1
/** No framing field: no body by definition, or one that ends with the connection. */
export const FRAME_NONE = -2

/** What the Connection field says (RFC 9112 §9.3). */
export const CONNECTION_DEFAULT = ''
export const CONNECTION_CLOSE = 'connection: close\r\n'
export const CONNECTION_KEEP_ALIVE = 'connection: keep-alive\r\n'

const statusLines: string[] = []
for (let status = 100; status <= 599; status++) {
  statusLines[status] = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`
}

/** What heads with the same status and headers have in common, for as long as the second lasts. */
interface HeadPrefix {
  headers: HeaderBlock | null
  status: number
  date: string
  text: string
}

/** A prefix a slot: a server has a few header blocks that it uses over and over. */
const PREFIX_SLOTS = 64
const prefixes: HeadPrefix[] = Array.from({ length: PREFIX_SLOTS }, () => ({
  headers: null,
  status: 0,
  date: '',
  text: '',
}))
/** What follows a prefix, for the lengths that most bodies have. */
const TAILS: readonly string[] = Array.from({ length: 4096 }, (_, length) => lengthTail(length))

/** A response head as latin1 text; every part has been checked before. */
export function serializeResponseHead(
  status: number,
  headers: HeaderBlock | null,
  framing: number,
  connection: string,
  date: string,
): string {
  if (headers !== null && framing >= 0 && connection === CONNECTION_DEFAULT) {
    const prefix = findPrefix(status, headers, date)
    if (prefix !== null) return prefix + (TAILS[framing] ?? lengthTail(framing))
  }
  let head = statusLines[status] as string
  if (headers === null) head += date
  else head += headers.hasDate ? headers.lines : date + headers.lines
  if (framing >= 0) head += `content-length: ${framing}\r\n`
  else if (framing === FRAME_CHUNKED) head += 'transfer-encoding: chunked\r\n'
  return `${head}${connection}\r\n`
}

/** An interim head: no framing, no Date, nothing about the connection (RFC 9110 §8.6, §6.6.1). */
export function serializeInterimHead(status: number, headers: HeaderBlock | null): string {
  return `${statusLines[status]}${headers?.lines ?? ''}\r\n`
}

function lengthTail(length: number): string {
  return `${length}\r\n\r\n`
}

/** The head up to its length. Null the first time: headers made for one response are not worth it. */
function findPrefix(status: number, headers: HeaderBlock, date: string): string | null {
  const prefix = prefixes[headers.serial % PREFIX_SLOTS] as HeadPrefix
  if (prefix.headers !== headers || prefix.status !== status) {
    prefix.headers = headers
    prefix.status = status
    prefix.date = ''
    return null
  }
  if (prefix.date !== date) {
    const lines = headers.hasDate ? headers.lines : date + headers.lines
    prefix.date = date
    prefix.text = flatten(`${statusLines[status]}${lines}content-length: `)
  }
  return prefix.text
}

/** The same string in one piece: V8 would copy the parts again for each response. */
function flatten(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}

export const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n'

export function reasonPhrase(status: number): string {
  return STATUS_CODES[status] ?? String(status)
}
