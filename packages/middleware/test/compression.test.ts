// Compression of whole answers: what is compressed, how, and what the fields say.

import { bytes, empty, type HandlerResult, headerBlock, html, json, stream, text } from '@rr/core'
import t from 'tap'
import { compression } from '../src/compression.ts'
import { decoded, textOf } from './support/coding-text.ts'
import { TestServer } from './support/server.ts'

const GZIP = { 'accept-encoding': 'gzip' }

for (const coding of ['gzip', 'deflate', 'br', 'zstd']) {
  for (const length of [1024, 16_384, 16_385, 300_000]) {
    t.test(`${coding}, ${length} bytes`, async (t) => {
      const body = textOf(length)
      const server = await TestServer.compose(t, [compression()], () => text(body))
      const answer = await server.ask({ headers: { 'accept-encoding': coding } })
      t.equal(answer.headers['content-encoding'], coding)
      t.equal(answer.headers.vary, 'Accept-Encoding')
      t.equal(answer.headers['content-length'], String(answer.body.length))
      t.ok(answer.body.length < length / 4)
      t.equal(decoded(coding, answer.body), body)
    })
  }
}

t.test('levels that take long, also for small bodies', async (t) => {
  const levels = { br: 11, zstd: 19, gzip: 9, deflate: 9 }
  const body = textOf(3000)
  const server = await TestServer.compose(t, [compression({ levels })], () => text(body))
  for (const coding of Object.keys(levels)) {
    const answer = await server.ask({ headers: { 'accept-encoding': coding } })
    t.equal(decoded(coding, answer.body), body)
  }
})

t.test('a Uint8Array, and text that is not ASCII', async (t) => {
  const words = 'größer als zuvor, 日本語. '.repeat(100)
  const server = await TestServer.compose(t, [compression()], ({ path }) =>
    path === '/bytes'
      ? bytes(Buffer.from(words), { headers: { 'content-type': 'image/svg+xml' } })
      : html(words),
  )
  for (const path of ['/bytes', '/']) {
    const { headers, body } = await server.ask({ path, headers: { 'accept-encoding': 'br' } })
    t.equal(decoded(headers['content-encoding'], body), words)
  }
})

for (const [bytes, coding] of [
  [1023, undefined],
  [1024, 'gzip'],
  [1025, 'gzip'],
] as const) {
  t.test(`a body of ${bytes} bytes, of which 1024 are enough`, async (t) => {
    const server = await TestServer.compose(t, [compression()], ({ path }) =>
      // Two bytes a character: what counts is bytes.
      text(path === '/' ? textOf(bytes) : 'ä'.repeat(bytes >> 1) + 'x'.repeat(bytes & 1)),
    )
    for (const path of ['/', '/wide']) {
      const { headers } = await server.ask({ path, headers: GZIP })
      t.equal(headers['content-encoding'], coding)
      t.equal(headers.vary, 'Accept-Encoding', 'a cache must know in both cases')
    }
  })
}

t.test('a client that refuses plain bodies gets small ones compressed too', async (t) => {
  const server = await TestServer.compose(t, [compression()], () => text('small'))
  const { headers, body } = await server.ask({
    headers: { 'accept-encoding': 'gzip, identity;q=0' },
  })
  t.equal(headers['content-encoding'], 'gzip')
  t.equal(decoded('gzip', body), 'small')
  const refused = await server.ask({ headers: { 'accept-encoding': '*;q=0' } })
  t.match(refused, { status: 200, body: Buffer.from('small') })
})

const LONG = textOf(5000)
const PLAIN: [string, () => HandlerResult, vary?: string][] = [
  ['a type that does not compress', () => bytes(Buffer.alloc(5000))],
  ['an image', () => bytes(Buffer.alloc(5000), { headers: { 'content-type': 'image/png' } })],
  ['no type', () => ({ status: 200, body: LONG })],
  ['another coding already', () => text(LONG, { headers: { 'content-encoding': 'x-own' } })],
  ['identity as its coding', () => text(LONG, { headers: { 'content-encoding': 'identity' } })],
  [
    'no-transform (RFC 9111 §5.2.2.6)',
    () => text(LONG, { headers: { 'cache-control': 'max-age=1, No-Transform' } }),
  ],
  [
    'no-transform in a field of its own',
    () => text(LONG, { headers: { 'cache-control': ['max-age=1', 'no-transform'] } }),
  ],
  [
    'a part (RFC 9110 §14.4)',
    () => text(LONG, { status: 206, headers: { 'content-range': 'bytes 0-4999/9000' } }),
  ],
  ['206 without a range', () => text(LONG, { status: 206 })],
  ['416', () => text(LONG, { status: 416, headers: { 'content-range': 'bytes */9000' } })],
  ['a digest (RFC 9530)', () => text(LONG, { headers: { 'repr-digest': 'sha-256=:AAAA:' } })],
  ['204', () => empty({ headers: { 'content-type': 'text/plain' } })],
  ['205', () => empty({ status: 205, headers: { 'content-type': 'text/plain' } })],
  ['no body', () => empty({ status: 200, headers: { 'content-type': 'text/plain' } })],
]
for (const [title, handler] of PLAIN) {
  t.test(`left as it is: ${title}`, async (t) => {
    const server = await TestServer.compose(t, [compression()], handler)
    const without = await (await TestServer.start(t, handler)).ask({ headers: GZIP })
    const answer = await server.ask({ headers: GZIP })
    t.same({ ...answer.headers, date: '' }, { ...without.headers, date: '' })
    t.same(answer.body, without.body)
  })
}

for (const [title, vary, expected] of [
  ['none', undefined, 'Accept-Encoding'],
  ['another', 'Origin', 'Origin, Accept-Encoding'],
  ['several fields', ['Origin', 'Accept'], 'Origin, Accept, Accept-Encoding'],
  ['the same', 'origin, ACCEPT-encoding', 'origin, ACCEPT-encoding'],
  ['everything', '*', '*'],
] as const) {
  t.test(`RFC 9110 §12.5.5: Vary beside ${title}`, async (t) => {
    const handler = () => text(LONG, { headers: { vary } })
    const server = await TestServer.compose(t, [compression()], handler)
    t.equal((await server.ask({ headers: GZIP })).headers.vary, expected)
    t.equal((await server.ask()).headers.vary, expected, 'without Accept-Encoding as well')
  })
}

t.test('RFC 9110 §8.8.1: a strong ETag becomes weak, a weak one stays', async (t) => {
  const server = await TestServer.compose(t, [compression()], ({ path }) =>
    text(LONG, { headers: { etag: path === '/weak' ? 'W/"a"' : '"a"', 'accept-ranges': 'bytes' } }),
  )
  for (const path of ['/weak', '/strong']) {
    const { headers } = await server.ask({ path, headers: GZIP })
    t.equal(headers.etag, 'W/"a"')
    t.equal(headers['accept-ranges'], undefined, 'ranges would be of other bytes')
  }
  const { headers } = await server.ask({ path: '/strong' })
  t.match(headers, { etag: '"a"', 'accept-ranges': 'bytes' })
})

t.test('RFC 9110 §15.4.5: a 304 has the Vary and the ETag of the 200', async (t) => {
  const handler = () => empty({ status: 304, headers: { etag: '"a"', vary: 'Origin' } })
  const server = await TestServer.compose(t, [compression()], handler)
  t.match((await server.ask({ headers: GZIP })).headers, {
    etag: 'W/"a"',
    vary: 'Origin, Accept-Encoding',
  })
  t.match((await server.ask()).headers, { etag: '"a"', vary: 'Origin, Accept-Encoding' })
})

t.test('RFC 9110 §9.3.2: HEAD has the fields of GET, but for the length', async (t) => {
  let isLetGo = false
  async function* chunks(): AsyncGenerator<string> {
    yield LONG
  }
  const body = Object.assign(chunks(), {
    destroy: () => {
      isLetGo = true
    },
  })
  const server = await TestServer.compose(t, [compression()], ({ path }) => {
    const headers = { 'content-type': 'text/plain', etag: '"a"' }
    if (path === '/stream') return stream(body, { headers })
    if (path === '/none') return empty({ status: 200, headers: { ...headers } })
    if (path === '/length') {
      return empty({ status: 200, headers: { ...headers, 'content-length': '5000' } })
    }
    return text(LONG, { headers })
  })
  for (const path of ['/', '/stream', '/length']) {
    const answer = await server.ask({ path, method: 'HEAD', headers: GZIP })
    t.match(answer, {
      headers: {
        'content-encoding': 'gzip',
        'content-type': /text\/plain/,
        etag: 'W/"a"',
        vary: 'Accept-Encoding',
      },
      body: Buffer.alloc(0),
    })
    t.notHas(answer.headers, 'content-length')
  }
  t.ok(isLetGo, 'a stream that nobody gets is let go of')
  t.notHas((await server.ask({ path: '/none', method: 'HEAD', headers: GZIP })).headers, 'vary')
})

t.test('content-length of the handler is that of what is sent', async (t) => {
  const headers = { 'content-length': String(LONG.length), connection: 'close' }
  const server = await TestServer.compose(t, [compression()], () => text(LONG, { headers }))
  const answer = await server.ask({ headers: GZIP })
  t.equal(answer.headers['content-length'], String(answer.body.length))
  t.equal(answer.headers.connection, 'close', 'and a wish to close is kept')
})

t.test('a block of headers that many answers share is changed each time', async (t) => {
  const shared = headerBlock({ 'content-type': 'text/css', etag: '"a"' })
  const server = await TestServer.compose(t, [compression()], () => ({
    status: 200,
    headers: shared,
    body: LONG,
  }))
  for (const coding of ['gzip', 'gzip', 'br', 'gzip', 'zstd']) {
    const { headers, body } = await server.ask({ headers: { 'accept-encoding': coding } })
    t.match(headers, { 'content-encoding': coding, etag: 'W/"a"', vary: 'Accept-Encoding' })
    t.equal(decoded(coding, body), LONG)
  }
  t.equal((await server.ask()).headers['content-encoding'], undefined)
  t.equal(shared.lines, 'content-type: text/css\r\netag: "a"\r\n')
})

t.test('options', async (t) => {
  const server = await TestServer.compose(
    t,
    [
      compression({
        codings: ['gzip', 'br'],
        minBytes: 10,
        levels: { gzip: 1, br: 11 },
        isCompressible: (type) => type === 'application/x-own',
      }),
    ],
    ({ path }) =>
      path === '/own'
        ? text(textOf(10), { headers: { 'content-type': 'Application/X-Own; a=b' } })
        : json([LONG]),
  )
  const any = { 'accept-encoding': 'zstd, br, gzip' }
  t.equal((await server.ask({ path: '/own', headers: any })).headers['content-encoding'], 'gzip')
  t.equal((await server.ask({ headers: any })).headers['content-encoding'], undefined)
})

t.test('options that cannot be are refused when it is made', async (t) => {
  const refused = (options: object, message: RegExp, code = 'RR_OPTION_INVALID'): void => {
    t.throws(() => compression(options), { code, message })
  }
  refused(
    { minByte: 1 },
    /compression\(\): unknown option 'minByte'.*'minBytes'/,
    'RR_OPTION_UNKNOWN',
  )
  refused({ minBytes: -1 }, /'minBytes' takes a whole number/)
  refused({ codings: [] }, /'codings' takes a list of some of zstd, br, gzip, deflate/)
  refused({ codings: ['gzip', 'gzip'] }, /'codings'/)
  refused({ codings: ['lz4'] }, /'codings'/)
  refused({ codings: 'gzip' }, /'codings'/)
  refused({ isCompressible: true }, /'isCompressible' takes a function, not true/)
  refused({ levels: { gzip: 0 } }, /'gzip' takes a whole number from 1 to 9/)
  refused({ levels: { gzip: 10 } }, /'gzip'/)
  refused({ levels: { deflate: 10 } }, /'deflate'/)
  refused({ levels: { br: 12 } }, /'br' takes a whole number from 0 to 11/)
  refused({ levels: { zstd: 20 } }, /'zstd' takes a whole number from 1 to 19/)
  refused({ levels: { gz: 1 } }, /unknown option 'gz'/, 'RR_OPTION_UNKNOWN')
  refused([] as unknown as object, /options are an object/)
  for (const level of [0, 11]) t.ok(compression({ levels: { br: level } }))
  for (const level of [1, 9]) t.ok(compression({ levels: { gzip: level, deflate: level } }))
  for (const level of [1, 19]) t.ok(compression({ levels: { zstd: level } }))
})
