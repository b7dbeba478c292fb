// Identifiers of requests: whose are taken over, and where they show.

import { composeMiddleware, HttpError, text } from '@rr/core'
import t, { type Test } from 'tap'
import { type RequestIdOptions, requestId } from '../src/request-id.ts'
import { TestServer } from './support/server.ts'

function start(t: Test, options?: RequestIdOptions): Promise<TestServer> {
  return TestServer.compose(t, [requestId(options)], (request) => {
    if (request.path === '/error') throw new HttpError(404, request.id)
    return text(request.id)
  })
}

t.test('one that rr makes is in the answer, and is what the handler knows', async (t) => {
  const server = await start(t)
  for (const path of ['/', '/error']) {
    const { headers, body } = await server.ask({ path })
    t.match(headers['x-request-id'], /^[A-Za-z0-9_-]{8}-[a-z0-9]+$/)
    t.equal(headers['x-request-id'], body.toString())
  }
})

t.test('prevents a client from choosing it, unless it is trusted', async (t) => {
  const headers = { 'x-request-id': 'chosen' }
  const untrusting = await start(t)
  t.not((await untrusting.ask({ headers })).body.toString(), 'chosen')
  const trusting = await start(t, { trust: true })
  const answer = await trusting.ask({ headers })
  t.equal(answer.headers['x-request-id'], 'chosen')
  t.equal(answer.body.toString(), 'chosen')
  t.not((await trusting.ask()).body.toString(), 'chosen')
})

t.test('trust by peer', async (t) => {
  const headers = { 'x-request-id': 'chosen' }
  for (const [address, expected] of [
    ['127.0.0.1', true],
    ['127.0.0.2', false],
  ] as const) {
    const server = await start(t, { trust: (peer) => peer.address === address })
    t.equal((await server.ask({ headers })).body.toString() === 'chosen', expected)
  }
})

t.test('another header, and what others may not look like', async (t) => {
  const server = await start(t, { trust: true, header: 'X-Correlation-ID', maxLength: 10 })
  const ask = async (id: string): Promise<string> =>
    (await server.ask({ headers: { 'x-correlation-id': id } })).body.toString()
  for (const id of ['a', '0123456789', 'a-b_c.d~+', 'a/=:@b']) t.equal(await ask(id), id)
  for (const id of ['', '01234567890', 'a b', 'a,b', 'a"b', 'a\\b', '<a>', 'a;b', '$(a)', '\xe4']) {
    t.not(await ask(id), id, JSON.stringify(id))
  }
  const { headers } = await server.ask({ headers: { 'x-correlation-id': ['a', 'b'] } })
  t.not(headers['x-correlation-id'], 'a', 'two are none')
  t.not(headers['x-correlation-id'], 'a, b')
})

for (const [length, expected] of [
  [127, true],
  [128, true],
  [129, false],
] as const) {
  t.test(`${length} characters, of which 128 may be`, async (t) => {
    const server = await start(t, { trust: true })
    const id = 'x'.repeat(length)
    const answer = await server.ask({ headers: { 'x-request-id': id } })
    t.equal(answer.body.toString() === id, expected)
  })
}

t.test('it is what logs further out show', async (t) => {
  const logged = Promise.withResolvers<string>()
  const handler = composeMiddleware([requestId({ trust: true })], () => text('ok'))
  const server = await TestServer.start(t, handler, {
    onAccess: ({ request }) => logged.resolve(request.id),
  })
  await server.ask({ headers: { 'x-request-id': 'chosen' } })
  t.equal(await logged.promise, 'chosen')
})

t.test('options that cannot be are refused when it is made', async (t) => {
  const refused = (options: object, message: RegExp, code = 'RR_OPTION_INVALID'): void => {
    t.throws(() => requestId(options), { code, message })
  }
  refused(
    { trusted: true },
    /requestId\(\): unknown option 'trusted'.*'trust'/,
    'RR_OPTION_UNKNOWN',
  )
  refused({ trust: '127.0.0.1' }, /'trust' takes true, false or a function, not '127\.0\.0\.1'/)
  refused({ header: 'a b' }, /'header' takes a header name/)
  refused({ header: '' }, /'header'/)
  refused({ maxLength: 0 }, /'maxLength'/)
  refused({ maxLength: 257 }, /'maxLength'/)
  t.ok(requestId({ maxLength: 256 }))
})
