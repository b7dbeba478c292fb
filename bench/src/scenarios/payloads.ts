/**
 * What servers answer with. The scenarios and the server programs both take it from here, so that
 * every server gives the same bytes. Programs of Bun, Deno and an older Node load this file too:
 * it imports nothing but timers.
 */
import { setImmediate } from 'node:timers/promises'

export const TEXT_TYPE = 'text/plain; charset=utf-8'
/** JSON has no charset parameter (RFC 8259 §11). */
export const JSON_TYPE = 'application/json'
export const BYTES_TYPE = 'application/octet-stream'
export const FORM_TYPE = 'application/x-www-form-urlencoded'
export const EVENTS_TYPE = 'text/event-stream'

export const HELLO = 'Hello, World!'
export const NOT_FOUND = 'Not Found'

/** What the `json` scenario answers to a number: small, and made anew for each request. */
export interface Profile {
  readonly id: number
  readonly name: string
  readonly score: number
  readonly active: boolean
  readonly tags: readonly string[]
}

export function profile(id: number): Profile {
  return {
    id,
    name: `user ${id}`,
    score: (id * 7) % 101,
    active: id % 2 === 0,
    tags: ['bench', `group ${id % 10}`],
  }
}

/** The request header that `headers_heavy` asks back. */
export const TAG_HEADER = 'x-request-tag'
/** The cookie that `cookies_heavy` asks back. */
export const SESSION_COOKIE = 'session'
/** The field that `post_4kb_form` asks back. */
export const FORM_FIELD = 'email'

/**
 * One cookie's value, for servers without an API for cookies (RFC 6265 §5.4). Cuts no other one out.
 */
export function cookieValue(header: string, name: string): string {
  let start = 0
  while (start < header.length) {
    let end = header.indexOf(';', start)
    if (end === -1) end = header.length
    while (header.charCodeAt(start) === 0x20) start++
    if (header.startsWith(name, start) && header.charCodeAt(start + name.length) === 0x3d) {
      return header.slice(start + name.length + 1, end)
    }
    start = end + 1
  }
  return ''
}

/** What `url_with_qs` answers. */
export const searchAnswer = (q: string, page: string, sort: string): string =>
  `${q}|${page}|${sort}`

export const LARGE_64K: Uint8Array<ArrayBuffer> = pattern(64 * 1024)
export const LARGE_1M: Uint8Array<ArrayBuffer> = pattern(1024 * 1024)

/** Bytes of which every 4 KiB block is another one, so that a lost or repeated block is seen. */
export function pattern(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) bytes[i] = (i + (i >> 12)) & 0xff
  return bytes
}

export const REDIRECT_TARGET = '/new'

export const ETAG_BODY = 'a page that seldom changes\n'
/** When that page changed, in seconds: nginx and h2o make the ETag of this and the length. */
export const ETAG_SECONDS = 1_600_000_000
export const ETAG: string = `"${ETAG_SECONDS.toString(16)}-${ETAG_BODY.length.toString(16)}"`

/** 8 KiB of text that a compressor makes a small part of. */
export const COMPRESSIBLE: string = Array.from(
  { length: 256 },
  (_, line) => `line ${line}: item ${(line * 7919) % 1000} of the report, ok\n`,
)
  .join('')
  .slice(0, 8192)
/** The level that every server compresses with: zlib's own default. */
export const GZIP_LEVEL = 6

const STREAM_CHUNKS = 64
const STREAM_CHUNK: string = `${'0123456789abcdef'.repeat(64).slice(0, 1023)}\n`
/** The body of `streaming_response`. */
export const STREAMED: string = STREAM_CHUNK.repeat(STREAM_CHUNKS)

/** The source of `streaming_response`: 64 chunks of 1 KiB, one at a time. */
export async function* streamedChunks(): AsyncGenerator<string> {
  for (let chunk = 0; chunk < STREAM_CHUNKS; chunk++) yield STREAM_CHUNK
}

/** The data of the n-th event of `server_sent_events`, counted from 0. */
export const eventData = (n: number): string => `{"n":${n}}`

/** The n-th event as it is on the wire. */
export const eventText = (n: number): string => `data: ${eventData(n)}\n\n`

/**
 * The source of `server_sent_events`, without an end. It waits for the next turn of the event loop
 * before each, as for a message from elsewhere: events that are there all at once would measure
 * one large write instead.
 */
export async function* serverEvents(): AsyncGenerator<string> {
  for (let n = 0; ; n++) {
    await setImmediate()
    yield eventText(n)
  }
}
