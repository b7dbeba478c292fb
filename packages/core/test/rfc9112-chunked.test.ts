import t, { type Test } from 'tap'
import type { Handler } from '../src/handler.ts'
import { json, text } from '../src/response.ts'
import { type RequestCase, runCases } from './support/cases.ts'
import { Conversation } from './support/conversation.ts'
import { CHUNKED, NEXT } from './support/messages.ts'

/** Answers with the body and its trailers. */
const echo: Handler = async (request) => {
  const body = await request.text()
  return json([body, ...request.trailers.raw()])
}

/** A chunked message that is taken, and what the handler makes of it. */
function taken(
  title: string,
  chunks: string,
  body: string,
  trailers: string[][] = [],
): RequestCase {
  const check = (t: Test, conversation: Conversation): void => {
    const answers = conversation.responses().map((response) => JSON.parse(response.body))
    t.same(answers, [[body, ...trailers], ['']], 'and the next request is where it should be')
  }
  return [title, CHUNKED + chunks + NEXT, [200, 200], 'open', { handler: echo, check }]
}

function refused(title: string, chunks: string, status = 400): RequestCase {
  return [title, CHUNKED + chunks + NEXT, status, 'closed', { handler: echo }]
}

t.test('RFC 9112 §7.1 Chunked Transfer Coding', (t) => {
  runCases(t, [
    taken('a body in one chunk', '5\r\nhello\r\n0\r\n\r\n', 'hello'),
    taken('a body in several chunks', '2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n', 'hello'),
    taken('a body in chunks of one byte', '1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n', 'abc'),
    taken('an empty body', '0\r\n\r\n', ''),
    taken('a last chunk of several zeros', '1\r\na\r\n0000\r\n\r\n', 'a'),
    taken(
      'sizes in either case',
      `a\r\n${'x'.repeat(10)}\r\nA\r\n${'y'.repeat(10)}\r\n0\r\n\r\n`,
      `${'x'.repeat(10)}${'y'.repeat(10)}`,
    ),
    taken('sizes with leading zeros', `${'0'.repeat(40)}2\r\nab\r\n0\r\n\r\n`, 'ab'),
    taken('data that looks like framing', '7\r\n0\r\n\r\n\r\n\r\n0\r\n\r\n', '0\r\n\r\n\r\n'),
    taken(
      'data that looks like a request',
      `${NEXT.length.toString(16)}\r\n${NEXT}\r\n0\r\n\r\n`,
      NEXT,
    ),
  ])
  runCases(t, [
    refused('a size that is no number', 'x\r\na\r\n0\r\n\r\n'),
    refused('no size', '\r\na\r\n0\r\n\r\n'),
    refused('a size with a prefix', '0x1\r\na\r\n0\r\n\r\n'),
    refused('a size with a plus', '+1\r\na\r\n0\r\n\r\n'),
    refused('a size with a minus', '-1\r\na\r\n0\r\n\r\n'),
    refused('a minus zero as last chunk', '-0\r\n\r\n'),
    refused('a size with an underscore', '1_0\r\na\r\n0\r\n\r\n'),
    refused('a fraction', '1.0\r\na\r\n0\r\n\r\n'),
    refused('a space before a size', ' 1\r\na\r\n0\r\n\r\n'),
    refused('a space after a size', '1 \r\na\r\n0\r\n\r\n'),
    refused('a tab after a size', '1\t\r\na\r\n0\r\n\r\n'),
    refused('a size of 2^64', '10000000000000000\r\na\r\n0\r\n\r\n'),
    refused('a size over 2^64 whose low bits are small', '10000000000000001\r\na\r\n0\r\n\r\n'),
    refused('a size over 2^128', `${'f'.repeat(33)}\r\na\r\n0\r\n\r\n`),
    refused('LF after a size', '1\na\r\n0\r\n\r\n'),
    refused('CR after a size', '1\ra\r\n0\r\n\r\n'),
    refused('a chunk shorter than its size', '2\r\na\r\n0\r\n\r\n'),
    refused('a chunk longer than its size', '1\r\nab\r\n0\r\n\r\n'),
    refused('LF after a chunk', '1\r\na\n0\r\n\r\n'),
    refused('CR after a chunk', '1\r\na\r0\r\n\r\n'),
    refused('nothing after a chunk', '1\r\na0\r\n\r\n'),
    refused('two CRLFs after a chunk', '1\r\na\r\n\r\n0\r\n\r\n'),
    refused('LF after the last chunk', '1\r\na\r\n0\n\r\n'),
    refused('LF as the last line', '1\r\na\r\n0\r\n\n'),
    refused('CR as the last line', '1\r\na\r\n0\r\n\rX'),
    refused('NUL in a size', '1\0\r\na\r\n0\r\n\r\n'),
  ])
  t.end()
})

t.test(
  'RFC 9112 §7.1: a chunk larger than any read, and than the window of the parser',
  async (t) => {
    const size = 200_000
    const message = Buffer.from(
      `${CHUNKED}${size.toString(16)}\r\n${'z'.repeat(size)}\r\n0\r\n\r\n${NEXT}`,
    )
    for (const piece of [1_000_000, 65_536, 65_535, 8192, 1000]) {
      const conversation = new Conversation({
        handler: async (request) => text(String((await request.text()).length)),
      })
      for (let at = 0; at < message.length; at += piece) {
        conversation.send(message.subarray(at, at + piece))
      }
      await conversation.settle()
      t.same(
        conversation.responses().map(({ body }) => body),
        [String(size), '0'],
        `in reads of ${piece}`,
      )
    }
  },
)

t.test('RFC 9112 §7.1.1 Chunk Extensions', (t) => {
  runCases(t, [
    taken('a name', '1;a\r\nx\r\n0\r\n\r\n', 'x'),
    taken('a name and a value', '1;a=b\r\nx\r\n0\r\n\r\n', 'x'),
    taken('a quoted value', '1;a="b c;\\""\r\nx\r\n0\r\n\r\n', 'x'),
    taken('several', '1;a;b=c;d="e"\r\nx\r\n0\r\n\r\n', 'x'),
    taken('of the last chunk', '1\r\nx\r\n0;a=b\r\n\r\n', 'x'),
    refused('LF in a name is refused', '1;a\nb\r\nx\r\n0\r\n\r\n'),
    refused('LF in a value is refused', '1;a=b\nc\r\nx\r\n0\r\n\r\n'),
    refused('LF in a quoted value is refused', '1;a="b\nc"\r\nx\r\n0\r\n\r\n'),
    refused('CR in a name is refused', '1;a\rb\r\nx\r\n0\r\n\r\n'),
    refused('CR in a value is refused', '1;a=b\rc\r\nx\r\n0\r\n\r\n'),
    refused('CRLF in a quoted value is refused', '1;a="b\r\nc"\r\nx\r\n0\r\n\r\n'),
    refused('NUL is refused', '1;a=\0\r\nx\r\n0\r\n\r\n'),
    refused('a byte above ASCII in a name is refused', '1;\xe9\r\nx\r\n0\r\n\r\n'),
    refused('an empty extension is refused', '1;\r\nx\r\n0\r\n\r\n'),
    refused('something after a quoted value is refused', '1;a="b"c\r\nx\r\n0\r\n\r\n'),
    refused('a quoted value without its end is refused', '1;a="b\r\nx\r\n0\r\n\r\n'),
  ])
  t.end()
})

t.test('RFC 9112 §7.1.2 Chunked Trailer Section', (t) => {
  runCases(t, [
    taken('one', '1\r\nx\r\n0\r\nA: b\r\n\r\n', 'x', [['A', 'b']]),
    taken('several, repeated and empty', '1\r\nx\r\n0\r\nA: b\r\na:\tc \r\nD:\r\n\r\n', 'x', [
      ['A', 'b'],
      ['a', 'c'],
      ['D', ''],
    ]),
    taken('without any chunk', '0\r\nA: b\r\n\r\n', '', [['A', 'b']]),
    taken('a value with a colon', '0\r\nA: b: c\r\n\r\n', '', [['A', 'b: c']]),
    refused('a space before the colon is refused', '0\r\nA : b\r\n\r\n'),
    refused('a name that is no token is refused', '0\r\nA(: b\r\n\r\n'),
    refused('an empty name is refused', '0\r\n: b\r\n\r\n'),
    refused('a line without a colon is refused', '0\r\nA\r\n\r\n'),
    refused('folding is refused', '0\r\nA: b\r\n c\r\n\r\n'),
    refused('a space before the first is refused', '0\r\n A: b\r\n\r\n'),
    refused('a bare LF is refused', '0\r\nA: b\n\r\n'),
    refused('a bare CR is refused', '0\r\nA: b\rc\r\n\r\n'),
    refused('NUL is refused', '0\r\nA: b\0\r\n\r\n'),
  ])
  t.end()
})

t.test('RFC 9110 §6.5.1 Limitations on Use of Trailers', (t) => {
  const forbidden = [
    'Transfer-Encoding: chunked',
    'Content-Length: 5',
    'Host: b',
    'Connection: close',
    'Upgrade: x',
    'TE: trailers',
    'Trailer: A',
    'Expect: 100-continue',
    'Cache-Control: no-store',
    'Max-Forwards: 1',
    'Range: bytes=0-1',
    'Authorization: Basic eDp5',
    'Proxy-Authorization: Basic eDp5',
    'Cookie: a=b',
    'Set-Cookie: a=b',
    'Content-Encoding: gzip',
    'Content-Type: text/html',
    'Content-Range: bytes 0-1/2',
    'If-Match: *',
    'If-None-Match: *',
    'If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT',
    'If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT',
    'If-Range: x',
  ]
  runCases(
    t,
    forbidden.flatMap((line) => [
      refused(`${line} is refused`, `1\r\na\r\n0\r\n${line}\r\n\r\n`),
      refused(`${line}, not the first, is refused`, `0\r\nA: b\r\n${line.toLowerCase()}\r\n\r\n`),
    ]),
  )
  runCases(t, [refused('one without a value is refused', '0\r\nHost:\r\n\r\n')])
  t.end()
})
