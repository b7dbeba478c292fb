import { createHash } from 'node:crypto'
import { existsSync, globSync, readFileSync } from 'node:fs'
import t from 'tap'
import { type Get, type PageChecks, testPages } from './support/page-snippets.ts'
import { ask } from './support/whole-answer.ts'

const JSON_TYPE = { 'content-type': 'application/json' }

const send = (get: Get, method: string, path: string, body: string): Promise<Response> =>
  get(path, { method, body, headers: JSON_TYPE })

function upload(...files: readonly (readonly [string, string])[]): FormData {
  const form = new FormData()
  form.set('title', 'Sea')
  for (const [name, content] of files) form.append(name, new File([content], `${name}.txt`))
  return form
}

const requests: PageChecks['applications'] = {
  'bodies.ts': async (t, get) => {
    t.equal((await send(get, 'POST', '/users', '{"name":"Ann"}')).status, 201)
    t.equal((await send(get, 'POST', '/users', '{"name":1}')).status, 422)
    t.equal((await send(get, 'POST', '/users', 'none')).status, 400)
    const text = { method: 'POST', body: '{}', headers: { 'content-type': 'text/plain' } }
    t.equal((await get('/users', text)).status, 415)
    const blob = await send(get, 'PUT', '/blob', ' '.repeat(2_000_000))
    t.same(await blob.json(), { size: 2_000_000 })
  },
  'forms.ts': async (t, get) => {
    const login = (body: URLSearchParams): Promise<Response> =>
      get('/login', { method: 'POST', body })
    t.equal(await (await login(new URLSearchParams('name=Ann'))).text(), 'Hello, Ann')
    t.equal((await login(new URLSearchParams('a&'.repeat(11)))).status, 413)
    const files = await get('/files', { method: 'POST', body: upload(['a', 'one'], ['b', 'b']) })
    t.same(await files.json(), { bytes: 4 })
    const photos = await get('/photos', { method: 'POST', body: upload(['a', 'one'], ['b', '']) })
    t.same(await photos.json(), { title: 'Sea', sizes: [3, 0] })
    const large = upload(['a', 'x'.repeat(500_001)])
    t.equal((await get('/photos', { method: 'POST', body: large })).status, 413)
  },
  'query.ts': async (t, get) => {
    t.same(await (await get('/page?tag=a&page=2')).json(), { page: 2 })
    t.equal((await get('/page?page=%ff')).status, 400)
    t.same(await (await get('/search?tag=a&tag=b')).json(), { tags: ['a', 'b'] })
    const me = (headers: Record<string, string>): Promise<Response> => get('/me', { headers })
    const known = await me({ cookie: 'user=Ann; user=Bob', accept: '*/*' })
    t.same(await known.json(), { user: 'Ann' })
    const german = await me({ accept: 'text/html', 'accept-language': 'de-AT' })
    t.equal(await german.text(), '<p>Guten Tag</p>')
    t.equal((await me({ accept: 'image/png' })).status, 406)
  },
  'validation.ts': async (t, get) => {
    const put = (path: string, body: string): Promise<Response> => send(get, 'PUT', path, body)
    const user = await put('/users/7', '{"name":"Ann"}')
    t.same(await user.json(), { id: 7, name: 'Ann' })
    const bad = await put('/users/x', '{"name":""}')
    t.equal(bad.status, 422)
    const { errors } = (await bad.json()) as { errors: { in: string; path: string[] }[] }
    t.same(errors.map(({ in: part, path }) => [part, ...path].join('.')).sort(), [
      'body.name',
      'params.id',
    ])
    const untyped = { method: 'PUT', body: new TextEncoder().encode('{"name":"Ann"}') }
    t.equal((await get('/users/7', untyped)).status, 415)
  },
  'client.ts': async (t, get) => {
    t.match(await (await get('/')).json(), { address: '127.0.0.1', isSecure: false, id: /./ })
  },
}

const responses: PageChecks['applications'] = {
  'headers.ts': async (t, get) => {
    const login = await get('/login', { method: 'POST', redirect: 'manual' })
    t.equal(login.status, 303)
    t.equal(
      login.headers.get('set-cookie'),
      '__Host-id=%C3%A4nne; Path=/; Secure; HttpOnly; SameSite=Lax',
    )
    const logout = await get('/logout', { method: 'POST' })
    t.match(logout.headers.get('set-cookie'), /^__Host-id=; .*Max-Age=0/)
    const root = await get('/')
    t.equal(root.status, 202)
    t.equal(root.headers.get('cache-control'), 'no-store')
    t.equal((await get('/plain')).headers.get('x-kind'), 'plain')
  },
  'problems.ts': async (t, get) => {
    t.same(await (await get('/stock/pen')).json(), { count: 3 })
    const soldOut = await get('/stock/ink')
    t.equal(soldOut.headers.get('content-type'), 'application/problem+json')
    t.match(await soldOut.json(), { status: 409, type: '/sold-out', detail: 'sold out' })
    const none = await (await get('/stock/cup')).json()
    t.match(none, { status: 404, detail: 'no such item', item: 'cup' })
  },
  'streams.ts': async (t, get, url) => {
    t.equal(await (await get('/rows')).text(), '{"id":1}\n{"id":2}\n{"id":3}\n')
    const report = await ask(`${url}/report`, { headers: { te: 'trailers' } })
    t.equal(report.body, '1\n2\n3\n')
    const digest = createHash('sha256').update(report.body).digest('base64')
    t.equal(report.trailers['repr-digest'], `sha-256=:${digest}:`)
    t.same((await ask(`${url}/report`)).trailers, {}, 'who does not ask gets none')
  },
  'events.ts': async (t, get, url) => {
    const ticks = await get('/ticks', { headers: { 'last-event-id': '1' } })
    t.equal(await ticks.text(), 'event: tick\nid: 2\ndata: 2\n\nevent: tick\nid: 3\ndata: 3\n\n')
    t.match(await (await get('/clock')).text(), /^data: \d{4}-/)
    t.same((await ask(url)).interim, [[103, '</style.css>; rel=preload; as=style']])
  },
  'serializer.ts': async (t, get) => {
    const point = await get('/')
    t.equal(point.headers.get('content-type'), 'application/json')
    t.same(await point.json(), { x: 1, y: 2 })
  },
}

const middleware: PageChecks['applications'] = {
  'order.ts': async (t, get) => {
    t.equal((await get('/')).headers.get('x-order'), 'app router')
    const refused = await get('/admin')
    t.equal(refused.status, 401)
    t.equal(refused.headers.get('x-order'), 'app router group')
    const admitted = await get('/admin', { headers: { authorization: 'x' } })
    t.equal(admitted.headers.get('x-order'), 'app router group route')
    t.equal((await get('/admin/none')).headers.get('x-order'), 'app router', 'a 404 has no group')
    t.equal((await get('/admin', { method: 'POST' })).status, 401, 'a 405 has one')
  },
  'errors.ts': async (t, get) => {
    t.equal((await get('/taken/ann')).status, 409)
    const bug = await get('/taken/bob')
    t.equal(bug.status, 500)
    t.ok(bug.headers.has('x-request-id'))
    t.notMatch(await bug.text(), /told/)
    const gone = await get('/api/gone', { headers: { origin: 'https://a.example' } })
    t.equal(gone.status, 410)
    t.equal(gone.headers.get('access-control-allow-origin'), '*')
  },
  'built-in.ts': async (t, get) => {
    const page = await get('/', { headers: { 'x-request-id': 'abc' } })
    t.equal(page.headers.get('x-request-id'), 'abc')
    const nonce = /nonce="([^"]+)"/.exec(await page.text())?.[1] ?? 'none'
    t.ok(page.headers.get('content-security-policy')?.includes(`'nonce-${nonce}'`))
    const origin = 'https://app.example.com'
    const numbers = await get('/numbers', { headers: { origin, 'accept-encoding': 'br' } })
    t.equal(numbers.headers.get('content-encoding'), 'br')
    t.equal(numbers.headers.get('access-control-allow-origin'), origin)
    t.equal(((await numbers.json()) as number[]).length, 1000)
    const tag = numbers.headers.get('etag') ?? ''
    t.equal((await get('/numbers', { headers: { 'if-none-match': tag } })).status, 304)
  },
  'own.ts': async (t, get) => {
    const known = await get('/', { headers: { 'x-user': 'Ann' } })
    t.equal(await known.text(), 'Ann')
    t.equal(known.headers.get('x-region'), 'eu')
    t.equal((await get('/none')).headers.get('x-region'), 'eu')
    const failed = await get('/gone')
    t.equal(failed.headers.get('x-region'), 'eu')
    t.equal(failed.headers.get('content-type'), 'application/problem+json')
  },
}

const files: PageChecks['applications'] = {
  'folder.ts': async (t, get) => {
    const style = await get('/assets/style-0a1b2c3d.css')
    t.equal(style.headers.get('cache-control'), 'public, max-age=31536000, immutable')
    const report = await get('/assets/report.csv', { headers: { range: 'bytes=0-0' } })
    t.equal(report.status, 206)
    t.equal(report.headers.get('cache-control'), 'no-cache')
    const tag = report.headers.get('etag') ?? ''
    t.equal((await get('/assets/report.csv', { headers: { 'if-none-match': tag } })).status, 304)
    t.equal((await get('/assets/.env')).status, 404)
    t.equal((await get('/assets/none')).status, 404)
  },
  'site.ts': async (t, get) => {
    t.equal(await (await get('/')).text(), 'the page')
    t.equal(await (await get('/report.csv')).text(), 'a,b\n')
    t.equal(await (await get('/api/users')).text(), '[]')
    t.equal(await (await get('/some/view')).text(), 'the page')
    t.equal((await get('/some/view', { method: 'POST' })).status, 405)
  },
  'download.ts': async (t, get) => {
    const report = await get('/reports/q1')
    t.equal(await report.text(), 'a,b\n')
    t.match(report.headers.get('content-disposition'), /^attachment; .*Gr%C3%B6%C3%9Fen/)
    t.equal((await get('/reports/q2')).status, 404)
  },
}

const limits: PageChecks['applications'] = {
  'rate-limit.ts': async (t, get) => {
    t.match((await get('/')).headers.get('ratelimit-policy'), /^"default";q=600;w=60$/)
    const search = (): Promise<Response> => get('/search', { headers: { 'x-api-key': 'key-1' } })
    t.same([(await search()).status, (await search()).status], [200, 200])
    const refused = await search()
    t.equal(refused.status, 429)
    t.ok(Number(refused.headers.get('retry-after')) > 0)
    t.equal((await get('/search', { headers: { 'x-api-key': 'made up' } })).status, 200)
  },
  'counter.ts': async (t, get) => {
    t.equal(await (await get('/')).text(), 'visit 1')
    t.equal(await (await get('/')).text(), 'visit 2')
  },
  'compute.ts': async (t, get) => {
    t.same(await (await get('/primes/100')).json(), { count: 25 })
    t.equal((await get('/primes/many')).status, 422)
  },
  'timeouts.ts': async (t, get) => {
    t.equal((await get('/report')).status, 503)
  },
  'body-limits.ts': async (t, get) => {
    t.equal((await send(get, 'POST', '/note', ' '.repeat(1000))).status, 200)
    t.equal((await send(get, 'POST', '/note', ' '.repeat(1001))).status, 413)
  },
  'route-limits.ts': async (t, get) => {
    t.equal((await send(get, 'PUT', '/upload', ' '.repeat(2_000_000))).status, 200)
    t.equal(await (await get('/health')).text(), 'ok')
    t.equal((await (await get('/export')).text()).length, 100_000)
  },
}

const diagnostics: PageChecks['applications'] = {
  'log.ts': async (t, get) => {
    const ordered = await get('/orders/7', { method: 'POST', headers: { 'x-request-id': 'mine' } })
    t.equal(await ordered.text(), 'thanks')
    t.equal(ordered.headers.get('x-request-id'), 'mine')
  },
  'channels.ts': async (t, get) => {
    t.equal(await (await get('/')).text(), '0 answered')
    t.equal(await (await get('/')).text(), '1 answered')
  },
  'trace.ts': async (t, get) => {
    t.equal(await (await get('/a?b')).text(), 'GET /a')
  },
}

const drainsAndReloads: PageChecks['applications'] = {
  'feeds.ts': async (t, get) => {
    t.match(await firstPart(await get('/events')), /^data: one\n\n/)
    t.match(await firstPart(await get('/clock')), /^data: \d{4}-/)
    t.equal(await firstPart(await get('/changes')), '{"data":"one"}\n')
  },
  'exports.ts': async (t, get) => {
    t.equal(await (await get('/export?from=4')).text(), '{"row":4}\n{"row":5}\n{"row":6}\n')
    t.equal(await firstPart(await get('/game')), 'data: begun\n\n')
  },
  'app.ts': async (t, get) => {
    t.equal(await (await get('/')).text(), 'the pool is open')
  },
}

/** What comes first of an answer that does not end; it is then given up. */
async function firstPart({ body }: Response): Promise<string> {
  const reader = body!.getReader()
  const { value } = await reader.read()
  await reader.cancel()
  return Buffer.from(value as Uint8Array).toString()
}

testPages(t, {
  'guide/diagnostics.md': { applications: diagnostics },
  'guide/requests.md': { applications: requests },
  'guide/responses.md': { applications: responses },
  'guide/middleware.md': { applications: middleware },
  'guide/files.md': {
    applications: files,
    files: {
      'public/index.html': 'the page',
      'public/report.csv': 'a,b\n',
      'public/style-0a1b2c3d.css': 'p {}',
      'public/.env': 'SECRET=1',
    },
  },
  'guide/behind-a-proxy.md': {
    applications: {
      'app.ts': async (t, get, url) => {
        const forwarded = { headers: { 'x-forwarded-for': '192.0.2.1' } }
        const own = { client: '127.0.0.1', peer: '127.0.0.1', url: `${url}/` }
        t.same(await (await get('/', forwarded)).json(), own, 'nobody is trusted unless asked for')
      },
    },
  },
  'guide/limits-and-pools.md': {
    applications: limits,
    programs: {
      'main.ts': (t, stdout) => void t.equal(stdout, 'visit 4 1000\n'),
      'overload.ts': (t, stdout) => {
        const [refusal, counts] = stdout.trim().split('\n')
        t.match(refusal, /^requests-in-flight 503 GET \/ 127\.0\.0\.1$/)
        t.match(counts, /^\{ inFlight: 1, workerInFlight: 0, loopDelay: 0 \}$/)
      },
    },
    modules: ['primes.ts'],
  },
  'guide/drain-and-reload.md': {
    applications: drainsAndReloads,
    programs: { 'reload.ts': (t, stdout) => void t.equal(stdout, '2 0 the pool is open\n') },
    modules: ['routes.ts'],
  },
  'guide/observability.md': {
    applications: {
      'application.ts': async (t, get) =>
        void t.equal(await (await get('/hello/Ann')).text(), 'hello Ann'),
    },
    programs: { 'admin.ts': (t, stdout) => void t.equal(stdout, '200 ok\n\n') },
  },
})

t.test('the index names every page, and every link leads somewhere', async (t) => {
  const guide = new URL('../guide/', import.meta.url)
  const pages = globSync('*.md', { cwd: guide }).sort()
  t.ok(pages.length > 6)
  for (const page of pages) {
    const text = readFileSync(new URL(page, guide), 'utf8')
    if (page === 'README.md') {
      for (const other of pages) t.ok(other === page || text.includes(`(${other})`), other)
    }
    for (const [, path = '', anchor = ''] of text.matchAll(/\]\(([^)#]*)(?:#([^)]*))?\)/g)) {
      const target = new URL(path === '' ? page : path, guide)
      t.ok(existsSync(target), `${page}: ${path}`)
      if (anchor === '') continue
      t.ok(anchorsOf(readFileSync(target, 'utf8')).has(anchor), `${page}: ${path}#${anchor}`)
    }
  }
})

/** As GitHub makes them of headings. */
function anchorsOf(markdown: string): Set<string> {
  const headings = markdown.replaceAll(/^```[\s\S]*?^```/gm, '').matchAll(/^#+ (.+)$/gm)
  return new Set(
    [...headings].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  )
}
