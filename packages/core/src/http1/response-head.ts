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

/** A response head as latin1 text; every part has been checked before. */
export function serializeResponseHead(
  status: number,
  headers: HeaderBlock | null,
  framing: number,
  connection: string,
  date: string,
): string {
  let head = statusLines[status] as string
  if (headers === null) head += date
  else head += headers.hasDate ? headers.lines : date + headers.lines
  if (framing >= 0) head += `content-length: ${framing}\r\n`
  else if (framing === FRAME_CHUNKED) head += 'transfer-encoding: chunked\r\n'
  return `${head}${connection}\r\n`
}

export const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n'

export function reasonPhrase(status: number): string {
  return STATUS_CODES[status] ?? String(status)
}
