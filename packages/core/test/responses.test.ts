import t from 'tap'
import { HeaderBlock, type HeadersInput, headerBlock, mergeHeaders } from '../src/header-block.ts'
import {
  bytes,
  empty,
  HttpResponse,
  html,
  json,
  type ResponseInit,
  redirect,
  stream,
  text,
} from '../src/response.ts'
import { converse } from './support/conversation.ts'
import { NEXT } from './support/messages.ts'

function headersOf({ headers }: HttpResponse): unknown {
  return headers?.pairs
}

t.test('helpers', (t) => {
  const typed = (type: string): unknown => [['content-type', type]]
  t.match(text('a'), { status: 200, body: 'a' })
  t.same(headersOf(text('a')), typed('text/plain; charset=utf-8'))
  t.same(headersOf(html('a')), typed('text/html; charset=utf-8'))
  t.same(headersOf(json({ a: 1 })), typed('application/json'))
  t.same(headersOf(bytes(Buffer.from('a'))), typed('application/octet-stream'))
  t.same(headersOf(stream(new ReadableStream())), typed('application/octet-stream'))
  t.equal(json({ a: [1, null, 'é'] }).body, '{"a":[1,null,"é"]}')
  t.equal(json(null).body, 'null')

  t.match(empty(), { status: 204, headers: null, body: null })
  t.match(empty({ status: 304, headers: { etag: '"a"' } }), { status: 304, body: null })
  t.match(redirect('/b'), { status: 302, body: '' })
  t.same(headersOf(redirect('/b', 308)), [['location', '/b']])
  t.equal(redirect('/b', 308).status, 308)

  const own: ResponseInit = { status: 201, headers: { 'Content-Type': 'text/csv', 'x-a': 'b' } }
  t.equal(text('a', own).status, 201)
  t.same(
    headersOf(text('a', own)),
    [
      ['Content-Type', 'text/csv'],
      ['x-a', 'b'],
    ],
    'a content type of its own replaces that of the helper',
  )
  t.same(headersOf(text('a', { headers: { 'x-a': 'b' } })), [
    ['content-type', 'text/plain; charset=utf-8'],
    ['x-a', 'b'],
  ])
  t.end()
})

t.test('helpers refuse what cannot be sent', (t) => {
  for (const status of [100, 199, 600, 0, -1, 200.5, Number.NaN, '200' as never]) {
    t.throws(() => text('', { status }), { code: 'RR_RESPONSE_INVALID' })
    t.throws(() => empty({ status }), { code: 'RR_RESPONSE_INVALID' })
    t.throws(() => new HttpResponse(status, null, null), { code: 'RR_RESPONSE_INVALID' })
  }
  for (const value of [undefined, () => 1, Symbol('a')]) {
    t.throws(() => json(value), { code: 'RR_RESPONSE_INVALID' })
  }
  const circular: { self?: unknown } = {}
  circular.self = circular
  t.throws(() => json(circular), TypeError)
  t.throws(() => json(1n), TypeError)
  t.throws(() => redirect('/a\r\nx: y'), { code: 'RR_HEADER_INVALID' })
  t.throws(() => redirect('/€'), { code: 'RR_HEADER_INVALID' })
  t.throws(() => text('', { headers: { 'x y': 'z' } }), { code: 'RR_HEADER_INVALID' })
  t.end()
})

t.test('one response may answer many requests', async (t) => {
  const shared = text('shared', { headers: { 'x-a': 'b' } })
  const conversation = await converse(NEXT.repeat(3), { handler: () => shared })
  t.same(
    conversation.responses().map(({ body, headers }) => [body, headers.get('x-a')]),
    [1, 2, 3].map(() => ['shared', ['b']]),
  )
})

t.test('headers can be given in any form', (t) => {
  const expected = [
    ['x-a', 'b'],
    ['x-c', 'd'],
  ]
  const forms: readonly HeadersInput[] = [
    { 'x-a': 'b', 'x-c': 'd', 'x-e': undefined },
    [
      ['x-a', 'b'],
      ['x-c', 'd'],
    ],
    new Map([
      ['x-a', 'b'],
      ['x-c', 'd'],
    ]),
    new Headers({ 'x-a': 'b', 'x-c': 'd' }),
    new HeaderBlock([
      ['x-a', 'b'],
      ['x-c', 'd'],
    ]),
  ]
  for (const form of forms) t.same(headerBlock(form).pairs, expected)
  t.same(headerBlock({ 'set-cookie': ['a=1', 'b=2'] }).pairs, [
    ['set-cookie', 'a=1'],
    ['set-cookie', 'b=2'],
  ])
  t.same(headerBlock({ x: [] }).pairs, [])
  const block = headerBlock({ x: 'y' })
  t.equal(headerBlock(block), block, 'a block is taken as it is')
  const polluted = headerBlock(JSON.parse('{"__proto__": "a"}'))
  t.same(polluted.pairs, [['__proto__', 'a']], 'a name may be anything')
  t.end()
})

t.test('a HeaderBlock', (t) => {
  const block = headerBlock({
    'Content-Type': 'a/b',
    'X-Low': '\t\x20\x7e\x80\xff',
    'Content-Length': '0012',
    Date: 'now',
    Connection: 'x, close',
    'Keep-Alive': 'a',
    'Proxy-Connection': 'a',
    TE: 'a',
    'Transfer-Encoding': 'chunked',
  })
  t.same(
    [block.contentLength, block.close, block.hasDate],
    [12, true, true],
    'keeps apart what the protocol sends itself',
  )
  t.equal(block.lines, 'Content-Type: a/b\r\nX-Low: \t\x20\x7e\x80\xff\r\nDate: now\r\n')
  t.equal(block.get('content-type'), 'a/b')
  t.equal(block.get('CONTENT-TYPE'), 'a/b')
  t.equal(block.get('connection'), null)
  t.equal(block.get('toString'), null)

  const nothing = headerBlock({})
  t.match(nothing, { lines: '', contentLength: -1, close: false, hasDate: false })
  t.equal(headerBlock({ connection: 'closed, xclose' }).close, false)
  t.equal(
    headerBlock([
      ['content-length', '5'],
      ['Content-Length', '5'],
    ]).contentLength,
    5,
  )
  t.throws(
    () =>
      headerBlock([
        ['content-length', '5'],
        ['Content-Length', '6'],
      ]),
    {
      code: 'RR_HEADER_INVALID',
    },
  )
  t.throws(() => headerBlock({ 'a\nb': 'c' }), { message: /"a\\nb" is not a token/ })
  t.throws(
    () => headerBlock({ 'x-secret': 'tr0ub4dor\n' }),
    { message: /^(?!.*tr0ub4dor).*'x-secret'/ },
    'an error names the field, and does not repeat its value',
  )

  const merged = mergeHeaders(
    headerBlock({ a: '1', 'X-B': '2', 'content-length': '5', connection: 'close' }),
    {
      'x-b': ['3', '4'],
    },
  )
  t.same(merged.pairs, [
    ['a', '1'],
    ['x-b', '3'],
    ['x-b', '4'],
  ])
  t.same([merged.contentLength, merged.close], [5, true])
  t.equal(mergeHeaders(block, { 'Content-Length': '7' }).contentLength, 7)
  t.end()
})
