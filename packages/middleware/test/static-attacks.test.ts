// Each case is titled by what it prevents. Requests are bytes on a socket: no client between the
// test and the server tidies the path up.
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { composeMiddleware, text } from '@rr/core'
import { createRouter } from '@rr/router'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { staticFiles } from '../src/static-files.ts'
import type { StaticOptions } from '../src/static-options.ts'
import { type FileServer, serveFiles, temporaryFolder, untilClosed } from './support/file-server.ts'
import { HOSTILE_PATHS } from './support/hostile-paths.ts'
import type { RawAnswer } from './support/raw-request.ts'

const SECRET = 'BYTES-THAT-MUST-NEVER-BE-SENT'

interface Target extends FileServer {
  readonly folder: string
  readonly root: string
}

/** A folder to serve, with secrets beside it and in it. */
function makeTree(t: Test): { folder: string; root: string } {
  const folder = temporaryFolder(t)
  const root = join(folder, 'public')
  for (const name of ['public/docs', 'public/.git', 'public-private']) {
    mkdirSync(join(folder, name), { recursive: true })
  }
  const secrets = ['secret.txt', 'public-private/secret.txt', 'public/.git/config', 'public/.env']
  for (const name of secrets) writeFileSync(join(folder, name), SECRET)
  for (const name of ['index.html', 'app.js', 'docs/index.html', 'docs/a.txt']) {
    writeFileSync(join(root, name), `public ${name}`)
    utimesSync(join(root, name), new Date('2020-01-01'), new Date('2020-01-01'))
  }
  return { folder, root }
}

/** The folder behind the router, at `/assets/*path`, at `/:site/any/*path` and at the root. */
async function serveTree(t: Test, options: StaticOptions = {}): Promise<Target> {
  const { folder, root } = makeTree(t)
  const files = staticFiles(root, options)
  const app = createRouter()
  app.get('/assets/*path', files)
  app.get('/:site/any/*path', files)
  app.get('/*path', files)
  return { folder, root, ...(await serveFiles(t, app)) }
}

function checkRefused(t: Test, target: string, answer: RawAnswer): void {
  t.ok(answer.status === 404 || answer.status === 400, `${target} is ${answer.status}`)
  t.notMatch(answer.text, SECRET, target)
}

async function checkAllRefused(t: Test, targets: readonly string[]): Promise<void> {
  const server = await serveTree(t)
  for (const target of targets) checkRefused(t, target, await server.get(target))
  t.equal((await server.get('/assets/app.js')).status, 200, 'and the server serves on')
}

for (const [title, targets] of HOSTILE_PATHS) {
  t.test(`prevents: ${title}`, (t) => checkAllRefused(t, targets))
}

t.test('prevents: the same below a middleware, where no router looks at the path', async (t) => {
  const { root } = makeTree(t)
  for (const prefix of ['/', '/assets']) {
    const middleware = staticFiles(root, { prefix })
    const app = composeMiddleware([middleware], () => text('no', { status: 404 }))
    const server = await serveFiles(t, app)
    for (const [, targets] of HOSTILE_PATHS) {
      for (const target of targets) {
        const answer = await server.get(target)
        t.notMatch(answer.text, SECRET, target)
        if (prefix === '/assets') checkRefused(t, target, answer)
      }
    }
  }
})

t.test(
  'prevents: names that exist here and mean something else on Windows',
  { skip: process.platform === 'win32' ? 'they cannot be made' : false },
  async (t) => {
    const server = await serveTree(t)
    const names = ['app.js.', 'app.js ', 'con', 'aux.js', 'COM1', 'nul.tar.gz', 'c:', 'app.js:x']
    for (const name of [...names, 'docs\\a.txt', '\\', 'a\nb', 'a\x7f', '...']) {
      writeFileSync(join(server.root, name), SECRET)
      const target = `/assets/${encodeURIComponent(name)}`
      checkRefused(t, target, await server.get(target))
    }
    for (const name of ['console.js', 'auxiliary', 'com', 'com10', 'null', 'a b.c-d_e~1']) {
      writeFileSync(join(server.root, name), name)
      t.equal((await server.get(`/assets/${encodeURIComponent(name)}`)).body, name)
    }
  },
)

t.test('prevents: a query or a fragment taken for a part of the path', async (t) => {
  const server = await serveTree(t)
  t.equal((await server.get('/assets/app.js?/../../secret.txt')).body, 'public app.js')
  t.equal((await server.get('/assets/app.js?%00')).body, 'public app.js')
  const fragment = await server.get('/assets/app.js#/../../secret.txt')
  t.ok([200, 400, 404].includes(fragment.status))
  t.notMatch(fragment.text, SECRET)
})

t.test('prevents: any mix of all these', async (t) => {
  const { folder, root } = makeTree(t)
  symlinkSync('..', join(root, 'up'))
  const app = createRouter()
  app.get('/assets/*path', staticFiles(root, { dotfiles: 'allow', precompressed: ['gzip'] }))
  const server = await serveFiles(t, app)
  // Dotfiles are allowed here, so those in the root hold no secret.
  for (const name of ['.git/config', '.env']) writeFileSync(join(root, name), 'allowed')
  const piece = fc.constantFrom(
    ...['..', '.', '/', '//', '%2e', '%2f', '%5c', '\\', '%00', '%25', '%20', ';', ':', '~1'],
    ...['secret.txt', 'public-private', 'up', 'docs', 'app.js', '.env', folder, 'é', '%c0%ae'],
  )
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 8 }), async (pieces) => {
      const answer = await server.get(`/assets/${pieces.join('')}`)
      return [200, 308, 400, 404].includes(answer.status) && !answer.text.includes(SECRET)
    }),
    { numRuns: 500 },
  )
})

t.test('prevents: links that lead out of the folder', async (t) => {
  const server = await serveTree(t)
  const { folder, root } = server
  symlinkSync('../secret.txt', join(root, 'relative'))
  symlinkSync(join(folder, 'secret.txt'), join(root, 'absolute.txt'))
  symlinkSync('relative', join(root, 'chain'))
  symlinkSync('..', join(root, 'up'))
  symlinkSync('../../secret.txt', join(root, 'docs/deep'))
  symlinkSync('/', join(root, 'slash'))
  symlinkSync('/proc/self', join(root, 'proc'))
  mkdirSync(join(root, 'index'))
  symlinkSync('../../secret.txt', join(root, 'index/index.html'))
  const targets = [
    ...['relative', 'absolute.txt', 'chain', 'up/secret.txt', 'docs/deep', 'slash/etc/passwd'],
    ...['proc/environ', 'proc/self/environ', 'up', 'up/', 'slash', 'index/', 'index'],
    `slash${folder}/secret.txt`,
  ]
  for (const name of targets) {
    checkRefused(t, name, await server.get(`/assets/${name}`))
    const head = await server.get(`/assets/${name}`, {}, 'HEAD')
    t.equal(head.status, 404, 'nor does HEAD tell')
    const range = await server.get(`/assets/${name}`, { range: 'bytes=0-5' })
    t.equal(range.status, 404, 'nor a range')
  }
  t.ok(await untilClosed(folder))
})

t.test(
  'prevents: a folder whose name continues that of the root taken for a part of it',
  async (t) => {
    const server = await serveTree(t)
    symlinkSync('../public-private', join(server.root, 'private'))
    checkRefused(t, 'private', await server.get('/assets/private/secret.txt'))
    checkRefused(t, '-private', await server.get('/assets-private/secret.txt'))
    checkRefused(t, '..', await server.get('/assets/..-private/secret.txt'))
  },
)

t.test('prevents: compressed copies that lead out of the folder', async (t) => {
  const server = await serveTree(t, { precompressed: ['br', 'gzip'] })
  symlinkSync('../secret.txt', join(server.root, 'app.js.br'))
  mkdirSync(join(server.root, 'app.js.gz'))
  const answer = await server.get('/assets/app.js', { 'accept-encoding': 'br, gzip' })
  t.equal(answer.body, 'public app.js')
  t.notOk(answer.headers.has('content-encoding'))
})

t.test('prevents: a link in memory that leads out by now', async (t) => {
  const server = await serveTree(t, { revalidateMs: 0 })
  const path = join(server.root, 'app.js')
  t.equal((await server.get('/assets/app.js')).body, 'public app.js')
  rmSync(path)
  symlinkSync('../secret.txt', path)
  checkRefused(t, 'app.js', await server.get('/assets/app.js'))
})

t.test('links within the folder are served, and refused when links are denied', async (t) => {
  const inside = await serveTree(t)
  const denied = await serveTree(t, { symlinks: 'deny' })
  for (const { root } of [inside, denied]) {
    symlinkSync('app.js', join(root, 'link.js'))
    symlinkSync('docs', join(root, 'manual'))
  }
  for (const name of ['link.js', 'manual/', 'manual/a.txt']) {
    t.equal((await inside.get(`/assets/${name}`)).status, 200, name)
    t.equal((await denied.get(`/assets/${name}`)).status, 404, name)
  }
})

t.test('prevents: links without an end', async (t) => {
  const server = await serveTree(t)
  symlinkSync('loop', join(server.root, 'loop'))
  symlinkSync('b', join(server.root, 'a'))
  symlinkSync('a', join(server.root, 'b'))
  symlinkSync('.', join(server.root, 'same'))
  symlinkSync('none', join(server.root, 'dangling'))
  for (const name of ['loop', 'loop/', 'a', 'b/x', 'dangling', `${'same/'.repeat(100)}app.js`]) {
    checkRefused(t, name, await server.get(`/assets/${name}`))
  }
})

for (const what of ['file', 'folder'] as const) {
  t.test(
    `prevents: a ${what} exchanged for a link between the check and the reading`,
    async (t) => {
      const server = await serveTree(t, { maxCacheBytes: 0 })
      const { folder, root } = server
      mkdirSync(join(folder, 'other'))
      writeFileSync(join(folder, 'other/a.txt'), SECRET)
      const path = join(root, what === 'file' ? 'docs/a.txt' : 'docs')
      const spare = join(folder, 'spare')
      const link = join(folder, 'link')
      symlinkSync(join(folder, what === 'file' ? 'other/a.txt' : 'other'), link)
      // This thread renames while those of the pool open, look and read.
      let isOver = false
      let swaps = 0
      const swap = (): void => {
        renameSync(path, spare)
        renameSync(link, path)
        renameSync(spare, link)
        swaps++
        if (!isOver) setImmediate(swap)
      }
      swap()
      const statuses = new Set<number>()
      for (let round = 0; round < 40; round++) {
        const requests = Array.from({ length: 8 }, () => server.get('/assets/docs/a.txt'))
        for (const { status, text } of await Promise.all(requests)) {
          statuses.add(status)
          if (text.includes(SECRET)) t.fail(text)
        }
      }
      isOver = true
      t.ok(swaps > 40)
      for (const status of statuses) t.ok(status === 200 || status === 404, String(status))
      t.ok(await untilClosed(folder))
    },
  )
}

t.test(
  'prevents: FIFOs and devices that hold up all file work',
  { skip: process.platform === 'win32' ? 'there are no FIFOs' : false },
  async (t) => {
    const server = await serveTree(t)
    execFileSync('mkfifo', [join(server.root, 'fifo')])
    mkdirSync(join(server.root, 'of'))
    execFileSync('mkfifo', [join(server.root, 'of/index.html')])
    // More than there are threads in the pool.
    const targets = Array.from({ length: 64 }, (_, i) => `/assets/${i % 2 === 0 ? 'fifo' : 'of/'}`)
    const answers = await Promise.all(targets.map((target) => server.get(target)))
    for (const { status } of answers) t.equal(status, 404)
    t.equal((await server.get('/assets/docs/a.txt')).status, 200)
  },
)

t.test('prevents: names that are too long from being more than absent', async (t) => {
  const server = await serveTree(t)
  const longest = 'x'.repeat(255)
  writeFileSync(join(server.root, longest), 'long')
  t.equal((await server.get(`/assets/${longest}`)).body, 'long')
  for (const length of [256, 4096, 5000]) {
    t.equal((await server.get(`/assets/${'x'.repeat(length)}`)).status, 404, String(length))
  }
  t.equal((await server.get(`/assets/${'d/'.repeat(2500)}x`)).status, 404)
})

t.test(
  'prevents: telling a file that may not be read from one that is absent',
  { skip: process.getuid?.() === 0 ? 'root may read everything' : false },
  async (t) => {
    const server = await serveTree(t)
    const path = join(server.root, 'locked.txt')
    writeFileSync(path, SECRET)
    chmodSync(path, 0)
    checkRefused(t, 'locked.txt', await server.get('/assets/locked.txt'))
  },
)

t.test('prevents: an open redirect by the slash that a folder lacks', async (t) => {
  const server = await serveTree(t)
  // A folder named as a host, reached in every way that there is.
  mkdirSync(join(server.root, 'evil.example/docs'), { recursive: true })
  for (const name of ['evil.example', 'evil.example/docs']) {
    writeFileSync(join(server.root, name, 'index.html'), 'x')
  }
  const targets = [
    '//evil.example',
    '//evil.example/docs',
    '///evil.example',
    '/\\evil.example',
    '/\\evil.example/docs',
    '/%5cevil.example/docs',
    '/%2fevil.example/docs',
    '/%2f%2fevil.example/any/docs',
    '/%5cevil.example/any/docs',
    '/\\evil.example/any/docs',
    '/\\evil.example/any/evil.example',
    '/%09/evil.example/any/docs',
    '/assets//evil.example',
    '/assets/evil.example',
    '/evil.example',
    '/evil.example/docs?//evil.example',
    '/docs?next=//evil.example',
    'http://evil.example/docs',
  ]
  let redirects = 0
  for (const target of targets) {
    const { status, headers } = await server.get(target)
    const location = headers.get('location')
    if (location === undefined) {
      t.ok(status === 404 || status === 400, `${target} is ${status}`)
      continue
    }
    redirects++
    t.equal(status, 308)
    const base = target.startsWith('http') ? 'http://test/docs' : `http://test${target}`
    t.equal(new URL(location, base).host, 'test', `${target} to ${location}`)
    t.match(location, /^\.\/[\w.]+\/(?:\?|$)/)
  }
  t.ok(redirects >= 6)
})

t.test('prevents: header injection by a redirect', async (t) => {
  const server = await serveTree(t)
  for (const end of ['%0d%0aset-cookie:a=b', '?%0d%0aset-cookie:a=b', '?\rset-cookie:a=b']) {
    const answer = await server.get(`/assets/docs${end}`)
    t.notOk(answer.headers.has('set-cookie'))
    t.ok([308, 400, 404].includes(answer.status))
  }
  mkdirSync(join(server.root, 'a"b\u00e9'))
  writeFileSync(join(server.root, 'a"b\u00e9/index.html'), 'x')
  const { headers } = await server.get('/assets/a%22b%c3%a9')
  t.equal(headers.get('location'), './a%22b%C3%A9/')
})

t.test('prevents: CVE-2011-3192, many overlapping ranges that multiply a file', async (t) => {
  const server = await serveTree(t)
  writeFileSync(join(server.root, 'large.bin'), Buffer.alloc(500_000))
  const range = `bytes=0-${Array.from({ length: 500 }, (_, i) => `,5-${i + 5}`).join('')}`
  const answer = await server.get('/assets/large.bin', { range })
  t.equal(answer.status, 200)
  t.equal(answer.body.length, 500_000)
  t.ok(await untilClosed(server.folder))
})

t.test('prevents: CVE-2003-1418, an inode number told by the tag', async (t) => {
  const server = await serveTree(t)
  const etag = (await server.get('/assets/app.js')).headers.get('etag')
  t.match(etag, /^"[\w-]{22}"$/, 'a hash')
})

t.test('prevents: names of inherited properties from being files', async (t) => {
  await checkAllRefused(t, ['/assets/__proto__', '/assets/constructor', '/assets/toString/'])
})
