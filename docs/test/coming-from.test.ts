import { execFile, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { listen } from '@rr/listener'
import t, { type Test } from 'tap'

const root = fileURLToPath(new URL('../../', import.meta.url))
const page = readFileSync(join(root, 'docs/coming-from.md'), 'utf8')

interface Snippet {
  readonly name: string
  readonly source: string
  /** Shows what is not there yet, so that it need not compile. */
  readonly isPending: boolean
}

const snippets: Snippet[] = [
  ...page.matchAll(/^```ts( pending)?\n\/\/ ([\w.-]+)([\s\S]*?)^```/gm),
].map(([, pending, name = '', rest = '']) => ({
  name,
  source: `//${rest}`,
  isPending: pending !== undefined,
}))

// Within the workspace, where their imports resolve; a folder that tools pass over.
const folder = mkdtempSync(join(root, 'node_modules/.coming-from-'))
t.teardown(() => rmSync(folder, { recursive: true }))
for (const { name, source } of snippets) {
  writeFileSync(join(folder, name), source)
  // Node strips no types below node_modules.
  const script = stripTypeScriptTypes(source).replaceAll('./app.ts', './app.js')
  writeFileSync(join(folder, name.replace(/ts$/, 'js')), script)
}
writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
mkdirSync(join(folder, 'public'))
writeFileSync(join(folder, 'public/a.txt'), 'a file')

/** The first fault that the compiler finds in each snippet. */
const faults: ReadonlyMap<string, string> = compile()

function compile(): Map<string, string> {
  const config = {
    extends: join(root, 'tsconfig.check.json'),
    compilerOptions: { incremental: false, tsBuildInfoFile: null, types: ['node'] },
    files: snippets.map(({ name }) => name),
    include: [],
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
  const tsc = join(root, 'node_modules/.bin/tsc')
  const { status, stdout } = spawnSync(tsc, ['-p', folder, '--pretty', 'false'], {
    cwd: folder,
    encoding: 'utf8',
  })
  const found = new Map<string, string>()
  for (const [line, name = ''] of stdout.matchAll(/^(\S+?)\(\d.*$/gm)) {
    if (!found.has(name)) found.set(name, line)
  }
  if (status !== 0 && found.size === 0) throw new Error(`tsc failed: ${stdout}`)
  return found
}

async function run(name: string): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [join(folder, name)])
  return stdout
}

type Get = (path: string, init?: RequestInit) => Promise<Response>

/** What an application answers. */
const applications: Record<string, (t: Test, get: Get) => Promise<void>> = {
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

const programs: Record<string, (t: Test) => Promise<void>> = {
  'main.ts': async (t) => {
    t.equal(await run('main.js'), '200 1\n')
  },
  'app.test.ts': async (t) => {
    await t.resolves(run('app.test.js'))
  },
}

t.test('every snippet is checked', async (t) => {
  t.same(
    snippets.map(({ name }) => name).sort(),
    [...Object.keys(applications), ...Object.keys(programs)].sort(),
  )
  t.equal(snippets.length, page.match(/^```ts/gm)?.length, 'each begins with its name')
})

for (const { name, isPending } of snippets) {
  const fault = faults.get(name)
  const skip = isPending && fault !== undefined ? `pending: ${fault}` : false
  t.test(`${name} compiles and does what the page says`, { skip }, async (t) => {
    t.equal(fault, undefined)
    await programs[name]?.(t)
    const check = applications[name]
    if (check === undefined) return
    const module = pathToFileURL(join(folder, name.replace(/ts$/, 'js'))).href
    const { default: app } = (await import(module)) as { default: unknown }
    const server = await listen(app, { host: '127.0.0.1', port: 0, onError: () => {} })
    t.teardown(() => server.stop())
    await check(t, (path, init) => fetch(server.url + path, init))
  })
}

t.test('what is shown of others is JavaScript', async (t) => {
  const blocks = [...page.matchAll(/^```js\n([\s\S]*?)^```/gm)].map(([, source = '']) => source)
  t.ok(blocks.length > 5)
  for (const source of blocks) {
    t.doesNotThrow(() => stripTypeScriptTypes(source), source.split('\n')[0] ?? '')
  }
})
