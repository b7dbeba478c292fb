// All middleware together, over the forms of application and the ways to serve.

import { listen, type Server, serve } from '@rr/listener'
import t, { type Test } from 'tap'
import { decoded } from './support/coding-text.ts'
import { type Answer, ask } from './support/server.ts'

const ORIGIN = 'https://app.example.com'
const AT = { host: '127.0.0.1', port: 0 }

const FORMS = ['router', 'fetch']
const WAYS: Record<string, (url: URL) => Promise<Server>> = {
  'listen()': async (url) => listen(((await import(url.href)) as { default: unknown }).default, AT),
  '1 worker': (url) => serve(url, { ...AT, workers: 1 }),
  '2 workers': (url) => serve(url, { ...AT, workers: 2 }),
}

/** What every answer has, whatever it answers. */
function checkCommon(t: Test, { headers }: Answer, id: string): void {
  t.match(headers, {
    'x-request-id': id,
    'x-content-type-options': 'nosniff',
    'access-control-allow-origin': ORIGIN,
    'content-security-policy': /^script-src 'nonce-[^']+'$/,
  })
  t.match(headers.vary, /\bOrigin\b/)
}

for (const form of FORMS) {
  for (const [way, start] of Object.entries(WAYS)) {
    t.test(`${form}, ${way}`, async (t) => {
      const server = await start(new URL(`./fixtures/guarded-app.ts?form=${form}`, import.meta.url))
      t.teardown(() => server.stop())
      const question = (path: string, more: Record<string, string> = {}, method = 'GET') =>
        ask(server.url, {
          path,
          method,
          headers: { origin: ORIGIN, 'x-request-id': `for${path}`, ...more },
        })

      // Several of each, for every worker to have some.
      for (let round = 0; round < 4; round++) {
        for (const coding of ['gzip', 'deflate', 'br', 'zstd']) {
          const page = await question('/page', { 'accept-encoding': coding })
          t.equal(page.status, 200)
          checkCommon(t, page, 'for/page')
          t.equal(page.headers['content-encoding'], coding)
          t.equal(decoded(coding, page.body).length, 4200)
          const again = await question('/page', {
            'accept-encoding': coding,
            'if-none-match': page.headers.etag ?? '',
          })
          t.equal(again.status, 304, 'the tag is the same in all workers')
          t.equal(again.headers.etag, page.headers.etag)
          checkCommon(t, again, 'for/page')
        }
      }

      const events = await question('/events', { 'accept-encoding': 'gzip' })
      t.equal(decoded('gzip', events.body), 'data: 1\n\ndata: 2\n\ndata: 3\n\n')
      checkCommon(t, events, 'for/events')

      for (const [path, status] of [
        ['/forbidden', 403],
        ['/unknown', 404],
        ['/slow', 503],
      ] as const) {
        const answer = await question(path)
        t.equal(answer.status, status)
        checkCommon(t, answer, `for${path}`)
      }

      const preflight = await question(
        '/page',
        { 'access-control-request-method': 'GET' },
        'OPTIONS',
      )
      t.equal(preflight.status, 204)
      checkCommon(t, preflight, 'for/page')
    })
  }
}
