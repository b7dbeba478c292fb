import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { type ListenOptions, listen, serve } from '@rr/listener'
import t, { type Test } from 'tap'
import { EventReader } from './support/event-reader.ts'
import { recordingLog } from './support/recording-log.ts'
import { ask } from './support/whole-answer.ts'

const examples = new URL('../examples/', import.meta.url)

/** Serves an example in this thread, and gives its address. */
async function serveExample(t: Test, name: string, options?: ListenOptions): Promise<string> {
  const { default: app } = (await import(new URL(name, examples).href)) as { default: unknown }
  const server = await listen(app, { ...options, host: '127.0.0.1', port: 0 })
  t.teardown(() => server.stop())
  return server.url
}

async function body(url: string, init?: RequestInit): Promise<string> {
  return (await fetch(url, init)).text()
}

const checks: Record<string, (t: Test, name: string) => Promise<void>> = {
  'hello.ts': async (t, name) => {
    const response = await fetch(await serveExample(t, name))
    t.equal(response.status, 200)
    t.equal(await response.text(), 'Hello, World!')
  },
  'echo.ts': async (t, name) => {
    const url = await serveExample(t, name)
    t.equal((await fetch(url)).status, 200)
    const headers = { 'content-type': 'application/x-test; a=b' }
    const echo = await fetch(`${url}/echo`, { method: 'POST', body: 'ä and ö', headers })
    t.equal(echo.status, 200)
    t.equal(echo.headers.get('content-type'), 'application/x-test; a=b')
    t.equal(await echo.text(), 'ä and ö')
  },
  'users.ts': async (t, name) => {
    const url = await serveExample(t, name)
    t.equal(await body(`${url}/health`), 'ok')
    t.equal(await body(`${url}/users/1`), '{"id":"1","name":"Alice"}')
    t.equal((await fetch(`${url}/users/none`)).status, 404)
    t.match(await body(`${url}/users/none`), /"detail":"no such user"/)
    const post = (text: string): Promise<Response> =>
      fetch(`${url}/users`, {
        method: 'POST',
        body: text,
        headers: { 'content-type': 'application/json' },
      })
    const created = await post('{"name":"Bob"}')
    t.equal(created.status, 201)
    t.equal(created.headers.get('location'), '/users/2')
    t.equal((await post('{"name":1}')).status, 422)
    t.equal((await post('not JSON')).status, 400)
    t.equal((await fetch(`${url}/users/1`, { method: 'DELETE' })).status, 405)
  },
  'life-cycle.ts': async (t, name) => {
    t.match(await body(await serveExample(t, name)), /^\{"upMs":\d+\}$/)
  },
  'reload.ts': async (t, name) => {
    const options = { host: '127.0.0.1', port: 0, workers: 2 }
    const server = await serve(new URL(name, examples), options)
    t.teardown(() => server.stop())
    t.equal(await body(`${server.url}/notes/1`), 'made by setup')
    await server.reloadRoutes()
    t.equal(await body(`${server.url}/notes/1`), 'made by setup')
    const events = new EventReader(await fetch(`${server.url}/events`))
    t.equal(await events.next(), 'data: 1 notes')
    const drained = server.drain({ timeoutMs: 3_600_000 })
    t.equal(await events.next(), 'retry: 200')
    await t.rejects(events.next(), /ended/)
    t.same(await drained, { drained: true })
  },
  'reload-routes.ts': async (t, name) => {
    const url = await serveExample(t, name)
    t.equal(await body(`${url}/notes/9`), 'none')
    const part = (await fetch(`${url}/export?from=5`)).body!.getReader()
    t.match(Buffer.from((await part.read()).value!).toString(), /^\{"row":5\}\n/)
    await part.cancel()
  },
  'hono.ts': async (t, name) => {
    const url = await serveExample(t, name)
    t.equal(await body(url), 'Hello, Hono!')
    t.equal(await body(`${url}/users/5`), '{"id":"5"}')
    t.equal(await body(`${url}/echo`, { method: 'POST', body: 'sent' }), 'sent')
    t.equal(await body(`${url}/client`), '{"address":"127.0.0.1","tls":null}')
  },
  'middleware.ts': async (t, name) => {
    const url = await serveExample(t, name)
    const none = await fetch(`${url}/none`)
    t.equal(none.status, 404)
    t.match(none.headers.get('server-timing'), /^app;dur=\d/)
    t.equal((await fetch(`${url}/account`)).status, 401)
    t.equal((await fetch(`${url}/login`, { method: 'POST' })).status, 400)
    const login = await fetch(`${url}/login?name=Ann%20B`, { method: 'POST' })
    t.equal(await login.text(), 'welcome, Ann B')
    const [set = ''] = login.headers.getSetCookie()
    t.equal(set, '__Host-user=Ann%20B; Path=/; Secure; HttpOnly; SameSite=Lax')
    const headers = { cookie: set.split(';', 1)[0] ?? '', 'accept-language': 'de-AT, en;q=0.5' }
    t.equal(await body(`${url}/account`, { headers }), '{"name":"Ann B"}')
    const logout = await fetch(`${url}/account/logout`, { method: 'POST', headers })
    t.match(logout.headers.getSetCookie(), [/^__Host-user=; .*Max-Age=0/])
    const greeting = await fetch(`${url}/greeting`, { headers })
    t.equal(greeting.headers.get('cache-control'), 'no-store')
    t.equal(await greeting.text(), 'Guten Tag')
    const order = await fetch(`${url}/order`)
    t.equal(order.status, 409)
    t.match(await order.json(), { detail: 'the last one is gone' })
    const forgedBy = (accept: string): Promise<Response> => {
      const forged = { accept, 'sec-fetch-site': 'cross-site' }
      return fetch(`${url}/login?name=Eve`, { method: 'POST', headers: forged })
    }
    const page = await forgedBy('text/html, */*;q=0.8')
    t.equal(page.status, 403)
    t.match(await page.text(), /^<h1>/)
    t.match(await (await forgedBy('*/*')).json(), { status: 403, detail: 'from another site' })
  },
  'validation.ts': async (t, name) => {
    const url = await serveExample(t, name)
    const headers = { 'content-type': 'application/json' }
    const post = (user: unknown): Promise<Response> =>
      fetch(`${url}/users`, { method: 'POST', headers, body: JSON.stringify(user) })
    const created = await post({ name: 'Ann', age: 41 })
    t.equal(created.status, 201)
    t.same(await created.json(), { id: 1, name: 'Ann', age: 41 })
    const refused = await post({ name: '', age: 'old' })
    t.equal(refused.status, 422)
    t.match(await refused.json(), {
      title: 'Unprocessable Entity',
      errors: [
        { in: 'body', path: ['name'] },
        { in: 'body', path: ['age'] },
      ],
    })
    t.equal(await body(`${url}/users/7/posts`), '10 posts of user 7')
    t.equal((await fetch(`${url}/users/x/posts?limit=1000`)).status, 422)
  },
  'hardened.ts': async (t, name) => {
    const url = await serveExample(t, name)
    const logged = t.capture(console, 'log')
    const page = await fetch(url)
    t.match(String(logged()[0]?.args), / GET \/ 200 [\d.]+ ms$/)
    t.equal(page.headers.get('strict-transport-security'), 'max-age=31536000')
    const policy = page.headers.get('content-security-policy') ?? ''
    const nonce = /'nonce-([^']+)'/.exec(policy)?.[1]
    t.match(await page.text(), `<script nonce="${nonce}">`)
    t.match(page.headers.get('x-request-id'), /./)
    const headers = { origin: 'https://app.example.com', 'accept-encoding': 'br' }
    const reports = await fetch(`${url}/reports`, { headers })
    t.equal(reports.headers.get('content-encoding'), 'br')
    t.equal(reports.headers.get('access-control-allow-origin'), 'https://app.example.com')
    t.equal(reports.headers.get('vary'), 'Accept-Encoding, Origin')
    t.equal(((await reports.json()) as unknown[]).length, 100)
    const tag = reports.headers.get('etag') ?? ''
    const again = await fetch(`${url}/reports`, { headers: { ...headers, 'if-none-match': tag } })
    t.equal(again.status, 304)
    const denied = await fetch(`${url}/private`, { headers })
    t.equal(denied.status, 403)
    t.equal(denied.headers.get('access-control-allow-origin'), 'https://app.example.com')
    t.equal(denied.headers.get('x-content-type-options'), 'nosniff')
    const late = await fetch(`${url}/weather`)
    t.equal(late.status, 504)
    t.equal(late.headers.get('strict-transport-security'), 'max-age=31536000')
    const lines = logged().map(({ args }) => String(args))
    t.match(lines.at(-1), `${late.headers.get('x-request-id')} GET /weather 504`)
  },
  'stream.ts': async (t, name) => {
    const url = await serveExample(t, name)
    const count = `${url}/count/3`
    t.equal(await body(count), '1\n2\n3\n')
    t.equal(await body(`${url}/source`), readFileSync(new URL(name, examples), 'utf8'))
    const sent = 'sent '.repeat(100_000)
    t.equal(await body(`${url}/echo`, { method: 'POST', body: sent }), sent)
    const { headers, trailers } = await ask(count, { headers: { te: 'trailers' } })
    const digest = createHash('sha256').update('1\n2\n3\n').digest('base64')
    t.equal(headers['trailer'], 'repr-digest')
    t.same(trailers, { 'repr-digest': `sha-256=:${digest}:` })
  },
  'events.ts': async (t, name) => {
    const url = await serveExample(t, name)
    const open = async (path: string, headers = {}): Promise<EventReader> => {
      const response = await fetch(`${url}${path}`, { headers })
      t.equal(response.headers.get('content-type'), 'text/event-stream')
      return new EventReader(response)
    }
    const [count, news] = [await open('/count'), await open('/news')]
    t.equal(await count.next(), 'data: 0')
    for (const data of ['first', 'second']) {
      await fetch(`${url}/news`, { method: 'POST', body: data })
    }
    t.equal(await news.next(), 'event: news\nid: 1\ndata: first')
    t.equal(await news.next(), 'event: news\nid: 2\ndata: second')
    t.equal(await count.next(), 'data: 1')
    t.equal(await count.next(), 'data: 2')
    t.equal(await count.comment(), ':', 'a heartbeat')
    const again = await open('/news', { 'last-event-id': '1' })
    t.equal(await again.next(), 'event: news\nid: 2\ndata: second')
    t.equal(await body(`${url}/news.ndjson`), '{"id":1,"data":"first"}\n{"id":2,"data":"second"}\n')
    for (const reader of [count, news, again]) await reader.close()
  },
  'static.ts': async (t, name) => {
    const url = await serveExample(t, name)
    t.match(await body(`${url}/assets/`), /Hello from a file/)
    t.match(await body(`${url}/assets/docs`), /The docs/, 'by a redirect')
    const style = await fetch(`${url}/assets/style-0a1b2c3d.css`)
    t.equal(style.headers.get('content-type'), 'text/css; charset=utf-8')
    t.match(style.headers.get('cache-control'), /immutable/)
    t.equal((await fetch(`${url}/assets/..%2fhello.ts`)).status, 400)
    const report = await fetch(`${url}/report`, { headers: { range: 'bytes=0-3' } })
    t.equal(report.status, 206)
    t.match(report.headers.get('content-disposition'), /^attachment; .*Gr%C3%B6%C3%9Fen\.csv$/)
    t.equal(await report.text(), 'size')
  },
  'uploads.ts': async (t, name) => {
    const url = await serveExample(t, name)
    const post = (path: string, sent: string | FormData | URLSearchParams): Promise<Response> =>
      fetch(`${url}${path}`, { method: 'POST', body: sent })
    const login = await post('/login', new URLSearchParams({ email: 'a+b@example.com' }))
    t.equal(await login.text(), 'hello a+b@example.com')
    t.equal((await post('/login', new URLSearchParams())).status, 422)
    t.equal((await post('/login', 'email=a')).status, 415)

    const form = new FormData()
    form.append('title', 'ä photo')
    form.append('file', new File(['abc'], 'a.png', { type: 'image/png' }))
    t.same(await (await post('/digests', form)).json(), {
      'a.png': createHash('sha256').update('abc').digest('hex'),
    })
    const created = await post('/photos', form)
    t.equal(created.status, 201)
    t.same(await created.json(), {
      title: 'ä photo',
      photos: [{ filename: 'a.png', contentType: 'image/png', size: 3 }],
    })
    form.append('file', new File(['x'.repeat(500_001)], 'b.png'))
    t.equal((await post('/photos', form)).status, 413)
  },
  'rate-limit.ts': async (t, name) => {
    const url = await serveExample(t, name)
    t.equal(await body(url), 'Hello, World!')
    t.equal(await body(`${url}/search`), 'found')
    for (let count = 0; count < 3; count++) t.equal((await fetch(url)).status, 200)
    const refused = await fetch(url)
    t.equal(refused.status, 429)
    t.equal(refused.headers.get('retry-after'), '1')
    t.equal(refused.headers.get('ratelimit-policy'), '"default";q=60;w=60')
  },
  'behind-a-proxy.ts': async (t, name) => {
    const headers = {
      'x-forwarded-for': '203.0.113.7, 192.0.2.1',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'shop.example',
    }
    const trustedProxies = ['loopback']
    const url = await serveExample(t, name, { trustedProxies, forwardedHeaders: 'x-forwarded' })
    t.same(JSON.parse(await body(`${url}/client`, { headers })), {
      client: '192.0.2.1',
      connectedTo: '127.0.0.1',
      scheme: 'https',
      host: 'shop.example',
    })
    t.equal(await body(`${url}/account`, { headers }), '{"name":"Ann"}')
    const plain = await fetch(`${url}/account`, { redirect: 'manual' })
    t.equal(plain.headers.get('location'), `https://${new URL(url).host}/account`)
  },
  'early-hints.ts': async (t, name) => {
    const url = await serveExample(t, name)
    const page = await ask(url)
    t.same(page.interim, [[103, '</style.css>; rel=preload; as=style']])
    t.equal(page.status, 200)
    t.match(page.body, /Hello, Ann/)
    const report = await ask(`${url}/reports`, { method: 'POST' })
    t.same([report.interim, report.status], [[[102, undefined]], 201])
  },
  'answers.ts': async (t, name) => {
    const url = await serveExample(t, name)
    const page = await fetch(url)
    t.equal(page.headers.get('content-type'), 'text/html; charset=utf-8')
    t.equal(await page.text(), '<h1>Notes</h1>')
    const one = await fetch(`${url}/notes/1`)
    t.equal(one.headers.get('content-type'), 'application/json')
    t.same(await one.json(), { id: 1, title: 'Say "hello"' })
    const none = await fetch(`${url}/notes/9`)
    t.equal(none.headers.get('content-type'), 'application/problem+json')
    t.same(await none.json(), {
      type: 'https://example.com/problems/no-note',
      title: 'No such note',
      status: 404,
      id: '9',
    })
    const post = { method: 'POST', body: 'Line\n"two"' }
    const redirected = await fetch(`${url}/notes`, { ...post, redirect: 'manual' })
    t.equal(redirected.status, 303)
    t.equal(redirected.headers.get('location'), '/notes/2')
    t.same(await (await fetch(`${url}/notes`, post)).json(), { id: 3, title: 'Line\n"two"' })
    const changed = await fetch(`${url}/notes/3`, { method: 'PUT', body: 'changed' })
    t.equal(changed.status, 204)
    t.equal(await changed.text(), '')
    t.equal((await fetch(`${url}/notes/9`, { method: 'PUT', body: '' })).status, 404)
    const titles = (await (await fetch(`${url}/notes`)).json()) as { title: string }[]
    t.same(
      titles.map(({ title }) => title),
      ['Say "hello"', 'Line\n"two"', 'changed'],
    )
    const dot = await fetch(`${url}/dot.gif`)
    t.equal(dot.headers.get('content-type'), 'image/gif')
    t.match(await dot.text(), /^GIF89a/)
  },
  'compressed-bodies.ts': async (t, name) => {
    const url = await serveExample(t, name, { decompressBodies: true })
    const post = (coding: string, sent: Uint8Array, at: string = url): Promise<Response> => {
      const headers = { 'content-type': 'application/json', 'content-encoding': coding }
      return fetch(`${at}/measurements`, { method: 'POST', body: Buffer.from(sent), headers })
    }
    t.same(await (await post('gzip', gzipSync('[1, 2, 3]'))).json(), { count: 3, sentAs: 'gzip' })
    t.same(await (await post('br', brotliCompressSync('[]'))).json(), { count: 0, sentAs: 'br' })
    t.equal((await post('gzip', gzipSync(' '.repeat(2_000_000)))).status, 413)
    const unknown = await post('compress', Buffer.from('[]'))
    t.equal(unknown.status, 415)
    t.equal(unknown.headers.get('accept-encoding'), 'gzip, deflate, br, zstd')
    const plain = await serveExample(t, name)
    t.equal((await post('gzip', gzipSync('[1]'), plain)).status, 400, 'off: no JSON')

    const terms = await fetch(`${url}/terms`, { headers: { 'accept-encoding': 'gzip' } })
    t.equal(terms.headers.get('content-encoding'), 'gzip')
    const whole = await fetch(`${url}/terms`, { headers: { 'accept-encoding': 'br' } })
    t.equal(whole.headers.get('content-encoding'), null)
    t.equal(whole.headers.get('vary'), 'accept-encoding')
    t.equal(await terms.text(), await whole.text())
  },
  'diagnostics.ts': async (t, name) => {
    const lines: { readonly fields: object; readonly message: string | undefined }[] = []
    const log = recordingLog(lines)
    const url = await serveExample(t, name, { log, requestContext: true })
    const order = (await (await fetch(`${url}/orders/7`)).json()) as Record<string, string>
    const fields = { requestId: order['checkedFor'], route: '/orders/:id' }
    t.same(lines, [
      { fields: { ...fields, order: '7' }, message: 'looking the order up' },
      { fields, message: 'asking the store' },
    ])
    t.same(await (await fetch(`${url}/durations`)).json(), [{ route: '/orders/:id', count: 1 }])
  },
  'shared-counter.ts': async (t, name) => {
    const options = { host: '127.0.0.1', port: 0, workers: 2 }
    const server = await serve(new URL(name, examples), options)
    t.teardown(() => server.stop())
    // Each on its own connection, which the system gives to either worker.
    const asked = Array.from({ length: 40 }, () => ask(server.url))
    const visits = (await Promise.all(asked)).map(({ body }) => Number(body.split(' ')[1]))
    t.same(
      visits.sort((a, b) => a - b),
      Array.from(asked, (_, index) => index + 1),
    )
  },
  'compute.ts': async (t, name) => {
    const url = await serveExample(t, name)
    t.equal(await body(`${url}/primes/100`), '{"limit":100,"count":25}')
  },
  'compute-work.ts': async (t, name) => {
    const { default: countPrimes } = await import(new URL(name, examples).href)
    t.equal(countPrimes(10), 4)
  },
  'overload.ts': async (t, name) => {
    const url = await serveExample(t, name, { maxRequestsInFlight: 1 })
    const answers = await Promise.all(Array.from({ length: 3 }, () => fetch(`${url}/report`)))
    const health = await fetch(`${url}/health`)
    const statuses = answers.map(({ status }) => status).sort()
    t.same(statuses, [200, 503, 503])
    const refused = answers.find(({ status }) => status === 503)
    t.equal(refused?.headers.get('retry-after'), '1')
    t.equal(await refused?.text(), 'Service Unavailable: the server has too much to do\n')
    t.equal(health.status, 200)
    for (const answer of answers) if (!answer.bodyUsed) await answer.text()
    const upload = await fetch(`${url}/upload`, { method: 'PUT', body: 'x'.repeat(2_000_000) })
    t.same(await upload.json(), { size: 2_000_000 })
    t.equal(((await (await fetch(`${url}/export`)).json()) as unknown[]).length, 1000)
  },
  'embed.ts': async (t, name) => {
    const file = fileURLToPath(new URL(name, examples))
    const { stdout } = await promisify(execFile)(process.execPath, [file])
    t.match(stdout, /^listening on http:\/\/127\.0\.0\.1:\d+\nHello from inside\n$/)
  },
  'admin.ts': async (t, name) => {
    const file = fileURLToPath(new URL(name, examples))
    const { stdout } = await promisify(execFile)(process.execPath, [file])
    const lines = ['3 requests', 'ready: 200', 'draining: 503', 'still answers: 404', '']
    t.equal(stdout, lines.join('\n'))
  },
  'serve.ts': async (t, name) => {
    const file = fileURLToPath(new URL(name, examples))
    const { stdout } = await promisify(execFile)(process.execPath, [file])
    t.same(stdout.trim().split('\n').sort(), [
      '1 request, 2 workers',
      'Hello, World!',
      'all were answered',
      'worker 1 listens',
      'worker 2 listens',
    ])
  },
}

t.test('every example is checked', async (t) => {
  const files = readdirSync(examples, { withFileTypes: true }).filter((entry) => entry.isFile())
  t.same(files.map((entry) => entry.name).sort(), Object.keys(checks).sort())
})

for (const [name, check] of Object.entries(checks)) t.test(name, (t) => check(t, name))

t.test('the application in the README is one that works', async (t) => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
  const source = /```ts\n\/\/ app\.ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? ''
  // Within the workspace, where its imports resolve; a folder that tools pass over.
  const folder = mkdtempSync(fileURLToPath(new URL('../../node_modules/.readme-', import.meta.url)))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const app = pathToFileURL(join(folder, 'app.js'))
  writeFileSync(app, stripTypeScriptTypes(source))
  const { default: router } = (await import(app.href)) as { default: unknown }
  const server = await listen(router, { host: '127.0.0.1', port: 0 })
  t.teardown(() => server.stop())
  t.equal(await body(server.url), 'Hello, World!')
  t.equal(await body(`${server.url}/users/9`), '{"id":"9"}')
})
