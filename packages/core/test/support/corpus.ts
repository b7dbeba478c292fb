import type { HttpOptionsInput } from '../../src/http-options.ts'

/**
 * Messages for the suites on splits and on mutations: every construct that the connection knows,
 * valid and not, as short as it goes, with limits small enough to be met by short messages.
 */
export const CORPUS_LIMITS: HttpOptionsInput = {
  maxRequestLineBytes: 64,
  maxHeaderLineBytes: 64,
  maxHeaderBlockBytes: 256,
  maxHeaders: 8,
  maxBodyBytes: 64,
  maxChunkExtensionBytes: 8,
  maxDiscardBytes: 32,
}

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n'
const POST = 'POST / HTTP/1.1\r\nHost: a\r\n'
const NEXT = 'GET /next HTTP/1.1\r\nHost: b\r\n\r\n'
const CHUNKED = `${POST}Transfer-Encoding: chunked\r\n\r\n`

export interface CorpusMessage {
  readonly title: string
  readonly input: string
}

const VALID: readonly (readonly [string, string])[] = [
  ['a GET', `${GET}\r\n`],
  ['a query', 'GET /p?a=1&b=%20?c HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a HEAD, pipelined', `HEAD /h HTTP/1.1\r\nHost: a\r\n\r\n${NEXT}`],
  ['an empty line before', `\r\n${GET}\r\n\r\n${NEXT}`],
  ['three pipelined', `${GET}\r\n${NEXT}${NEXT}`],
  ['field values of all sorts', `${GET}A:b\r\nC: \t d \t\r\nE:\r\nF: g\x80\xff h\r\n\r\n${NEXT}`],
  ['repeated fields', `${GET}X: 1\r\nx: 2\r\nCookie: a\r\nCookie: b\r\n\r\n`],
  ['the absolute form', 'GET http://b:81/x?y HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['the absolute form without a path', 'GET HTTP://b HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['the asterisk form', `OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n${NEXT}`],
  ['an empty Host', 'GET / HTTP/1.1\r\nHost:\r\n\r\n'],
  ['trailers wanted', `${GET}TE: trailers\r\n\r\n${NEXT}`],
  ['HTTP/1.0', `GET / HTTP/1.0\r\n\r\n${NEXT}`],
  ['HTTP/1.0 with keep-alive', `GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n${NEXT}`],
  ['close', `${GET}Connection: close\r\n\r\n${NEXT}`],
  ['close in a list', `${GET}Connection: x, Close ,y\r\n\r\n${NEXT}`],
  ['an upgrade', `${GET}Connection: upgrade\r\nUpgrade: x\r\n\r\n${NEXT}`],
  ['a body', `${POST}Content-Length: 5\r\n\r\nhello`],
  ['a body, pipelined', `${POST}Content-Length: 5\r\n\r\nhello${NEXT}`],
  ['a body that looks like a request', `${POST}Content-Length: 32\r\n\r\n${NEXT}${NEXT}`],
  ['a body of no length', `${POST}Content-Length: 0\r\n\r\n${NEXT}`],
  [
    'a body after an upgrade',
    `${POST}Connection: upgrade\r\nUpgrade: x\r\nContent-Length: 2\r\n\r\nab${NEXT}`,
  ],
  ['CRLF after a body', `${POST}Content-Length: 2\r\n\r\nab\r\n${NEXT}`],
  ['a body to expect', `${POST}Expect: 100-Continue\r\nContent-Length: 3\r\n\r\nabc${NEXT}`],
  ['chunks', `${CHUNKED}3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n${NEXT}`],
  ['no chunks', `${CHUNKED}0\r\n\r\n${NEXT}`],
  ['chunks of one byte', `${CHUNKED}1\r\na\r\n1\r\nb\r\n01\r\nc\r\n000\r\n\r\n${NEXT}`],
  ['a chunk of CRLFs', `${CHUNKED}4\r\n\r\n\r\n\r\n0\r\n\r\n${NEXT}`],
  ['chunk extensions', `${CHUNKED}1;a=b;c\r\nx\r\n1;d="e;\\"f"\r\ny\r\n0;g\r\n\r\n${NEXT}`],
  ['trailers', `${CHUNKED}1\r\nx\r\n0\r\nA: b\r\nC:\r\nD: \t e f\t\r\n\r\n${NEXT}`],
  ['trailers without chunks', `${CHUNKED}0\r\nA: b\r\n\r\n${NEXT}`],
  [
    'two chunked messages',
    `${CHUNKED}1\r\na\r\n0\r\n\r\n${CHUNKED}1\r\nb\r\n0\r\nT: u\r\n\r\n${NEXT}`,
  ],
  ['a request line at its limit', `GET /${'x'.repeat(50)} HTTP/1.1\r\nHost: a\r\n\r\n`],
  ['a header line at its limit', `${GET}X: ${'x'.repeat(61)}\r\n\r\n${NEXT}`],
  ['an empty header line at its limit', `${GET}X:${' '.repeat(62)}\r\n\r\n${NEXT}`],
  ['as many fields as may be', `${GET}${'A: b\r\n'.repeat(7)}\r\n${NEXT}`],
  ['a body at its limit', `${POST}Content-Length: 64\r\n\r\n${'b'.repeat(64)}${NEXT}`],
  [
    'chunks at the limit',
    `${CHUNKED}20\r\n${'b'.repeat(32)}\r\n20\r\n${'c'.repeat(32)}\r\n0\r\n\r\n${NEXT}`,
  ],
  ['chunk extensions at their limit', `${CHUNKED}1;${'e'.repeat(22)}\r\nx\r\n0\r\n\r\n${NEXT}`],
]

const INVALID: readonly (readonly [string, string])[] = [
  ['two empty lines before', `\r\n\r\n${GET}\r\n`],
  ['a bare LF before', `\n${GET}\r\n`],
  ['a bare CR before', `\r${GET}\r\n`],
  ['no Host', 'GET / HTTP/1.1\r\nA: b\r\n\r\n'],
  ['no Host for HEAD', `HEAD / HTTP/1.1\r\n\r\n${NEXT}`],
  ['two Hosts', `${GET}Host: a\r\n\r\n${NEXT}`],
  ['a bad Host', `GET / HTTP/1.1\r\nHost: a b\r\n\r\n${NEXT}`],
  ['two spaces before the target', `GET  / HTTP/1.1\r\nHost: a\r\n\r\n${NEXT}`],
  ['two spaces after the target', `GET /  HTTP/1.1\r\nHost: a\r\n\r\n`],
  ['no version', `GET /\r\nHost: a\r\n\r\n${NEXT}`],
  ['an unknown method', `${NEXT}BREW / HTTP/1.1\r\nHost: a\r\n\r\n`],
  ['a longer method', 'GETS / HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a method of RTSP', 'PLAY / HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a bad method', 'G@T / HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['CONNECT', 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n'],
  ['HTTP/1.2', 'GET / HTTP/1.2\r\nHost: a\r\n\r\n'],
  ['HTTP/2.0', 'GET / HTTP/2.0\r\nHost: a\r\n\r\n'],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['a fragment', 'GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['another scheme', 'GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['userinfo', 'GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a bare LF', 'GET / HTTP/1.1\nHost: a\n\n'],
  ['a bare CR in a value', `${GET}A: b\rc: d\r\n\r\n`],
  ['NUL in a value', `${GET}A: b\0c\r\n\r\n`],
  ['a space before the colon', `${GET}A : b\r\n\r\n`],
  ['a name that is no token', `${GET}${'A'.repeat(20)}(: b\r\n\r\n`],
  ['obsolete folding', `${GET}A: b\r\n c\r\n\r\n`],
  ['a space before the first field', 'GET / HTTP/1.1\r\n Host: a\r\n\r\n'],
  ['CL.TE', `${POST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${NEXT}`],
  ['TE.CL', `${POST}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${NEXT}`],
  [
    'an empty coding and a length',
    `${POST}Transfer-Encoding:\r\nContent-Length: 1\r\n\r\na${NEXT}`,
  ],
  ['two lengths', `${POST}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab${NEXT}`],
  ['a signed length', `${POST}Content-Length: +1\r\n\r\na${NEXT}`],
  ['an unknown coding', `${POST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n${NEXT}`],
  ['a coding after chunked', `${POST}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n${NEXT}`],
  ['a coding in HTTP/1.0', 'POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['an unknown expectation', `${POST}Expect: x\r\nContent-Length: 1\r\n\r\na${NEXT}`],
  ['a bad chunk size', `${CHUNKED}1\r\na\r\n0x1\r\nb\r\n0\r\n\r\n${NEXT}`],
  ['a chunk too long', `${CHUNKED}1\r\nab\r\n0\r\n\r\n${NEXT}`],
  ['a chunk size over 64 bits', `${CHUNKED}fffffffffffffffff\r\na`],
  ['LF after a chunk size', `${CHUNKED}1\na\r\n0\r\n\r\n${NEXT}`],
  ['LF in an extension', `${CHUNKED}1;a\nb\r\nc\r\n0\r\n\r\n${NEXT}`],
  ['a forbidden trailer', `${CHUNKED}0\r\nA: b\r\nHost: c\r\n\r\n${NEXT}`],
  ['a bad trailer', `${CHUNKED}0\r\nA: b\r\n${'C'.repeat(30)}(: d\r\n\r\n${NEXT}`],
  ['a bad first trailer', `${CHUNKED}0\r\n${'C'.repeat(30)}(: d\r\n\r\n${NEXT}`],
  ['a request line over its limit', `GET /${'x'.repeat(51)} HTTP/1.1\r\nHost: a\r\n\r\n`],
  ['a header line over its limit', `${GET}X: ${'x'.repeat(62)}\r\n\r\n${NEXT}`],
  ['a header line of spaces over its limit', `${GET}X:${' '.repeat(80)}\r\n\r\n${NEXT}`],
  ['a header block over its limit', `${GET}${`X: ${'x'.repeat(50)}\r\n`.repeat(5)}\r\n${NEXT}`],
  ['too many fields', `${GET}${'A: b\r\n'.repeat(8)}\r\n${NEXT}`],
  ['too many fields, the last one bad', `${GET}${'A: b\r\n'.repeat(7)}AA(: b\r\n\r\n${NEXT}`],
  ['a bad name over the limit of a line', `${GET}${'A'.repeat(70)}(: b\r\n\r\n${NEXT}`],
  ['a body over its limit', `${POST}Content-Length: 65\r\n\r\n${'b'.repeat(65)}${NEXT}`],
  [
    'chunks over the limit',
    `${CHUNKED}20\r\n${'b'.repeat(32)}\r\n21\r\n${'c'.repeat(33)}\r\n0\r\n\r\n${NEXT}`,
  ],
  ['chunk extensions over their limit', `${CHUNKED}1;${'e'.repeat(23)}\r\nx\r\n0\r\n\r\n${NEXT}`],
  [
    'trailers over their limit',
    `${CHUNKED}0\r\n${`X: ${'x'.repeat(60)}\r\n`.repeat(5)}\r\n${NEXT}`,
  ],
  ['a trailer of spaces over the limit', `${CHUNKED}0\r\nX:${' '.repeat(270)}\r\n\r\n${NEXT}`],
  ['too many trailers', `${CHUNKED}0\r\n${'A: b\r\n'.repeat(9)}\r\n${NEXT}`],
]

const CUT: readonly (readonly [string, string])[] = [
  ['a head without its end', `${NEXT}${GET}A: b`],
  ['a body without its end', `${POST}Content-Length: 5\r\n\r\nhell`],
  ['chunks without their end', `${CHUNKED}5\r\nhello\r\n`],
  ['a CR alone', '\r'],
]

export const CORPUS: readonly CorpusMessage[] = [...VALID, ...INVALID, ...CUT].map(
  ([title, input]) => ({ title, input }),
)
