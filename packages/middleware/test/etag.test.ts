// ETags of dynamic answers, and the conditional requests that they make possible.

import { bytes, empty, headerBlock, json, stream, text } from '@rr/core'
import t, { type Test } from 'tap'
import { compression } from '../src/compression.ts'
import { type EtagOptions, etag } from '../src/etag.ts'
import { textOf } from './support/coding-text.ts'
import { TestServer } from './support/server.ts'

function start(t: Test, options?: EtagOptions, handler = () => text('the body')) {
  return TestServer.compose(t, [etag(options)], handler)
}

t.test('RFC 9110 §8.8.3: a tag for a body, the same for the same bytes', async (t) => {
  const server = await TestServer.compose(t, [etag()], ({ path }) => {
    if (path === '/bytes') return bytes(Buffer.from('the body'))
    return path === '/' ? text('the body') : json({ a: 'ü' })
  })
  const { headers } = await server.ask()
  t.match(headers.etag, /^W\/"[A-Za-z0-9_-]{27}"$/)
  t.equal((await server.ask({ path: '/bytes' })).headers.etag, headers.etag)
  t.equal((await server.ask({ method: 'HEAD' })).headers.etag, headers.etag)
  t.not((await server.ask({ path: '/json' })).headers.etag, headers.etag)
  const strong = await start(t, { kind: 'strong' })
  t.equal((await strong.ask()).headers.etag, headers.etag?.slice(2))
})

t.test('the empty body has one too', async (t) => {
  const server = await start(t, {}, () => text(''))
  t.match((await server.ask()).headers.etag, /^W\/"/)
})

t.test('answers that have none', async (t) => {
  async function* chunks(): AsyncGenerator<string> {
    yield 'streamed'
  }
  const server = await TestServer.compose(t, [etag()], ({ path }) => {
    if (path === '/stream') return stream(chunks())
    if (path === '/none') return empty({ status: 200 })
    return text('x', { status: Number(path.slice(1)) })
  })
  for (const path of ['/201', '/203', '/404', '/500', '/stream', '/none']) {
    t.notHas((await server.ask({ path })).headers, 'etag', path)
  }
  for (const method of ['POST', 'PUT', 'DELETE']) {
    t.notHas((await server.ask({ path: '/200', method })).headers, 'etag', method)
  }
})

for (const [length, has] of [
  [99, true],
  [100, true],
  [101, false],
] as const) {
  t.test(`a body of ${length} bytes, of which 100 are hashed`, async (t) => {
    const server = await TestServer.compose(t, [etag({ maxBytes: 100 })], ({ path }) => {
      if (path === '/bytes') return bytes(Buffer.alloc(length))
      return text(
        path === '/wide'
          ? `${'ä'.repeat(length >> 1)}${'x'.repeat(length & 1)}`
          : 'x'.repeat(length),
      )
    })
    for (const path of ['/', '/wide', '/bytes']) {
      t.equal('etag' in (await server.ask({ path })).headers, has, path)
    }
  })
}

const TAG = '"v,1"'
for (const [title, condition, status] of [
  ['the tag', TAG, 304],
  ['the tag, weak (§8.8.3.2)', `W/${TAG}`, 304],
  ['a list with it', `"a", ${TAG}, W/"b"`, 304],
  ['a list without spaces', `"a",${TAG}`, 304],
  ['*', '*', 304],
  ['another', '"v,2"', 200],
  ['a part of it', '"v', 200],
  ['its letters without quotes', 'v,1', 200],
  ['nothing', '', 200],
  ['a list with * in it', '"a", *', 200],
  ['quotes without end', '"'.repeat(1001), 200],
] as const) {
  t.test(`RFC 9110 §13.1.2: If-None-Match with ${title}`, async (t) => {
    const server = await start(t, {}, () => text('the body', { headers: { etag: TAG } }))
    for (const method of ['GET', 'HEAD']) {
      const answer = await server.ask({ method, headers: { 'if-none-match': condition } })
      t.equal(answer.status, status)
      t.equal(answer.headers.etag, TAG)
      if (status === 304) t.equal(answer.body.length, 0)
    }
  })
}

t.test('several If-None-Match fields are one list (§5.3)', async (t) => {
  const server = await start(t, {}, () => text('the body', { headers: { etag: TAG } }))
  t.equal((await server.ask({ headers: { 'if-none-match': ['"a"', TAG] } })).status, 304)
})

t.test('RFC 9110 §15.4.5: a 304 has the fields it must, none about content', async (t) => {
  const headers = {
    'cache-control': 'max-age=5',
    'content-location': '/here',
    date: 'Tue, 03 Nov 2026 10:00:00 GMT',
    expires: 'Tue, 03 Nov 2026 11:00:00 GMT',
    vary: 'Accept',
    'set-cookie': ['a=1', 'b=2'],
    'content-security-policy': "default-src 'self'",
    'content-language': 'en',
    'content-disposition': 'inline',
    'last-modified': 'Tue, 03 Nov 2026 09:00:00 GMT',
    'content-length': '8',
  }
  const server = await start(t, {}, () => text('the body', { headers }))
  const tag = (await server.ask()).headers.etag as string
  const answer = await server.ask({ headers: { 'if-none-match': tag } })
  t.equal(answer.status, 304)
  t.same(answer.headers, {
    'cache-control': 'max-age=5',
    'content-location': '/here',
    date: headers.date,
    expires: headers.expires,
    vary: 'Accept',
    'set-cookie': ['a=1', 'b=2'],
    'content-security-policy': "default-src 'self'",
    etag: tag,
    connection: 'close',
  })
})

t.test('a 304 lets go of a stream that it stands for', async (t) => {
  let isCancelled = false
  const body = new ReadableStream({
    cancel: () => {
      isCancelled = true
    },
  })
  const server = await start(t, {}, () => stream(body, { headers: { etag: TAG } }))
  t.equal((await server.ask({ headers: { 'if-none-match': TAG } })).status, 304)
  t.ok(isCancelled)
})

t.test('If-Match and If-Unmodified-Since are passed over unless asked for', async (t) => {
  const since = 'Tue, 03 Nov 2026 09:00:00 GMT'
  const server = await start(t, {}, () =>
    text('x', { headers: { 'last-modified': 'Wed, 04 Nov 2026 09:00:00 GMT' } }),
  )
  t.equal((await server.ask({ headers: { 'if-match': '"other"' } })).status, 200)
  t.equal((await server.ask({ headers: { 'if-unmodified-since': since } })).status, 200)
})

for (const [title, headers, status] of [
  ['If-Match with the tag', { 'if-match': TAG }, 200],
  ['in a list', { 'if-match': `"a", ${TAG}` }, 200],
  ['*', { 'if-match': '*' }, 200],
  ['the weak tag: compared strongly (§13.1.1)', { 'if-match': `W/${TAG}` }, 412],
  ['another tag', { 'if-match': '"a"' }, 412],
  ['a tag of which it is a part', { 'if-match': '"v,1,2"' }, 412],
  ['before If-None-Match', { 'if-match': '"a"', 'if-none-match': TAG }, 412],
  ['If-None-Match after it', { 'if-match': TAG, 'if-none-match': TAG }, 304],
  ['unmodified since', { 'if-unmodified-since': 'Tue, 03 Nov 2026 09:00:00 GMT' }, 200],
  ['modified since', { 'if-unmodified-since': 'Tue, 03 Nov 2026 08:59:59 GMT' }, 412],
  ['a date that is none', { 'if-unmodified-since': 'yesterday' }, 200],
  [
    'If-Match in place of the date (§13.1.4)',
    { 'if-match': TAG, 'if-unmodified-since': 'Tue, 03 Nov 2026 08:59:59 GMT' },
    200,
  ],
] as [string, Record<string, string>, number][]) {
  t.test(`RFC 9110 §13.2.2, where asked for: ${title}`, async (t) => {
    const own = { etag: TAG, 'last-modified': 'Tue, 03 Nov 2026 09:00:00 GMT' }
    const options = { kind: 'strong', ifMatch: true } as const
    const server = await start(t, options, () => text('x', { headers: own }))
    t.equal((await server.ask({ headers })).status, status)
  })
}

t.test('a shared block of headers is not changed', async (t) => {
  const shared = headerBlock({ 'x-own': '1' })
  const server = await start(t, {}, () => text('x', { headers: shared }))
  await server.ask()
  t.equal(shared.get('etag'), null)
})

t.test('inside compression: the tag of the 304 is the one that was sent', async (t) => {
  const body = textOf(3000)
  const server = await TestServer.compose(t, [compression(), etag({ kind: 'strong' })], () =>
    text(body),
  )
  const gzip = { 'accept-encoding': 'gzip' }
  const first = await server.ask({ headers: gzip })
  t.equal(first.headers['content-encoding'], 'gzip')
  t.match(first.headers.etag, /^W\/"/)
  const again = await server.ask({
    headers: { ...gzip, 'if-none-match': first.headers.etag ?? '' },
  })
  t.match(again, { status: 304, headers: { etag: first.headers.etag, vary: 'Accept-Encoding' } })
})

t.test('options that cannot be are refused when it is made', async (t) => {
  const refused = (options: object, message: RegExp, code = 'RR_OPTION_INVALID'): void => {
    t.throws(() => etag(options), { code, message })
  }
  refused({ kinds: 'weak' }, /etag\(\): unknown option 'kinds'.*'kind'/, 'RR_OPTION_UNKNOWN')
  refused({ kind: 'soft' }, /'kind' takes one of weak, strong/)
  refused({ maxBytes: -1 }, /'maxBytes'/)
  refused({ ifMatch: 1 }, /'ifMatch' takes true or false/)
  refused({ ifMatch: true }, /'ifMatch' takes true only with kind 'strong'/)
})
