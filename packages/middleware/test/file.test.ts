import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { composeMiddleware, text } from '@rr/core'
import { createRouter } from '@rr/router'
import t, { type Test } from 'tap'
import { type FileOptions, file } from '../src/file.ts'
import {
  type FileServer,
  openFilesIn,
  serveFiles,
  temporaryFolder,
  untilClosed,
} from './support/file-server.ts'
import { parseAnswer } from './support/raw-request.ts'

const CHANGED = new Date('2020-02-03T04:05:06.789Z')
const LAST_MODIFIED = 'Mon, 03 Feb 2020 04:05:06 GMT'

/** Bytes in which each position can be told. */
function pattern(sizeBytes: number): string {
  let text = ''
  for (let i = 0; text.length < sizeBytes; i++) text += `${i},`
  return text.slice(0, sizeBytes)
}

/** A settled file: its time is long past. */
function write(folder: string, name: string, content: string): string {
  const path = join(folder, name)
  writeFileSync(path, content, 'latin1')
  utimesSync(path, CHANGED, CHANGED)
  return path
}

async function serveOne(
  t: Test,
  path: string | URL,
  options: FileOptions = {},
): Promise<FileServer> {
  const app = createRouter()
  app.all('/', (request) => file(request, path, options))
  return await serveFiles(t, app)
}

t.test('RFC 9110 §8 a whole file with what describes it', async (t) => {
  const folder = temporaryFolder(t)
  const server = await serveOne(t, write(folder, 'a.txt', 'hello'))
  const { status, headers, body } = await server.get('/')
  t.equal(status, 200)
  t.equal(body, 'hello')
  t.equal(headers.get('content-type'), 'text/plain; charset=utf-8')
  t.equal(headers.get('content-length'), '5')
  t.equal(headers.get('last-modified'), LAST_MODIFIED)
  t.equal(headers.get('accept-ranges'), 'bytes')
  t.match(headers.get('etag'), /^"[\w-]{22}"$/)
  t.notOk(headers.has('cache-control'))
  t.notOk(headers.has('content-disposition'))
})

t.test('options: type, Cache-Control, disposition, a file URL', async (t) => {
  const folder = temporaryFolder(t)
  const url = pathToFileURL(write(folder, 'ö.txt', 'x'))
  const server = await serveOne(t, url, {
    contentType: 'text/x-own',
    cacheControl: 'private, max-age=5',
    disposition: 'attachment',
  })
  const { headers } = await server.get('/')
  t.equal(headers.get('content-type'), 'text/x-own')
  t.equal(headers.get('cache-control'), 'private, max-age=5')
  t.equal(
    headers.get('content-disposition'),
    `attachment; filename="_.txt"; filename*=UTF-8''%C3%B6.txt`,
  )
  const named = await serveOne(t, url, { disposition: 'inline', fileName: 'b.txt' })
  t.equal((await named.get('/')).headers.get('content-disposition'), 'inline; filename="b.txt"')
})

t.test('options that no header can carry fail the request, and leave no file open', async (t) => {
  const folder = temporaryFolder(t)
  const path = write(folder, 'a.txt', 'x')
  const bad: FileOptions[] = [
    { cacheControl: 'a\r\nb: c' },
    { contentType: 'a\nb' },
    { disposition: 'attachment', fileName: 'a\r\nb' },
  ]
  for (const options of bad) {
    const answer = await (await serveOne(t, path, options)).get('/')
    t.equal(answer.status, 500)
    t.notMatch(answer.text, /b: c/)
  }
  t.equal(openFilesIn(folder), 0)
})

t.test(
  'RFC 9110 §8.8.1 the tag is weak while the same time could cover another write',
  async (t) => {
    const folder = temporaryFolder(t)
    const path = write(folder, 'a.txt', 'one')
    const server = await serveOne(t, path)
    const strong = (await server.get('/')).headers.get('etag') ?? ''
    writeFileSync(path, 'two')
    const weak = (await server.get('/')).headers.get('etag') ?? ''
    t.match(weak, /^W\/"[\w-]{22}"$/)
    t.not(weak, `W/${strong}`)
    const repeated = await server.get('/', { 'if-none-match': weak.slice(2) })
    t.equal(repeated.status, 304, 'it serves to save the body all the same')
    const resumed = await server.get('/', { 'if-range': weak, range: 'bytes=1-' })
    t.equal(resumed.status, 200, 'but not to resume')
  },
)

t.test('RFC 9110 §8.8.1 another file of the same size and time has another tag', async (t) => {
  const folder = temporaryFolder(t)
  const path = write(folder, 'a.txt', 'one')
  const server = await serveOne(t, path)
  const first = (await server.get('/')).headers.get('etag')
  write(folder, 'a.txt', 'two')
  t.not((await server.get('/')).headers.get('etag'), first)
})

t.test('RFC 9110 §8.8.2.1 Last-Modified is never later than Date', async (t) => {
  const folder = temporaryFolder(t)
  const path = write(folder, 'a.txt', 'x')
  const future = new Date('2100-01-01')
  utimesSync(path, future, future)
  const server = await serveOne(t, path)
  const { headers } = await server.get('/')
  t.ok(Date.parse(headers.get('last-modified') ?? '') <= Date.parse(headers.get('date') ?? ''))
})

t.test('RFC 9110 §9.3.2 HEAD has the headers of GET and no body, for any size', async (t) => {
  const folder = temporaryFolder(t)
  for (const size of [0, 5, 65_536, 65_537]) {
    const server = await serveOne(t, write(folder, `${size}.txt`, pattern(size)))
    const get = await server.get('/')
    const head = await server.get('/', { range: 'bytes=0-1' }, 'HEAD')
    t.equal(head.status, 200, 'a range is for GET only (§14.2)')
    t.equal(head.body, '')
    for (const name of ['content-length', 'content-type', 'etag', 'last-modified']) {
      t.equal(head.headers.get(name), get.headers.get(name), name)
    }
  }
  t.ok(await untilClosed(folder))
})

t.test('RFC 9110 §13 conditions are answered without the file', async (t) => {
  const folder = temporaryFolder(t)
  const path = write(folder, 'a.txt', pattern(100_000))
  const server = await serveOne(t, path, { cacheControl: 'no-cache' })
  const etag = (await server.get('/')).headers.get('etag') ?? ''
  const same = await server.get('/', { 'if-none-match': `"x", ${etag}` })
  t.equal(same.status, 304)
  t.equal(same.body, '')
  t.equal(same.headers.get('etag'), etag)
  t.equal(same.headers.get('cache-control'), 'no-cache', 'what 200 would say of caching (§15.4.5)')
  t.notOk(same.headers.has('content-type'))
  t.notOk(same.headers.has('content-length'))
  t.equal((await server.get('/', { 'if-modified-since': LAST_MODIFIED })).status, 304)
  t.equal((await server.get('/', { 'if-match': '"x"' })).status, 412)
  const unmodified = { 'if-unmodified-since': 'Mon, 03 Feb 2020 04:05:05 GMT' }
  t.equal((await server.get('/', unmodified)).status, 412)
  t.equal((await server.get('/', { 'if-none-match': etag }, 'HEAD')).status, 304)
  t.ok(await untilClosed(folder))
})

t.test('another method gets the whole file, whatever it asks', async (t) => {
  const folder = temporaryFolder(t)
  const server = await serveOne(t, write(folder, 'a.txt', 'hello'))
  const fields = { 'if-none-match': '*', range: 'bytes=0-1' }
  const { status, body } = await server.get('/', fields, 'POST')
  t.equal(status, 200)
  t.equal(body, 'hello')
})

for (const size of [1000, 65_536, 65_537, 300_000]) {
  t.test(`RFC 9110 §14 ranges of a file of ${size} bytes`, async (t) => {
    const folder = temporaryFolder(t)
    const content = pattern(size)
    const server = await serveOne(t, write(folder, 'a.txt', content))
    const whole = await server.get('/')
    t.equal(whole.body, content)
    const etag = whole.headers.get('etag') ?? ''

    const one = await server.get('/', { range: `bytes=10-${size - 11}` })
    t.equal(one.status, 206)
    t.equal(one.headers.get('content-range'), `bytes 10-${size - 11}/${size}`)
    t.equal(one.headers.get('content-length'), String(size - 20))
    t.equal(one.headers.get('etag'), etag)
    t.equal(one.body, content.slice(10, -10))
    t.equal((await server.get('/', { range: 'bytes=-7' })).body, content.slice(-7))

    const none = await server.get('/', { range: `bytes=${size}-` })
    t.equal(none.status, 416)
    t.equal(none.headers.get('content-range'), `bytes */${size}`)

    for (const range of ['lines=1-2', 'bytes=2-1', 'bytes=0-,0-,0-']) {
      const ignored = await server.get('/', { range })
      t.equal(ignored.status, 200, range)
      t.equal(ignored.body.length, size)
    }

    const held = await server.get('/', { range: 'bytes=0-1', 'if-range': etag })
    t.equal(held.status, 206)
    const dated = await server.get('/', { range: 'bytes=0-1', 'if-range': LAST_MODIFIED })
    t.equal(dated.status, 206)
    const changed = await server.get('/', { range: 'bytes=0-1', 'if-range': '"other"' })
    t.equal(changed.status, 200)
    const both = await server.get('/', { range: `bytes=${size}-`, 'if-none-match': etag })
    t.equal(both.status, 304, 'preconditions come before the range (§13.2.2)')
    t.ok(await untilClosed(folder))
  })

  t.test(`RFC 9110 §14.6 several ranges of a file of ${size} bytes`, async (t) => {
    const folder = temporaryFolder(t)
    const content = pattern(size)
    const server = await serveOne(t, write(folder, 'a.txt', content))
    const { status, headers, body } = await server.get('/', { range: 'bytes=-5,0-4, 20-29' })
    t.equal(status, 206)
    t.notOk(headers.has('content-range'), '§15.3.7.2')
    t.equal(headers.get('content-length'), String(body.length))
    const type = /^multipart\/byteranges; boundary=([\w-]{1,70})$/.exec(
      headers.get('content-type') ?? '',
    )
    const boundary = type?.[1] ?? ''
    const part = (first: number, last: number): string =>
      `\r\n--${boundary}\r\ncontent-type: text/plain; charset=utf-8\r\n` +
      `content-range: bytes ${first}-${last}/${size}\r\n\r\n${content.slice(first, last + 1)}`
    t.equal(body, `${part(size - 5, size - 1)}${part(0, 4)}${part(20, 29)}\r\n--${boundary}--\r\n`)
    const again = await server.get('/', { range: 'bytes=-5,0-4' })
    t.notMatch(again.headers.get('content-type'), boundary, 'a boundary is used once')
    t.ok(await untilClosed(folder))
  })
}

t.test('an empty file is sent, and has no ranges', async (t) => {
  const folder = temporaryFolder(t)
  const server = await serveOne(t, write(folder, 'a.txt', ''))
  const whole = await server.get('/')
  t.equal(whole.status, 200)
  t.equal(whole.headers.get('content-length'), '0')
  const range = await server.get('/', { range: 'bytes=0-' })
  t.equal(range.status, 416)
  t.equal(range.headers.get('content-range'), 'bytes */0')
})

t.test('what is no regular file is 404, and never waited for', async (t) => {
  const folder = temporaryFolder(t)
  mkdirSync(join(folder, 'sub'))
  write(folder, 'a.txt', 'x')
  const paths = [join(folder, 'none'), join(folder, 'sub'), join(folder, 'a.txt', 'b')]
  paths.push(join(folder, 'x'.repeat(300)), join(folder, 'a\0b'))
  if (process.platform !== 'win32') {
    execFileSync('mkfifo', [join(folder, 'fifo')])
    paths.push(join(folder, 'fifo'), '/dev/zero', '/dev/tty')
  }
  for (const path of paths) t.equal((await (await serveOne(t, path)).get('/')).status, 404, path)
  t.ok(await untilClosed(folder))
})

t.test('symbolic links are followed unless denied', async (t) => {
  const folder = temporaryFolder(t)
  symlinkSync(write(folder, 'a.txt', 'x'), join(folder, 'link'))
  const link = join(folder, 'link')
  t.equal((await (await serveOne(t, link)).get('/')).body, 'x')
  t.equal((await (await serveOne(t, link, { symlinks: 'deny' })).get('/')).status, 404)
})

t.test('RFC 9112 §8 a file that shrinks while it is sent cuts the connection', async (t) => {
  const folder = temporaryFolder(t)
  const size = 64 * 1024 * 1024
  const path = write(folder, 'large.bin', '')
  truncateSync(path, size)
  const server = await serveOne(t, path)
  const socket = connect({ port: server.port, host: '127.0.0.1' })
  socket.on('error', () => {})
  socket.write('GET / HTTP/1.1\r\nHost: test\r\n\r\n')
  const [first] = (await once(socket, 'data')) as [Buffer]
  const head = first.toString('latin1')
  let received = first.length
  // Nothing more is taken: what fills the buffers is far less than the file.
  socket.pause()
  truncateSync(path, 1000)
  socket.on('data', (chunk: Buffer) => {
    received += chunk.length
  })
  socket.resume()
  // Not once(): it rejects on a reset, which is one way to be cut.
  await new Promise((resolve) => socket.on('close', resolve))
  t.equal(parseAnswer(head).headers.get('content-length'), String(size))
  t.ok(received < size, 'the client can tell')
  t.match(
    server.events.find(({ type }) => type === 'handler-error'),
    { error: { code: 'RR_RESPONSE_LENGTH' } },
  )
  t.ok(await untilClosed(folder))
})

t.test('a file that grows while it is sent is sent as long as announced', async (t) => {
  const folder = temporaryFolder(t)
  const path = write(folder, 'a.txt', pattern(300_000))
  const app = createRouter()
  app.get('/', async (request) => {
    const response = await file(request, path)
    writeFileSync(path, 'more', { flag: 'a' })
    return response
  })
  const { body } = await (await serveFiles(t, app)).get('/')
  t.equal(body, pattern(300_000))
})

t.test('the file is closed when the client leaves', async (t) => {
  const folder = temporaryFolder(t)
  const path = write(folder, 'large.bin', '')
  truncateSync(path, 64 * 1024 * 1024)
  const server = await serveOne(t, path)
  const socket = connect({ port: server.port, host: '127.0.0.1' })
  socket.write('GET / HTTP/1.1\r\nHost: test\r\n\r\n')
  await once(socket, 'data')
  socket.pause()
  if (process.platform === 'linux') t.equal(openFilesIn(folder), 1)
  socket.destroy()
  t.ok(await untilClosed(folder))
})

t.test('the file is closed when the client leaves before the answer', async (t) => {
  const folder = temporaryFolder(t)
  const path = write(folder, 'a.txt', pattern(100_000))
  const gone = Promise.withResolvers<void>()
  const made = Promise.withResolvers<void>()
  const app = createRouter()
  app.get('/', async (request) => {
    request.signal.addEventListener('abort', () => gone.resolve())
    await gone.promise
    const response = await file(request, path)
    made.resolve()
    return response
  })
  const server = await serveFiles(t, app)
  const socket = connect({ port: server.port, host: '127.0.0.1' })
  socket.write('GET / HTTP/1.1\r\nHost: test\r\n\r\n', () => socket.resetAndDestroy())
  await made.promise
  t.ok(await untilClosed(folder))
})

t.test(
  'the file of an answer that a middleware replaced is closed, and ends no process',
  async (t) => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const folder = temporaryFolder(t)
    const path = write(folder, 'a.txt', pattern(100_000))
    const handler = composeMiddleware(
      [
        async (_request, next) => {
          await next()
          return text('replaced')
        },
      ],
      (request) => file(request, path),
    )
    const server = await serveFiles(t, handler)
    t.equal((await server.get('/')).body, 'replaced')
    const endMs = performance.now() + 10_000
    do {
      collect()
      await new Promise((resolve) => setImmediate(resolve))
    } while (openFilesIn(folder) > 0 && performance.now() < endMs)
    t.equal(openFilesIn(folder), 0)
  },
)
