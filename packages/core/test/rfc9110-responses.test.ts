import t from 'tap'
import type { Handler } from '../src/handler.ts'
import { headerBlock } from '../src/header-block.ts'
import { empty, stream, text } from '../src/response.ts'
import { runCases } from './support/cases.ts'
import { type Conversation, converse } from './support/conversation.ts'
import { NEXT, request } from './support/messages.ts'
import { Random } from './support/random.ts'
import type { ParsedResponse } from './support/response-parser.ts'

async function answer(handler: Handler, input = NEXT): Promise<ParsedResponse> {
  const conversation = await converse(input, { handler })
  const response = conversation.responses()[0]
  if (response === undefined) throw new Error('no answer')
  return response
}

const http10 = request('GET / HTTP/1.0', 'Connection: keep-alive')

async function* parts(): AsyncGenerator<string> {
  yield 'hel'
  yield ''
  yield 'lo'
}

t.test('RFC 9110 §6.6.1 Date', async (t) => {
  const { headers } = await answer(() => text(''))
  const date = Date.parse(headers.get('date')?.[0] ?? '')
  t.ok(Math.abs(date - Date.now()) < 60_000, 'is the time of the answer')

  const given = 'Sun, 06 Nov 1994 08:49:37 GMT'
  const own = await answer(() => text('', { headers: { DATE: given } }))
  t.same(own.headers.get('date'), [given], 'that of the handler is sent as it is, once')
  const block = headerBlock({ Date: given })
  const again = await converse(NEXT.repeat(5), { handler: () => text('', { headers: block }) })
  const literal = await converse(NEXT.repeat(5), {
    handler: () => ({ status: 200, headers: block, body: '' }),
  })
  for (const { headers } of [...again.responses(), ...literal.responses()]) {
    t.same(headers.get('date'), [given], 'again and again')
  }

  const inputs = ['GET / HTTP/1.1\r\n\r\n', 'BREW / HTTP/1.1\r\n\r\n', `HEAD${NEXT.slice(3)}`]
  for (const input of inputs) {
    const conversation = await converse(input)
    t.match(conversation.output, /\r\ndate: /, 'is in refusals and in answers to HEAD')
  }

  const { now } = Date
  t.teardown(() => {
    Date.now = now
  })
  const shared = text('')
  const conversation = await converse(NEXT, { handler: () => shared })
  for (const second of [1, 2, 2, 3]) {
    Date.now = () => Date.UTC(2030, 0, 1, 0, 0, second, 999)
    await conversation.advance(250).send(NEXT).settle()
  }
  t.same(
    conversation
      .responses()
      .map(({ headers }) => headers.get('date')?.[0]?.slice(-12))
      .slice(1),
    ['00:00:01 GMT', '00:00:02 GMT', '00:00:02 GMT', '00:00:03 GMT'],
    'moves on, for headers that are used again too',
  )
})

t.test('RFC 9110 §8.6 Content-Length, RFC 9112 §6.1 Transfer-Encoding', async (t) => {
  const framing = ({ headers }: ParsedResponse): unknown[] => [
    headers.get('content-length')?.[0],
    headers.get('transfer-encoding')?.[0],
  ]
  const whole = await answer(() => text('héllo€'))
  t.same(framing(whole), ['9', undefined], 'a length counts bytes')
  t.equal(Buffer.from(whole.body, 'latin1').toString(), 'héllo€')

  t.same(framing(await answer(() => text(''))), ['0', undefined])
  t.same(
    framing(await answer(() => empty({ status: 200 }))),
    ['0', undefined],
    'no body is one of length 0',
  )
  t.same(framing(await answer(() => empty({ status: 404 }))), ['0', undefined])

  const streamed = await answer(() => stream(parts()))
  t.same(framing(streamed), [undefined, 'chunked'], 'a stream is chunked')
  t.equal(streamed.body, 'hello', 'and an empty chunk does not end it')

  const announced = await answer(() => stream(parts(), { headers: { 'content-length': '5' } }))
  t.same(framing(announced), ['5', undefined], 'unless its length is known')
  t.equal(announced.body, 'hello')

  const old = await answer(() => stream(parts()), http10)
  t.same(framing(old), [undefined, undefined], 'or the client does not know chunks')
  t.match(old, { body: 'hello', closeDelimited: true })
  t.same(old.headers.get('connection'), ['close'])

  const oldAnnounced = await answer(
    () => stream(parts(), { headers: { 'content-length': '5' } }),
    http10,
  )
  t.same(oldAnnounced.headers.get('connection'), ['keep-alive'], 'a known length keeps it open')

  const smuggled = await answer(() =>
    text('hello', {
      headers: [
        ['Content-Length', '5'],
        ['Transfer-Encoding', 'gzip'],
      ],
    }),
  )
  t.same(framing(smuggled), ['5', undefined], 'Transfer-Encoding is not for the handler to set')
})

t.test('RFC 9110 §6.4.1 Content Semantics: statuses without a body', (t) => {
  const body = (): Handler => () => ({
    status: 204,
    headers: { 'content-length': '5' },
    body: 'hello',
  })
  const has = (conversation: Conversation, field: string): boolean =>
    conversation.responses()[0]?.headers.has(field) ?? false
  runCases(t, [
    [
      '204 has no body and no framing, whatever the handler says',
      NEXT + NEXT,
      [204, 204],
      'open',
      { handler: body() },
    ],
    [
      '204 has no framing when the handler streams',
      NEXT + NEXT,
      [204, 204],
      'open',
      { handler: () => stream(parts(), { status: 204 }) },
    ],
    [
      '304 has no body; a length in it is that of the answer it stands for',
      NEXT + NEXT,
      [304, 304],
      'open',
      {
        handler: () => ({
          status: 304,
          headers: { 'content-length': '1234', etag: '"a"' },
          body: 'x',
        }),
        check: (t, conversation) => {
          t.same(conversation.responses()[0]?.headers.get('content-length'), ['1234'])
        },
      },
    ],
    [
      '304 has no length of its own',
      NEXT + NEXT,
      [304, 304],
      'open',
      {
        handler: () => empty({ status: 304 }),
        check: (t, conversation) => t.notOk(has(conversation, 'content-length')),
      },
    ],
    [
      '304 has no framing when the handler streams',
      NEXT + NEXT,
      [304, 304],
      'open',
      {
        handler: () => stream(parts(), { status: 304 }),
        check: (t, conversation) => t.notOk(has(conversation, 'transfer-encoding')),
      },
    ],
    [
      '205 has no body, which its length of 0 says (§15.3.6)',
      NEXT + NEXT,
      [205, 205],
      'open',
      {
        handler: () => text('hello', { status: 205 }),
        check: (t, conversation) => {
          t.same(conversation.responses()[0]?.headers.get('content-length'), ['0'])
        },
      },
    ],
    [
      '205 has no body when the handler streams',
      NEXT + NEXT,
      [205, 205],
      'open',
      { handler: () => stream(parts(), { status: 205 }) },
    ],
  ])
  t.end()
})

t.test('RFC 9110 §7.6.1 Connection', async (t) => {
  const { headers } = await answer(() =>
    text('', {
      headers: {
        Connection: 'x-hop',
        'Keep-Alive': 'timeout=5',
        'Proxy-Connection': 'keep-alive',
        TE: 'trailers',
        'Transfer-Encoding': 'chunked',
        'X-Kept': 'y',
      },
    }),
  )
  t.same(
    [...headers.keys()].sort(),
    ['content-length', 'content-type', 'date', 'x-kept'],
    'the fields of the connection are for the server to set',
  )
  const upgrade = await answer(() => text('', { status: 426, headers: { Upgrade: 'HTTP/3.0' } }))
  t.same(upgrade.headers.get('upgrade'), ['HTTP/3.0'])
  t.same(upgrade.headers.get('connection'), ['upgrade'], 'Upgrade is named by Connection (§7.8)')
})

t.test('RFC 9110 §6.5.2 Processing Trailers', async (t) => {
  const seen: unknown[] = []
  const input = `${request('POST / HTTP/1.1', 'Host: a', 'Transfer-Encoding: chunked', 'X-A: head')}2\r\nab\r\n0\r\nX-A: tail\r\nX-B: 2\r\n\r\n`
  await converse(input, {
    handler: async (request) => {
      seen.push([...request.trailers])
      await request.bytes()
      seen.push([...request.trailers], request.headers.get('x-a'), request.headers.get('x-b'))
      return text('')
    },
  })
  t.same(
    seen,
    [
      [],
      [
        ['x-a', 'tail'],
        ['x-b', '2'],
      ],
      'head',
      null,
    ],
    'trailers show when the body has been read, and never among the headers',
  )
})

t.test('headers that are used again and again are those of their own answer', async (t) => {
  const blocks = Array.from({ length: 200 }, (_, index) =>
    headerBlock({ 'x-index': String(index) }),
  )
  const random = new Random(9110)
  const bodies = ['', 'a', 'b'.repeat(4095), 'c'.repeat(4096), 'd'.repeat(5000)]
  const expected: unknown[] = []
  const conversation = await converse(NEXT.repeat(3000), {
    handler: () => {
      // Neighbours, and blocks that are as far apart as a cache of them may be large.
      const block = random.pick([0, 1, 64, 65, 128, 192])
      const status = random.pick([200, 404])
      const body = random.pick(bodies)
      expected.push([status, String(block), String(body.length)])
      return { status, headers: blocks[block], body }
    },
  })
  t.same(
    conversation
      .responses()
      .map(({ status, headers }) => [
        status,
        headers.get('x-index')?.join(),
        headers.get('content-length')?.join(),
      ]),
    expected,
  )
})

t.test('RFC 9110 §6.5: trailers are those of their own request', async (t) => {
  const seen: unknown[] = []
  const chunked = request('POST / HTTP/1.1', 'Host: a', 'Transfer-Encoding: chunked')
  const input = [
    `${chunked}0\r\nX: 1\r\n\r\n`,
    `${request('POST / HTTP/1.1', 'Host: a', 'Content-Length: 1')}a`,
    `${chunked}0\r\n\r\n`,
    NEXT,
  ]
  await converse(input.join(''), {
    handler: async (request) => {
      await request.bytes()
      seen.push([...request.trailers])
      return text('')
    },
  })
  t.same(seen, [[['x', '1']], [], [], []])
})

t.test('RFC 9110 §15 Status Codes', async (t) => {
  for (const status of [200, 299, 301, 404, 418, 499, 500, 599]) {
    const response = await answer(() => text('', { status }))
    t.equal(response.status, status)
  }
  t.equal((await answer(() => text('', { status: 404 }))).reason, 'Not Found')
  t.equal((await answer(() => text('', { status: 299 }))).reason, '', 'a reason may be empty')
})
