import fastJson from 'fast-json-stringify'
import t from 'tap'
import { HeaderBlock, type HeadersInput, headerBlock, mergeHeaders } from '../src/header-block.ts'
import {
  bytes,
  empty,
  HttpResponse,
  html,
  json,
  jsonSerializer,
  problem,
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
  t.equal(bytes(new Uint8Array([97]).buffer).body?.toString(), '97', 'an ArrayBuffer is bytes too')

  const own: ResponseInit = { status: 201, headers: { 'Content-Type': 'text/csv', 'x-a': 'b' } }
  t.equal(text('a', own).status, 201)
  const made = [
    text('a', own),
    html('a', own),
    json('a', own),
    bytes(Buffer.from('a'), own),
    stream(new ReadableStream(), own),
  ]
  for (const response of made) {
    t.equal(response.status, 201)
    t.same(
      headersOf(response),
      [
        ['Content-Type', 'text/csv'],
        ['x-a', 'b'],
      ],
      'a content type of its own replaces that of the helper',
    )
  }
  t.same(headersOf(text('a', { headers: { 'x-a': 'b' } })), [
    ['content-type', 'text/plain; charset=utf-8'],
    ['x-a', 'b'],
  ])
  t.end()
})

t.test('RFC 9110 §15.4: redirect', (t) => {
  for (const status of [301, 302, 303, 307, 308] as const) {
    t.match(redirect('/b', status), { status, body: '' })
    t.same(headersOf(redirect('/b', status)), [['location', '/b']])
  }
  const headers = { 'cache-control': 'no-store', 'set-cookie': ['a=1', 'b=2'] }
  t.same(headersOf(redirect('/b', 303, { headers })), [
    ['location', '/b'],
    ['cache-control', 'no-store'],
    ['set-cookie', 'a=1'],
    ['set-cookie', 'b=2'],
  ])
  for (const status of [200, 300, 304, 305, 309, 404, '302' as never]) {
    t.throws(() => redirect('/b', status as 302), { code: 'RR_RESPONSE_INVALID' })
  }
  t.end()
})

t.test('RFC 9457: problem', (t) => {
  const parsed = (response: HttpResponse): unknown => JSON.parse(response.body as string)
  t.equal(problem(404).status, 404)
  t.same(headersOf(problem(404)), [['content-type', 'application/problem+json']])
  t.same(parsed(problem(404)), { title: 'Not Found', status: 404 }, 'is titled by its status')
  t.same(parsed(problem(599)), { status: 599 }, 'where that has a name')
  const details = {
    type: 'https://a/out-of-stock',
    title: 'Out of stock',
    detail: '5 are left',
    instance: '/orders/7',
    left: 5,
  }
  t.same(parsed(problem(409, details)), { ...details, status: 409 }, 'members are kept')
  t.same(
    parsed(problem(409, { title: 'a', status: 200 })),
    { title: 'a', status: 409 },
    'but the status is that of the answer',
  )
  const headers = { 'retry-after': '5', 'Content-Type': 'application/problem+json; a=b' }
  t.same(headersOf(problem(503, {}, { headers })), [
    ['retry-after', '5'],
    ['Content-Type', 'application/problem+json; a=b'],
  ])
  for (const status of [200, 399, 600, 404.5, Number.NaN, '404' as never]) {
    t.throws(() => problem(status), { code: 'RR_RESPONSE_INVALID' }, String(status))
  }
  t.throws(() => problem(404, { size: 1n }), TypeError)
  t.throws(() => problem(404, {}, { headers: { a: '\n' } }), { code: 'RR_HEADER_INVALID' })
  t.end()
})

t.test('jsonSerializer', async (t) => {
  const user = jsonSerializer<{ id: number; name: string; secret?: string }>(
    fastJson({
      type: 'object',
      properties: { id: { type: 'integer' }, name: { type: 'string' } },
      required: ['id', 'name'],
    }),
  )
  t.match(user({ id: 1, name: 'é"' }), { status: 200, body: '{"id":1,"name":"é\\""}' })
  t.same(headersOf(user({ id: 1, name: 'a' })), [['content-type', 'application/json']])
  t.equal(user({ id: 1, name: 'a', secret: 'b' }).body, '{"id":1,"name":"a"}', 'by the schema')
  t.throws(() => user({ id: 1 } as never), { message: /"name" is required/ }, 'throws its errors')
  const created = user({ id: 1, name: 'a' }, { status: 201, headers: { 'x-a': 'b' } })
  t.match(created, { status: 201 })
  t.equal(created.headers?.get('x-a'), 'b')
  for (const text of [undefined, null, 5, {}, Buffer.from('{}')]) {
    t.throws(() => jsonSerializer(() => text as never)(1), { code: 'RR_RESPONSE_INVALID' })
  }
  const conversation = await converse(NEXT, { handler: () => user({ id: 2, name: 'b' }) })
  t.match(conversation.responses(), [{ status: 200, body: '{"id":2,"name":"b"}' }])
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
  for (const body of ['text', null, undefined, 5, {}, ['a'], Buffer.from('a'), () => 1]) {
    t.throws(() => stream(body as never), { code: 'RR_RESPONSE_INVALID' })
  }
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
