// Fields that make browsers strict.

import { HttpError, headerBlock, html, text } from '@rr/core'
import t from 'tap'
import { CSP_NONCE, cspNonce } from '../src/content-security-policy.ts'
import { type SecurityHeadersOptions, securityHeaders } from '../src/security-headers.ts'
import { type Answer, TestServer } from './support/server.ts'

const DEFAULTS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'strict-origin-when-cross-origin',
  'x-frame-options': 'SAMEORIGIN',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
}

function own({ headers }: Answer): Record<string, unknown> {
  const others = ['date', 'connection', 'content-type', 'content-length']
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !others.includes(name)))
}

t.test('the defaults, on answers and on errors', async (t) => {
  const server = await TestServer.compose(t, [securityHeaders()], ({ path }) => {
    if (path === '/error') throw new HttpError(403, 'no')
    return path === '/web' ? new Response('ok') : text('ok')
  })
  for (const path of ['/', '/', '/web', '/error']) {
    t.same(own(await server.ask({ path })), DEFAULTS, path)
  }
  t.equal((await server.ask({ path: '/error' })).status, 403)
})

t.test('what the handler sets stays', async (t) => {
  const headers = headerBlock({
    'X-Frame-Options': 'DENY',
    'content-security-policy': "default-src 'none'",
  })
  const options: SecurityHeadersOptions = {
    contentSecurityPolicy: { directives: { 'script-src': [CSP_NONCE] } },
  }
  const server = await TestServer.compose(t, [securityHeaders(options)], () =>
    text('ok', { headers }),
  )
  t.same(own(await server.ask()), {
    ...DEFAULTS,
    'x-frame-options': 'DENY',
    'content-security-policy': "default-src 'none'",
  })
  t.equal(headers.get('referrer-policy'), null, 'and a shared block stays what it was')
})

t.test('every field can be another one, or none', async (t) => {
  const none = await TestServer.compose(
    t,
    [
      securityHeaders({
        contentTypeOptions: false,
        referrerPolicy: false,
        frameOptions: false,
        crossOriginOpenerPolicy: false,
        crossOriginResourcePolicy: false,
        permissionsPolicy: false,
        strictTransportSecurity: false,
        contentSecurityPolicy: false,
      }),
    ],
    () => text('ok'),
  )
  t.same(own(await none.ask()), {})
  const all = await TestServer.compose(
    t,
    [
      securityHeaders({
        referrerPolicy: 'no-referrer',
        frameOptions: 'DENY',
        crossOriginOpenerPolicy: 'unsafe-none',
        crossOriginResourcePolicy: 'cross-origin',
        crossOriginEmbedderPolicy: 'require-corp',
        dnsPrefetchControl: 'off',
        permissionsPolicy: {
          camera: [],
          geolocation: ['self', 'https://maps.example.com'],
          fullscreen: ['*'],
        },
        strictTransportSecurity: {
          maxAgeSeconds: 31_536_000,
          includeSubDomains: true,
          preload: true,
        },
        contentSecurityPolicy: {
          directives: {
            'default-src': ["'self'"],
            'img-src': ["'self'", 'https://*.example.com', 'data:'],
            'upgrade-insecure-requests': true,
            sandbox: ['allow-scripts'],
          },
        },
      }),
    ],
    () => text('ok'),
  )
  t.same(own(await all.ask()), {
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'x-frame-options': 'DENY',
    'cross-origin-opener-policy': 'unsafe-none',
    'cross-origin-resource-policy': 'cross-origin',
    'cross-origin-embedder-policy': 'require-corp',
    'x-dns-prefetch-control': 'off',
    'permissions-policy': 'camera=(), geolocation=(self "https://maps.example.com"), fullscreen=*',
    'strict-transport-security': 'max-age=31536000; includeSubDomains; preload',
    'content-security-policy':
      "default-src 'self'; img-src 'self' https://*.example.com data:; upgrade-insecure-requests; " +
      'sandbox allow-scripts',
  })
})

t.test('a policy that only reports', async (t) => {
  const policy = { directives: { 'default-src': ["'none'"] }, reportOnly: true }
  const middleware = securityHeaders({ contentSecurityPolicy: policy })
  const server = await TestServer.compose(t, [middleware], () => text('ok'))
  const { headers } = await server.ask()
  t.equal(headers['content-security-policy-report-only'], "default-src 'none'")
  t.notHas(headers, 'content-security-policy')
})

t.test('the nonce of a request is in its page and its policy, and never the same', async (t) => {
  const policy = { directives: { 'script-src': ["'self'", CSP_NONCE], 'style-src': [CSP_NONCE] } }
  const server = await TestServer.compose(
    t,
    [securityHeaders({ contentSecurityPolicy: policy })],
    (request) => html(`${cspNonce(request)} ${cspNonce(request)}`),
  )
  const seen = new Set<string>()
  for (let i = 0; i < 3; i++) {
    const { headers, body } = await server.ask()
    const [nonce, again] = body.toString().split(' ')
    t.match(nonce, /^[A-Za-z0-9+/]{22}==$/)
    t.equal(again, nonce)
    t.equal(
      headers['content-security-policy'],
      `script-src 'self' 'nonce-${nonce}'; style-src 'nonce-${nonce}'`,
    )
    seen.add(nonce as string)
  }
  t.equal(seen.size, 3)
})

t.test('options that cannot be are refused when it is made', async (t) => {
  const refused = (options: object, message: RegExp, code = 'RR_OPTION_INVALID'): void => {
    t.throws(() => securityHeaders(options), { code, message })
  }
  const unknown = 'RR_OPTION_UNKNOWN'
  refused({ frameOption: 'DENY' }, /securityHeaders\(\): unknown option.*'frameOptions'/, unknown)
  refused({ frameOptions: 'ALLOWALL' }, /'frameOptions' takes false or one of SAMEORIGIN, DENY/)
  refused({ contentTypeOptions: true }, /'contentTypeOptions'/)
  const hsts = (strictTransportSecurity: object, message: RegExp, code?: string): void =>
    refused({ strictTransportSecurity }, message, code)
  hsts({ maxAgeSecs: 1 }, /unknown option 'maxAgeSecs'.*'maxAgeSeconds'/, unknown)
  hsts({ maxAgeSeconds: -1 }, /'maxAgeSeconds'/)
  hsts({ maxAgeSeconds: 31_536_000, preload: true }, /'preload' takes true only with/)
  hsts({ maxAgeSeconds: 31_535_999, includeSubDomains: true, preload: true }, /'preload'/)
  refused({ strictTransportSecurity: true }, /options are an object/)
  const permissions = (permissionsPolicy: object, message: RegExp): void =>
    refused({ permissionsPolicy }, message)
  permissions({}, /at least one feature/)
  permissions({ 'a b': [] }, /the name of a feature/)
  permissions({ camera: 'self' }, /'camera' takes a list/)
  permissions({ camera: ['none'] }, /'camera' takes 'self', '\*' or origins/)
  permissions({ camera: ['https://a.b"), microphone=*'] }, /'camera'/)
  const csp = (directives: unknown, message: RegExp, code?: string): void =>
    refused({ contentSecurityPolicy: { directives } }, message, code)
  csp({ 'scripts-src': [] }, /unknown option 'scripts-src'.*'script-src'/, unknown)
  csp({}, /'directives' takes at least one/)
  csp(undefined, /'directives' takes an object/)
  csp({ 'script-src': "'self'" }, /'script-src' takes a list of sources/)
  csp({ 'script-src': ['self'] }, /'script-src' takes "'self'" within single quotes/)
  csp({ 'script-src': ['UNSAFE-INLINE'] }, /within single quotes/)
  for (const source of ["a; script-src 'unsafe-inline'", 'a,b', 'a b', 'a\r\nb', 'ä', '', 5]) {
    csp({ 'script-src': [source] }, /'script-src' takes sources of visible ASCII/)
  }
  refused({ contentSecurityPolicy: { directives: {}, report: 1 } }, /'report'/, unknown)
})
