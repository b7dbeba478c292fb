import { stripTypeScriptTypes } from 'node:module'
import t from 'tap'
import { codeBlocks, type PageChecks, testPages } from './support/page-snippets.ts'

/** What an application answers. */
const applications: PageChecks['applications'] = {
  'app.ts': async (t, get) => {
    t.equal(await (await get('/')).text(), 'Hello, World!')
    t.equal(await (await get('/users/7')).text(), '{"id":"7"}')
    t.equal(await (await get('/teams/red')).text(), 'red')
    t.equal(await (await get('/teams/red/members/7')).text(), 'red: 7')
    t.equal((await get('/users/7', { method: 'POST' })).status, 405)
  },
  'query.ts': async (t, get) => {
    t.same(await (await get('/search')).json(), { page: 1, tags: [] })
    t.same(await (await get('/search?page=2&tag=a&tag=b')).json(), { page: 2, tags: ['a', 'b'] })
  },
  'bodies.ts': async (t, get) => {
    const headers = { 'content-type': 'application/json' }
    const post = (path: string, body: string): Promise<Response> =>
      get(path, { method: 'POST', body, headers })
    t.equal((await post('/users', '{"name":"Bob"}')).status, 201)
    t.equal((await post('/users', '{"name":1}')).status, 422)
    t.equal((await post('/users', 'no JSON')).status, 400)
    t.equal((await post('/users', ' '.repeat(2 ** 20 + 1))).status, 413)
    t.same(await (await post('/size', 'four')).json(), { bytes: 4 })
  },
  'forms.ts': async (t, get) => {
    const login = await get('/login', { method: 'POST', body: new URLSearchParams('name=Ann') })
    t.equal(await login.text(), 'Hello, Ann')
    const body = new FormData()
    body.set('note', 'four')
    body.set('file', new File(['seven 7'], 'a.txt'))
    const upload = await get('/upload', { method: 'POST', body })
    t.same(await upload.json(), { note: 4, 'a.txt': 7 })
  },
  'errors.ts': async (t, get) => {
    t.same(await (await get('/stock/pen')).json(), { count: 3 })
    t.equal((await get('/stock/ink')).status, 404)
  },
  'error-handler.ts': async (t, get) => {
    t.equal((await get('/order')).status, 409)
    t.equal((await get('/elsewhere')).status, 404)
  },
  'middleware.ts': async (t, get) => {
    const response = await get('/')
    t.match(response.headers.get('server-timing'), /^app;dur=/)
    t.ok(response.headers.get('x-request-id'))
    t.equal(response.headers.get('x-content-type-options'), 'nosniff')
    t.equal((await get('/private')).status, 401)
    t.equal((await get('/private', { headers: { 'x-api-key': 'k' } })).status, 200)
  },
  'cookies.ts': async (t, get) => {
    const first = await get('/')
    t.equal(await first.text(), 'never')
    t.match(first.headers.get('set-cookie'), /^seen=1; /)
    t.equal(await (await get('/', { headers: { cookie: 'seen=1' } })).text(), '1')
  },
  'static.ts': async (t, get) => {
    t.equal(await (await get('/assets/a.txt')).text(), 'a file')
    t.equal((await get('/assets/b.txt')).status, 404)
  },
  'stream.ts': async (t, get) => {
    t.equal(await (await get('/rows')).text(), '1\n2\n3\n')
  },
  'events.ts': async (t, get) => {
    const events = await get('/ticks')
    t.match(events.headers.get('content-type'), /^text\/event-stream/)
    t.match(await events.text(), /data: ?tick 3\n\n/)
    t.equal((await (await get('/ticks.ndjson')).text()).split('\n').length, 4)
  },
  'hono.ts': async (t, get) => {
    t.equal(await (await get('/users/7')).text(), '{"id":"7"}')
    t.equal(await (await get('/ip')).text(), '127.0.0.1')
  },
}

const programs: PageChecks['programs'] = {
  'main.ts': (t, stdout) => {
    t.equal(stdout, '200 1\n')
  },
  'app.test.ts': (t, stdout) => {
    t.match(stdout, /pass 1\n/)
  },
}

testPages(t, {
  'coming-from.md': { applications, programs, files: { 'public/a.txt': 'a file' } },
})

t.test('what is shown of others is JavaScript', async (t) => {
  const blocks = codeBlocks('coming-from.md', 'js')
  t.ok(blocks.length > 5)
  for (const source of blocks) {
    t.doesNotThrow(() => stripTypeScriptTypes(source), source.split('\n')[0] ?? '')
  }
})
