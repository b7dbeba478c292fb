// Cross-origin resource sharing (Fetch standard, HTTP CORS protocol).

import { empty, HttpError, type HttpResponse, text } from '@rr/core'
import { createRouter } from '@rr/router'
import t, { type Test } from 'tap'
import { type CorsOptions, cors } from '../src/cors.ts'
import { type Answer, TestServer } from './support/server.ts'

const APP = 'https://app.example.com'

function start(t: Test, options: CorsOptions, handler = () => text('ok')): Promise<TestServer> {
  return TestServer.compose(t, [cors(options)], handler)
}

/** The fields of CORS, and Vary. */
function fields({ headers }: Answer): Record<string, unknown> {
  const own = Object.entries(headers).filter(([name]) => /^access-control-|^vary$/.test(name))
  return Object.fromEntries(own)
}

const preflight = (origin: string, more: Record<string, string> = {}) => ({
  method: 'OPTIONS',
  headers: { origin, 'access-control-request-method': 'PUT', ...more },
})

t.test('without options nobody is allowed', async (t) => {
  const server = await start(t, {})
  const answer = await server.ask({ headers: { origin: APP } })
  t.equal(answer.status, 200)
  t.same(fields(answer), { vary: 'Origin' })
  const asked = await server.ask(preflight(APP))
  t.equal(asked.status, 204)
  t.same(Object.keys(fields(asked)), ['vary'])
})

t.test("origin '*' is the same for everyone, and nothing varies", async (t) => {
  const server = await start(t, { origin: '*' })
  for (const headers of [{}, { origin: APP }, { origin: 'null' }] as Record<string, string>[]) {
    t.same(fields(await server.ask({ headers })), { 'access-control-allow-origin': '*' })
  }
})

t.test('who is listed is allowed, nobody else, and the answer varies in every case', async (t) => {
  const server = await start(t, {
    origin: [APP, /https:\/\/[a-z]+\.example\.org/g, async (origin) => origin.endsWith(':8443')],
  })
  const allowed = [APP, 'https://a.example.org', 'https://b.example.org', 'https://x.test:8443']
  for (const origin of allowed) {
    const expected = { 'access-control-allow-origin': origin, vary: 'Origin' }
    t.same(fields(await server.ask({ headers: { origin } })), expected, origin)
  }
  for (const origin of [
    'https://app.example.com.evil.test',
    'https://app.example.com:444',
    'http://app.example.com',
    'HTTPS://APP.EXAMPLE.COM',
    'https://a.example.org.evil.test',
    'https://evil.test/https://a.example.org',
    'null',
    '',
    '*',
    `${APP}, https://evil.test`,
  ]) {
    t.same(fields(await server.ask({ headers: { origin } })), { vary: 'Origin' }, origin)
  }
  t.same(fields(await server.ask()), { vary: 'Origin' }, 'no Origin at all')
})

t.test('prevents what no browser sends as an origin from matching a pattern', async (t) => {
  const server = await start(t, { origin: /https:\/\/[^/]*\.b\.example/ })
  for (const origin of ['https://evil.test#.b.example', 'https://evil.test?.b.example']) {
    t.same(fields(await server.ask({ headers: { origin } })), { vary: 'Origin' }, origin)
  }
  const fine = fields(await server.ask({ headers: { origin: 'https://a.b.example' } }))
  t.match(fine, { 'access-control-allow-origin': 'https://a.b.example' })
})

t.test('prevents an opaque origin from matching a pattern or a function', async (t) => {
  const server = await start(t, { origin: [/.*/, () => true] })
  t.same(fields(await server.ask({ headers: { origin: 'null' } })), { vary: 'Origin' })
  const listed = await start(t, { origin: 'null' })
  t.same(fields(await listed.ask({ headers: { origin: 'null' } })), {
    'access-control-allow-origin': 'null',
    vary: 'Origin',
  })
})

t.test('only true allows', async (t) => {
  const server = await start(t, { origin: (() => 'no') as unknown as () => boolean })
  t.same(fields(await server.ask({ headers: { origin: APP } })), { vary: 'Origin' })
})

t.test('a preflight is answered without the handler', async (t) => {
  let calls = 0
  const server = await start(
    t,
    {
      origin: APP,
      credentials: true,
      methods: ['PUT', 'DELETE'],
      allowedHeaders: ['content-type', 'x-own'],
      exposedHeaders: ['x-total'],
      maxAgeSeconds: 60,
    },
    () => {
      calls++
      return text('ok')
    },
  )
  const answer = await server.ask(preflight(APP, { 'access-control-request-headers': 'x-own' }))
  t.equal(answer.status, 204)
  t.same(fields(answer), {
    'access-control-allow-origin': APP,
    'access-control-allow-credentials': 'true',
    'access-control-allow-methods': 'GET, HEAD, POST, PUT, DELETE',
    'access-control-allow-headers': 'content-type, x-own',
    'access-control-max-age': '60',
    vary: 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers',
  })
  t.equal(calls, 0)
  const actual = await server.ask({ method: 'PUT', headers: { origin: APP } })
  t.same(fields(actual), {
    'access-control-allow-origin': APP,
    'access-control-allow-credentials': 'true',
    'access-control-expose-headers': 'x-total',
    vary: 'Origin',
  })
  t.equal(calls, 1)
})

t.test(
  'an OPTIONS request that is no preflight reaches the handler, and varies as one',
  async (t) => {
    const server = await start(t, { origin: APP }, () => text('options'))
    for (const headers of [{ origin: APP }, { 'access-control-request-method': 'PUT' }, {}]) {
      const answer = await server.ask({
        method: 'OPTIONS',
        headers: headers as Record<string, string>,
      })
      t.equal(answer.body.toString(), 'options')
      t.match(fields(answer)['vary'], /^Origin, Access-Control-Request-Method, /)
    }
  },
)

t.test('Private Network Access is answered only where it is on', async (t) => {
  const ask = { 'access-control-request-private-network': 'true' }
  const on = await start(t, { origin: APP, privateNetwork: true })
  const answer = fields(await on.ask(preflight(APP, ask)))
  t.equal(answer['access-control-allow-private-network'], 'true')
  t.match(answer['vary'], /Access-Control-Request-Private-Network$/)
  const evil = fields(await on.ask(preflight('https://evil.test', ask)))
  t.notHas(evil, 'access-control-allow-private-network')
  t.notHas(fields(await on.ask(preflight(APP))), 'access-control-allow-private-network')
  const off = await start(t, { origin: APP })
  t.notHas(fields(await off.ask(preflight(APP, ask))), 'access-control-allow-private-network')
})

t.test('errors and answers that no route gives have the fields as well', async (t) => {
  const router = createRouter()
  router.get('/known', () => text('ok'))
  router.get('/forbidden', () => {
    throw new HttpError(403, 'not you')
  })
  router.get('/broken', () => {
    throw new Error('a fault')
  })
  const server = await TestServer.compose(t, [cors({ origin: APP })], (request) =>
    router.dispatch(request),
  )
  for (const [path, status] of [
    ['/known', 200],
    ['/forbidden', 403],
    ['/broken', 500],
    ['/unknown', 404],
  ] as const) {
    const answer = await server.ask({ path, headers: { origin: APP } })
    t.equal(answer.status, status)
    t.same(fields(answer), { 'access-control-allow-origin': APP, vary: 'Origin' }, path)
  }
  const wrong = await server.ask({ path: '/known', method: 'DELETE', headers: { origin: APP } })
  t.equal(wrong.status, 405)
  t.equal(wrong.headers['access-control-allow-origin'], APP)
  t.match(server.errors, [{ message: 'a fault' }], 'faults are reported as ever')
})

t.test('a function that throws ends in 500, not in an answer for all', async (t) => {
  const server = await start(t, {
    origin: () => {
      throw new Error('from the rule')
    },
  })
  const answer = await server.ask({ headers: { origin: APP } })
  t.equal(answer.status, 500)
  t.notHas(answer.headers, 'access-control-allow-origin')
})

t.test('Vary and what is exposed add to what the handler says', async (t) => {
  const handler = (): HttpResponse =>
    empty({ headers: { vary: ['Accept', 'Cookie'], 'access-control-expose-headers': 'x-own' } })
  const server = await start(t, { origin: APP, exposedHeaders: ['x-total'] }, handler)
  t.same(fields(await server.ask({ headers: { origin: APP } })), {
    'access-control-allow-origin': APP,
    'access-control-expose-headers': 'x-own, x-total',
    vary: 'Accept, Cookie, Origin',
  })
})

t.test("'*' for names", async (t) => {
  const server = await start(t, {
    origin: '*',
    methods: ['*'],
    allowedHeaders: ['*', 'authorization'],
    exposedHeaders: ['*'],
  })
  t.match(fields(await server.ask(preflight(APP))), {
    'access-control-allow-origin': '*',
    'access-control-allow-methods': '*',
    'access-control-allow-headers': '*, authorization',
    vary: 'Access-Control-Request-Method, Access-Control-Request-Headers',
  })
})

t.test('options that cannot be are refused when it is made', async (t) => {
  const refused = (options: object, message: RegExp, code = 'RR_OPTION_INVALID'): void => {
    t.throws(() => cors(options), { code, message })
  }
  refused({ origins: '*' }, /cors\(\): unknown option 'origins'.*'origin'/, 'RR_OPTION_UNKNOWN')
  refused({ origin: '*', credentials: true }, /no '\*' together with credentials/)
  refused({ origin: ['*'] }, /'origin' takes origins as browsers send them/)
  refused({ origin: 5 }, /'origin' takes strings, RegExps and functions/)
  for (const origin of [
    'app.example.com',
    `${APP}/`,
    `${APP}/path`,
    `${APP}:443`,
    'https://App.example.com',
    'https://*.example.com',
    'https://user@example.com',
    '',
    'https://',
  ]) {
    refused({ origin }, /'origin' takes origins as browsers send them/)
  }
  for (const name of ['methods', 'allowedHeaders', 'exposedHeaders']) {
    refused({ [name]: 'GET' }, new RegExp(`'${name}' takes a list of names`))
    refused({ [name]: ['a b'] }, new RegExp(`'${name}'`))
    refused({ [name]: ['a\r\nb'] }, new RegExp(`'${name}'`))
    refused({ origin: APP, credentials: true, [name]: ['*'] }, /no '\*' together/)
  }
  refused({ maxAgeSeconds: 86_401 }, /'maxAgeSeconds'/)
  refused({ maxAgeSeconds: -1 }, /'maxAgeSeconds'/)
  refused({ credentials: 'yes' }, /'credentials' takes true or false/)
  for (const origin of [APP, 'http://localhost:3000', 'chrome-extension://abc', 'null']) {
    t.ok(cors({ origin, maxAgeSeconds: 86_400, credentials: true }))
  }
})
