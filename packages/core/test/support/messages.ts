/** Parts of messages that most cases begin or end with. */
export const GET = 'GET / HTTP/1.1\r\nHost: a\r\n'
export const POST = 'POST / HTTP/1.1\r\nHost: a\r\n'
/** A chunked request up to its first chunk. */
export const CHUNKED: string = `${POST}Transfer-Encoding: chunked\r\n\r\n`
/** A whole request, to see whether the connection still works. */
export const NEXT = 'GET /next HTTP/1.1\r\nHost: a\r\n\r\n'

/** A whole request with the given request line and fields. */
export function request(requestLine: string, ...fields: string[]): string {
  return [requestLine, ...fields, '', ''].join('\r\n')
}
