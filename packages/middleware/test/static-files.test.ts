import { mkdirSync, renameSync, symlinkSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { composeMiddleware, text } from '@rr/core'
import { serve } from '@rr/listener'
import { createRouter } from '@rr/router'
import t, { type Test } from 'tap'
import { staticFiles } from '../src/static-files.ts'
import type { StaticOptions } from '../src/static-options.ts'
import { type FileServer, serveFiles, temporaryFolder, untilClosed } from './support/file-server.ts'
import { type RawAnswer, rawRequest } from './support/raw-request.ts'

const CHANGED = new Date('2020-02-03T04:05:06Z')

function write(root: string, name: string, content: string, changed: Date = CHANGED): void {
  const path = join(root, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
  utimesSync(path, changed, changed)
}

function tree(t: Test): string {
  const root = temporaryFolder(t)
  write(root, 'index.html', '<p>root')
  write(root, 'app.js', 'let a')
  write(root, 'docs/index.html', '<p>docs')
  write(root, 'docs/a b.txt', 'spaced')
  write(root, 'plain/a.txt', 'no index here')
  write(root, '.env', 'secret')
  write(root, '.well-known/security.txt', 'Contact: x')
  return root
}

async function serveTree(
  t: Test,
  root: string | URL,
  options: StaticOptions = {},
): Promise<FileServer> {
  const app = createRouter()
  app.all('/assets/*path', staticFiles(root, options))
  return await serveFiles(t, app)
}

t.test('files of a folder behind a wildcard route', async (t) => {
  const root = tree(t)
  const server = await serveTree(t, pathToFileURL(root))
  const answer = await server.get('/assets/app.js?v=1')
  t.equal(answer.status, 200)
  t.equal(answer.body, 'let a')
  t.equal(answer.headers.get('content-type'), 'text/javascript; charset=utf-8')
  t.equal(answer.headers.get('cache-control'), 'no-cache')
  t.notOk(answer.headers.has('vary'))
  t.equal((await server.get('/assets/docs/a%20b.txt')).body, 'spaced')
  t.equal((await server.get('/%61ssets/%61pp.js')).body, 'let a', 'the normal form of the path')
  const head = await server.get('/assets/app.js', {}, 'HEAD')
  t.equal(head.status, 200)
  t.equal(head.headers.get('content-length'), '5')
  t.equal(head.body, '')
  t.equal((await server.get('/assets/none.js')).status, 404)
})

t.test('conditions and ranges hold for files in memory as for open ones', async (t) => {
  const root = tree(t)
  for (const maxCacheBytes of [0, 1_000_000]) {
    const server = await serveTree(t, root, { maxCacheBytes })
    for (let round = 0; round < 2; round++) {
      const { headers } = await server.get('/assets/app.js')
      const etag = headers.get('etag') ?? ''
      t.equal((await server.get('/assets/app.js', { 'if-none-match': etag })).status, 304)
      const part = await server.get('/assets/app.js', { range: 'bytes=1-2', 'if-range': etag })
      t.equal(part.status, 206)
      t.equal(part.body, 'et')
      const parts = await server.get('/assets/app.js', { range: 'bytes=0-0,2-2' })
      t.match(parts.headers.get('content-type'), /^multipart\/byteranges/)
    }
  }
  t.ok(await untilClosed(root))
})

t.test('an index stands for its folder; folders are never listed', async (t) => {
  const root = tree(t)
  const server = await serveTree(t, root)
  t.equal((await server.get('/assets/')).body, '<p>root')
  t.equal((await server.get('/assets/docs/')).body, '<p>docs')
  t.equal((await server.get('/assets/plain/')).status, 404)
  t.equal((await server.get('/assets/plain')).status, 404)
  t.equal((await server.get('/assets/app.js/')).status, 404)
  const none = await serveTree(t, root, { index: false })
  t.equal((await none.get('/assets/docs/')).status, 404)
  t.equal((await none.get('/assets/docs')).status, 404)
  const other = await serveTree(t, root, { index: 'a.txt' })
  t.equal((await other.get('/assets/plain/')).body, 'no index here')
})

t.test('RFC 9110 §15.4.9 a folder without its slash redirects to that with it', async (t) => {
  const server = await serveTree(t, tree(t))
  const { status, headers } = await server.get('/assets/docs?a=b&c')
  t.equal(status, 308)
  t.equal(headers.get('location'), './docs/?a=b&c')
  const { href } = new URL(headers.get('location') ?? '', 'http://host/assets/docs?a=b&c')
  t.equal(href, 'http://host/assets/docs/?a=b&c')
  t.equal(await (await fetch(`${server.url}/assets/docs`)).text(), '<p>docs')
})

t.test('RFC 9110 §15.5.6 other methods than GET and HEAD are 405 with Allow', async (t) => {
  const server = await serveTree(t, tree(t))
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PROPFIND']) {
    const { status, headers } = await server.get('/assets/app.js', {}, method)
    t.equal(status, 405, method)
    t.equal(headers.get('allow'), 'GET, HEAD')
  }
})

t.test('as middleware it serves what is there and leaves all else to what is inside', async (t) => {
  const root = tree(t)
  const handler = (): ReturnType<typeof text> => text('inside')
  const server = await serveFiles(t, composeMiddleware([staticFiles(root)], handler))
  t.equal((await server.get('/app.js')).body, 'let a')
  t.equal((await server.get('/')).body, '<p>root')
  t.equal((await server.get('/docs')).status, 308)
  for (const target of ['/none', '/plain/', '/.env', '/..%2fx', '//app.js', '/%ff', '/a%00']) {
    t.equal((await server.get(target)).body, 'inside', target)
  }
  t.equal((await server.get('/app.js', {}, 'POST')).body, 'inside')
  t.equal((await server.get('*', {}, 'OPTIONS')).body, 'inside')
})

t.test('as middleware below a prefix, in whatever way that is written', async (t) => {
  const root = tree(t)
  const middleware = staticFiles(root, { prefix: '/assets' })
  const server = await serveFiles(
    t,
    composeMiddleware([middleware], () => text('inside')),
  )
  t.equal((await server.get('/assets/app.js')).body, 'let a')
  t.equal((await server.get('/%61ssets/app.js')).body, 'let a')
  for (const target of [
    '/app.js',
    '/assets',
    '/assetsapp.js',
    '/Assets/app.js',
    '/assets%2fapp.js',
  ]) {
    t.equal((await server.get(target)).body, 'inside', target)
  }
})

t.test('as a plain handler, without a route, it serves the whole path', async (t) => {
  const server = await serveFiles(t, staticFiles(tree(t)))
  t.equal((await server.get('/docs/')).body, '<p>docs')
  t.equal((await server.get('/none')).status, 404)
})

t.test('below parameters and in groups it serves what the wildcard takes', async (t) => {
  const folder = staticFiles(tree(t))
  const app = createRouter()
  app.get('/:tenant/files/*path', { state: 1 }, folder)
  app.group('/v1', (group) => group.get('/*rest', folder))
  const server = await serveFiles(t, app)
  t.equal((await server.get('/a%2Fb/files/docs/')).body, '<p>docs')
  t.equal((await server.get('/v1/app.js')).body, 'let a')
})

t.test('dotfiles are not there, unless they are allowed, all or by name', async (t) => {
  const root = tree(t)
  const denied = await serveTree(t, root)
  t.equal((await denied.get('/assets/.env')).status, 404)
  t.equal((await denied.get('/assets/.well-known/security.txt')).status, 404)
  const allowed = await serveTree(t, root, { dotfiles: 'allow' })
  t.equal((await allowed.get('/assets/.env')).body, 'secret')
  const listed = await serveTree(t, root, { dotfiles: ['.well-known'] })
  t.equal((await listed.get('/assets/.well-known/security.txt')).body, 'Contact: x')
  t.equal((await listed.get('/assets/.env')).status, 404)
})

t.test('Cache-Control: by option, none, and immutable for a pattern', async (t) => {
  const root = tree(t)
  write(root, 'app-0123abcd.js', 'x')
  const cacheControl = 'public, max-age=60'
  const server = await serveTree(t, root, { cacheControl, immutable: /-[0-9a-f]{8}\.js$/g })
  for (let i = 0; i < 3; i++) {
    const { headers } = await server.get('/assets/app-0123abcd.js')
    t.equal(headers.get('cache-control'), 'public, max-age=31536000, immutable')
    t.equal((await server.get('/assets/app.js')).headers.get('cache-control'), cacheControl)
  }
  const none = await serveTree(t, root, { cacheControl: null })
  t.notOk((await none.get('/assets/app.js')).headers.has('cache-control'))
})

t.test('RFC 9110 §12.5.3 copies compressed beforehand, by Accept-Encoding', async (t) => {
  const root = tree(t)
  const large = 'x'.repeat(100_000)
  write(root, 'large.css', large)
  for (const [extension, content] of [
    ['.br', 'BR'],
    ['.zst', 'ZSTD'],
    ['.gz', 'GZIP'],
  ] as const) {
    write(root, `app.js${extension}`, content)
    write(root, `large.css${extension}`, content.repeat(50_000))
  }
  for (const maxCacheBytes of [0, 1_000_000]) {
    const server = await serveTree(t, root, {
      maxCacheBytes,
      precompressed: ['br', 'zstd', 'gzip'],
    })
    const tags = new Set<string>()
    const cases = [
      ['gzip, br, zstd', 'BR', 'br'],
      ['gzip;q=0.9, zstd, br;q=0', 'ZSTD', 'zstd'],
      ['gzip', 'GZIP', 'gzip'],
      ['identity', 'let a', undefined],
      ['br;q=0', 'let a', undefined],
    ] as const
    for (const [accept, body, coding] of cases) {
      const answer = await server.get('/assets/app.js', { 'accept-encoding': accept })
      t.equal(answer.body, body, accept)
      t.equal(answer.headers.get('content-encoding'), coding)
      t.equal(answer.headers.get('content-type'), 'text/javascript; charset=utf-8')
      t.equal(answer.headers.get('vary'), 'Accept-Encoding')
      tags.add(answer.headers.get('etag') ?? '')
    }
    t.equal(tags.size, 4, 'each has a tag of its own (§8.8.3.3)')
    const copy = await server.get('/assets/large.css', { 'accept-encoding': 'br' })
    t.equal(copy.body, 'BR'.repeat(50_000))
    const etag = copy.headers.get('etag') ?? ''
    const fields = { 'accept-encoding': 'br', 'if-none-match': etag }
    const same = await server.get('/assets/large.css', fields)
    t.equal(same.status, 304)
    t.equal(same.headers.get('vary'), 'Accept-Encoding')
    t.equal((await server.get('/assets/large.css')).body, large)
  }
  t.ok(await untilClosed(root))
})

t.test('a copy that is older than its file, or has none, is not sent in its place', async (t) => {
  const root = tree(t)
  write(root, 'app.js.gz', 'OLD', new Date(CHANGED.getTime() - 1000))
  write(root, 'lost.js.gz', 'LOST')
  const server = await serveTree(t, root, { precompressed: ['gzip'] })
  const answer = await server.get('/assets/app.js', { 'accept-encoding': 'gzip' })
  t.equal(answer.body, 'let a')
  t.notOk(answer.headers.has('content-encoding'))
  t.equal((await server.get('/assets/lost.js', { 'accept-encoding': 'gzip' })).status, 404)
})

t.test('a file in memory is sent without a look at the disk, for as long as is set', async (t) => {
  const root = tree(t)
  const server = await serveTree(t, root, { revalidateMs: 86_400_000 })
  t.equal((await server.get('/assets/app.js')).body, 'let a')
  write(root, 'app.js', 'changed')
  t.equal((await server.get('/assets/app.js')).body, 'let a')
})

t.test('and is looked at each time with revalidateMs 0', async (t) => {
  const root = tree(t)
  const server = await serveTree(t, root, { revalidateMs: 0, precompressed: ['gzip'] })
  const gzip = { 'accept-encoding': 'gzip' }
  t.equal((await server.get('/assets/app.js', gzip)).body, 'let a')
  write(root, 'app.js', 'other')
  t.equal((await server.get('/assets/app.js', gzip)).body, 'other', 'the same size and time')
  write(root, 'app.js.gz', 'GZIP')
  t.equal((await server.get('/assets/app.js', gzip)).body, 'GZIP')
  unlinkSync(join(root, 'app.js'))
  t.equal((await server.get('/assets/app.js', gzip)).status, 404)
  t.equal((await server.get('/assets/docs/')).status, 200)
})

for (const symlinks of ['inside', 'deny'] as const) {
  t.test(`a file that is replaced by renaming is always there, links ${symlinks}`, async (t) => {
    const root = tree(t)
    const server = await serveTree(t, root, { symlinks, revalidateMs: 0 })
    let isOver = false
    let version = 0
    const replace = (): void => {
      version++
      write(root, 'next', `version ${version}`)
      renameSync(join(root, 'next'), join(root, 'app.js'))
      if (!isOver) setImmediate(replace)
    }
    replace()
    for (let round = 0; round < 40; round++) {
      const requests = Array.from({ length: 8 }, () => server.get('/assets/app.js'))
      for (const { status, headers, body } of await Promise.all(requests)) {
        const isWhole =
          /^version \d+$/.test(body) && `${body.length}` === headers.get('content-length')
        if (status !== 200 || !isWhole) t.fail(`${status} ${body}`)
      }
    }
    isOver = true
    t.ok(version > 40)
    t.ok(await untilClosed(root))
  })
}

for (const workers of [1, 2]) {
  t.test(`served by ${workers} worker(s), whichever answers`, async (t) => {
    const example = new URL('../../../docs/examples/static.ts', import.meta.url)
    const server = await serve(example, { host: '127.0.0.1', port: 0, workers })
    t.teardown(() => server.stop())
    const get = (headers = ''): Promise<RawAnswer> =>
      rawRequest(server.port, '/assets/', { headers })
    const first = await get()
    t.equal(first.status, 200)
    const etag = first.headers.get('etag')?.replace('W/', '') ?? ''
    for (let i = 0; i < 16; i++) {
      t.equal((await get()).headers.get('etag')?.replace('W/', ''), etag)
      t.equal((await get(`If-None-Match: ${etag}\r\n`)).status, 304)
      t.equal((await get('Range: bytes=0-8\r\n')).body, '<!doctype')
    }
  })
}

t.test('a link to the root is followed when it is made', async (t) => {
  const folder = temporaryFolder(t)
  symlinkSync(tree(t), join(folder, 'current'))
  const server = await serveTree(t, join(folder, 'current'))
  t.equal((await server.get('/assets/app.js')).body, 'let a')
})

t.test('options that cannot be are refused at start', async (t) => {
  const root = tree(t)
  const make = (options: object) => () => staticFiles(root, options)
  t.throws(make({ dotfile: 'allow' }), {
    code: 'RR_OPTION_UNKNOWN',
    message: /did you mean 'dotfiles'/,
  })
  const invalid: object[] = [
    { prefix: 'assets' },
    { prefix: '/%zz' },
    { index: 'a/b' },
    { index: '..' },
    { index: '' },
    { dotfiles: ['well-known'] },
    { dotfiles: true },
    { precompressed: ['deflate'] },
    { precompressed: 'br' },
    { immutable: '.js' },
    { symlinks: true },
    { maxCacheBytes: -1 },
    { maxCacheBytes: 1_073_741_825 },
    { revalidateMs: -1 },
    { revalidateMs: 86_400_001 },
  ]
  for (const options of invalid) {
    t.throws(make(options), { code: 'RR_OPTION_INVALID' }, JSON.stringify(options))
  }
  t.throws(make({ cacheControl: 'a\nb' }), { code: 'RR_HEADER_INVALID' })
  t.throws(() => staticFiles(join(root, 'none')), { code: 'RR_OPTION_INVALID' })
  for (const options of [{ maxCacheBytes: 1_073_741_824 }, { revalidateMs: 86_400_000 }]) {
    t.doesNotThrow(make(options))
  }
})
