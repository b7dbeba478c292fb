import t from 'tap'
import type { Handler } from '../src/handler.ts'
import { HTTP_OPTIONS, type HttpOptionsInput } from '../src/http-options.ts'
import { text } from '../src/response.ts'
import { type RequestCase, runCases } from './support/cases.ts'
import { Conversation } from './support/conversation.ts'
import { CHUNKED, GET, NEXT, POST } from './support/messages.ts'
import { turns } from './support/turns.ts'

interface Limit {
  readonly title: string
  readonly limits: HttpOptionsInput
  readonly limit: number
  /** A message that comes to just `size` of what is limited. */
  readonly message: (size: number) => string
  /** What one over the limit is answered with. */
  readonly status: number
}

const echo: Handler = async (request) => text(String((await request.bytes()).length))

/** One below the limit and the limit itself are taken, and the next request too; one above is not. */
function around({ title, limits, limit, message, status }: Limit): RequestCase[] {
  return [
    [
      `${title}: ${limit - 1}, one below`,
      message(limit - 1) + NEXT,
      [200, 200],
      'open',
      { limits },
    ],
    [`${title}: ${limit}, the limit`, message(limit) + NEXT, [200, 200], 'open', { limits }],
    [`${title}: ${limit + 1}, one above`, message(limit + 1) + NEXT, status, 'closed', { limits }],
  ]
}

const HOST_LINE = 'Host: a\r\n'

/** A header block of `size` bytes, in lines of up to 60. */
function block(size: number): string {
  let lines = ''
  let left = size - HOST_LINE.length
  for (; left > 66; left -= 60) lines += `X: ${'x'.repeat(55)}\r\n`
  return `GET / HTTP/1.1\r\n${HOST_LINE}${lines}Y:${'y'.repeat(left - 4)}\r\n\r\n`
}

/** The same of trailers. */
function trailers(size: number): string {
  let lines = ''
  let left = size
  for (; left > 66; left -= 60) lines += `X: ${'x'.repeat(55)}\r\n`
  return `${CHUNKED}0\r\n${lines}Y:${'y'.repeat(left - 4)}\r\n\r\n`
}

t.test('maxRequestLineBytes: 414', (t) => {
  const line = (size: number): string =>
    `GET /${'x'.repeat(size - 14)} HTTP/1.1\r\n${HOST_LINE}\r\n`
  for (const limit of [64, 8192, 65_536]) {
    const limits = { maxRequestLineBytes: limit }
    runCases(t, around({ title: 'a long path', limits, limit, message: line, status: 414 }))
  }
  runCases(t, [
    ['the default is 8192', line(8193), 414, 'closed'],
    ['a line without an end', `GET /${'x'.repeat(9000)}`, 414, 'closed'],
    ['an absolute form without an end', `GET http://${'x'.repeat(9000)}`, 414, 'closed'],
    ['spaces without an end', `GET ${' '.repeat(9000)}`, 414, 'closed'],
    ['an unknown method without an end is unknown first', 'X'.repeat(9000), 501, 'closed'],
  ])
  t.end()
})

t.test('maxHeaderLineBytes: 431', (t) => {
  const limit = 64
  const limits = { maxHeaderLineBytes: limit }
  const shapes: readonly (readonly [string, (size: number) => string])[] = [
    ['a value', (size) => `X: ${'x'.repeat(size - 3)}`],
    ['a name', (size) => `${'x'.repeat(size - 2)}:y`],
    ['a name without a value', (size) => `${'x'.repeat(size - 1)}:`],
    ['spaces before a value', (size) => `X:${' '.repeat(size - 3)}y`],
    ['spaces after a value', (size) => `X: y${' '.repeat(size - 4)}`],
    ['spaces without a value', (size) => `X:${' '.repeat(size - 2)}`],
    ['tabs without a value', (size) => `X:${'\t'.repeat(size - 2)}`],
  ]
  for (const [title, line] of shapes) {
    const last = (size: number): string => `${GET}${line(size)}\r\n\r\n`
    const first = (size: number): string => `GET / HTTP/1.1\r\n${line(size)}\r\n${HOST_LINE}\r\n`
    runCases(t, around({ title, limits, limit, message: last, status: 431 }))
    runCases(t, around({ title: `${title}, first`, limits, limit, message: first, status: 431 }))
  }
  runCases(t, [
    ['the default is 8192', `${GET}X: ${'x'.repeat(8190)}\r\n\r\n`, 431, 'closed'],
    ['a value without an end', `${GET}X: ${'x'.repeat(9000)}`, 431, 'closed'],
    ['a name without an end', `${GET}${'x'.repeat(9000)}`, 431, 'closed'],
    ['spaces without an end', `${GET}X:${' '.repeat(9000)}`, 431, 'closed'],
  ])
  t.end()
})

t.test('maxHeaderBlockBytes: 431', (t) => {
  for (const limit of [256, 1000, 16_384]) {
    const limits = { maxHeaderBlockBytes: limit, maxHeaders: 2000 }
    runCases(t, around({ title: 'many lines', limits, limit, message: block, status: 431 }))
  }
  const limits = { maxHeaderBlockBytes: 256 }
  const empty = (size: number): string => {
    const values = `X: ${'x'.repeat(185)}\r\n`
    return `${GET}${values}${'Y'.repeat(size - HOST_LINE.length - values.length - 3)}:\r\n\r\n`
  }
  runCases(
    t,
    around({
      title: 'the last line without a value',
      limits,
      limit: 256,
      message: empty,
      status: 431,
    }),
  )
  runCases(t, [
    ['the default is 16384', block(16_385), 431, 'closed', { limits: { maxHeaders: 2000 } }],
  ])
  t.end()
})

t.test('maxHeaders: 431', (t) => {
  const message = (count: number): string => `${GET}${'A:b\r\n'.repeat(count - 1)}\r\n`
  const empty = (count: number): string => `${GET}${'A:\r\n'.repeat(count - 1)}\r\n`
  for (const limit of [2, 100, 2000]) {
    const limits = { maxHeaders: limit }
    runCases(t, around({ title: 'fields', limits, limit, message, status: 431 }))
    runCases(t, around({ title: 'empty fields', limits, limit, message: empty, status: 431 }))
  }
  runCases(t, [
    ['one is enough for Host', NEXT, 200, 'open', { limits: { maxHeaders: 1 } }],
    ['the default is 100', message(101), 431, 'closed'],
    [
      'far more than the most that can be configured',
      message(10_000),
      431,
      'closed',
      { limits: { maxHeaders: 2000, maxHeaderBlockBytes: 1_048_576 } },
    ],
  ])
  t.end()
})

t.test('maxBodyBytes: 413', async (t) => {
  const announced = (size: number): string =>
    `${POST}Content-Length: ${size}\r\n\r\n${'b'.repeat(size)}`
  const chunk = (size: number): string => `${size.toString(16)}\r\n${'b'.repeat(size)}\r\n`
  const inOneChunk = (size: number): string => `${CHUNKED}${chunk(size)}0\r\n\r\n`
  const inChunks = (size: number): string =>
    `${CHUNKED}${chunk(1)}${chunk(size - 3)}${chunk(2)}0\r\n\r\n`
  const status = 413
  for (const limit of [5, 3000]) {
    const limits = { maxBodyBytes: limit }
    runCases(t, around({ title: 'announced', limits, limit, message: announced, status }), {
      handler: echo,
    })
    runCases(t, around({ title: 'in one chunk', limits, limit, message: inOneChunk, status }), {
      handler: echo,
    })
    runCases(t, around({ title: 'in chunks', limits, limit, message: inChunks, status }), {
      handler: echo,
    })
  }
  runCases(t, [
    ['no body may be allowed', NEXT, 200, 'open', { limits: { maxBodyBytes: 0 } }],
    ['and then one byte is too much', announced(1), 413, 'closed', { limits: { maxBodyBytes: 0 } }],
    ['by chunks too', inOneChunk(1), 413, 'closed', { limits: { maxBodyBytes: 0 }, handler: echo }],
    [
      'an empty chunked body is none',
      `${CHUNKED}0\r\n\r\n`,
      200,
      'open',
      { limits: { maxBodyBytes: 0 } },
    ],
    ['the default is 1 MiB', `${POST}Content-Length: 1048577\r\n\r\n`, 413, 'closed'],
    ['the default is 1 MiB, exactly', `${POST}Content-Length: 1048576\r\n\r\n`, 200, 'closed'],
    [
      'an announced length is checked before anything is read, and no handler is called',
      `${POST}Content-Length: 6\r\n\r\n`,
      413,
      'closed',
      { limits: { maxBodyBytes: 5 }, check: (t, { started }) => t.equal(started, 0) },
    ],
  ])

  await t.test(
    'chunks over the limit are refused while they arrive, not at their end',
    async (t) => {
      const conversation = new Conversation({ limits: { maxBodyBytes: 5 }, handler: echo })
      await conversation.send(`${CHUNKED}ffffff\r\nbbbbb`).settle()
      t.ok(conversation.isOpen)
      await conversation.send('b').settle()
      t.same(conversation.statuses(), [413])
    },
  )
})

t.test('maxChunkExtensionBytes: 400 (CVE-2024-22019)', (t) => {
  const limit = 20
  const limits = { maxChunkExtensionBytes: limit }
  const status = 400
  /** A chunk-size line with `extra` bytes more than the 16 that are free. */
  const line = (size: string, extra: number): string =>
    `${size};${'e'.repeat(15 + extra - size.length)}`
  const shapes: readonly (readonly [string, (size: number) => string])[] = [
    ['on the first chunk', (size) => `${line('1', size)}\r\na\r\n0\r\n\r\n`],
    ['on a later chunk', (size) => `1\r\na\r\n${line('1', size)}\r\nb\r\n0\r\n\r\n`],
    ['on the last chunk', (size) => `1\r\na\r\n${line('0', size)}\r\n\r\n`],
    ['on the only chunk, which is the last', (size) => `${line('0', size)}\r\n\r\n`],
    ['on the last chunk, with trailers', (size) => `1\r\na\r\n${line('0', size)}\r\nA: b\r\n\r\n`],
    [
      'on all chunks together',
      (size) => `${line('1', 10)}\r\na\r\n${line('1', size - 10)}\r\nb\r\n0\r\n\r\n`,
    ],
    ['as leading zeros', (size) => `${'0'.repeat(15 + size)}1\r\na\r\n0\r\n\r\n`],
  ]
  for (const [title, chunks] of shapes) {
    const message = (size: number): string => CHUNKED + chunks(size)
    runCases(t, around({ title, limits, limit, message, status }), { handler: echo })
  }
  runCases(
    t,
    [
      ['an extension without an end', `${CHUNKED}1;${'e'.repeat(17_000)}`, 400, 'closed'],
      ['zeros without an end', CHUNKED + '0'.repeat(17_000), 400, 'closed'],
      [
        'short extensions are free',
        `${CHUNKED}${'1;a=b\r\nx\r\n'.repeat(2000)}0\r\n\r\n`,
        200,
        'open',
        { limits },
      ],
    ],
    { handler: echo },
  )
  t.end()
})

t.test('maxHeaderBlockBytes and maxHeaders hold for trailers too: 431', (t) => {
  const status = 431
  const limits = { maxHeaderBlockBytes: 256 }
  runCases(t, around({ title: 'a block', limits, limit: 256, message: trailers, status }), {
    handler: echo,
  })
  const spaces = (size: number): string => `${CHUNKED}0\r\nX:${' '.repeat(size - 4)}\r\n\r\n`
  runCases(t, around({ title: 'spaces', limits, limit: 256, message: spaces, status }), {
    handler: echo,
  })
  const count = (size: number): string => `${CHUNKED}0\r\n${'A:b\r\n'.repeat(size)}\r\n`
  runCases(
    t,
    around({ title: 'a count', limits: { maxHeaders: 10 }, limit: 10, message: count, status }),
    { handler: echo },
  )
  runCases(
    t,
    [
      ['a value without an end', `${CHUNKED}0\r\nX: ${'x'.repeat(17_000)}`, 431, 'closed'],
      ['a name without an end', `${CHUNKED}0\r\n${'x'.repeat(17_000)}`, 431, 'closed'],
      ['spaces without an end', `${CHUNKED}0\r\nX:${' '.repeat(17_000)}`, 431, 'closed'],
    ],
    { handler: echo },
  )
  t.end()
})

t.test('maxDiscardBytes: an unread body over it costs the connection', async (t) => {
  const limits = { maxDiscardBytes: 10 }
  const body = (size: number): string => `${POST}Content-Length: ${size}\r\n\r\n${'b'.repeat(size)}`
  const closes = (conversation: Conversation): boolean =>
    conversation.responses()[0]?.headers.get('connection')?.[0] === 'close'
  runCases(
    t,
    [
      ['9 bytes are discarded', body(9) + NEXT, [200, 200], 'open'],
      ['10 bytes are discarded', body(10) + NEXT, [200, 200], 'open'],
      ['of each request', body(10) + body(10) + NEXT, [200, 200, 200], 'open'],
      [
        '11 bytes are not, and the answer says so',
        body(11) + NEXT,
        200,
        'closed',
        { check: (t, conversation) => t.ok(closes(conversation)) },
      ],
    ],
    { limits },
  )

  await t.test('of a chunked body the wire counts, from the answer on', async (t) => {
    const conversation = new Conversation({ limits })
    await conversation.send(CHUNKED).send('5\r\nhello\r\n').settle()
    t.ok(conversation.isOpen)
    await conversation.send('1').settle()
    t.notOk(conversation.isOpen)
    t.same(conversation.statuses(), [200])
  })

  await t.test('what came before the answer is not held against it', async (t) => {
    const conversation = new Conversation({
      limits,
      handler: async () => {
        await null
        return text('')
      },
    })
    await conversation.send(`${CHUNKED}14\r\n${'b'.repeat(20)}\r\n0\r\n\r\n${NEXT}`).settle()
    t.same(conversation.statuses(), [200, 200])
  })

  await t.test('what the handler gave up reading counts', async (t) => {
    const conversation = new Conversation({
      limits,
      handler: async (request) => {
        await request.stream.cancel()
        await turns(2)
        return text('')
      },
    })
    await conversation.send(`${POST}Content-Length: 14\r\n\r\n`).send('123456').settle()
    t.ok(closes(conversation), '6 bytes that came, and 8 to come')
    t.notOk(conversation.isOpen)
  })

  await t.test('what has all come costs nothing more', async (t) => {
    const conversation = new Conversation({
      limits,
      handler: async (request) => {
        if (request.hasBody) await request.stream.cancel()
        await turns(2)
        return text('')
      },
    })
    await conversation.send(`${POST}Content-Length: 14\r\n\r\n`).send('12345678901234').settle()
    await conversation.send(NEXT).settle()
    t.same(conversation.statuses(), [200, 200])
  })

  t.equal(HTTP_OPTIONS.maxDiscardBytes.default, 262_144)
})
