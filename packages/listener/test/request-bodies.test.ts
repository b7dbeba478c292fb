import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { type HttpRequest, text } from '@rr/core'
import t from 'tap'
import { listen } from '../src/index.ts'
import { until } from './support/until.ts'

t.test("a dispatcher's body limits reach the connections of a server", async (t) => {
  const app = {
    dispatch: async (request: HttpRequest) => text(String((await request.bytes()).length)),
    routeLimits: (_method: string, path: string) =>
      path === '/large' ? { maxBodyBytes: 2000 } : undefined,
  }
  const server = await listen(app, { host: '127.0.0.1', port: 0, maxBodyBytes: 1000 })
  t.teardown(() => server.stop())
  const post = async (path: string, length: number): Promise<number> =>
    (await fetch(`${server.url}${path}`, { method: 'POST', body: 'x'.repeat(length) })).status
  t.equal(await post('/', 1000), 200)
  t.equal(await post('/', 1001), 413)
  t.equal(await post('/large', 2000), 200)
  t.equal(await post('/large', 2001), 413)
})

t.test('decompressBodies is an option of a server', async (t) => {
  for (const decompressBodies of [true, false]) {
    const app = async (request: HttpRequest) => text(String((await request.bytes()).length))
    const server = await listen(app, { host: '127.0.0.1', port: 0, decompressBodies })
    t.teardown(() => server.stop())
    const body = gzipSync('x'.repeat(5000))
    const headers = { 'content-encoding': 'gzip' }
    const response = await fetch(server.url, { method: 'POST', body, headers })
    t.equal(await response.text(), String(decompressBodies ? 5000 : body.length))
  }
})

t.test('temporary files of an upload go when its client resets the connection', async (t) => {
  const folder = t.testdir()
  process.env['TMPDIR'] = folder
  let code: unknown = null
  const app = async (request: HttpRequest) => {
    await request.multipartForm().catch((error: { code: string }) => {
      code = error.code
    })
    return text('')
  }
  const server = await listen(app, { host: '127.0.0.1', port: 0 })
  t.teardown(() => server.stop())
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
  await once(socket, 'connect')
  socket.write(
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=b\r\n' +
      'Content-Length: 500000\r\n\r\n' +
      '--b\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n' +
      'x'.repeat(100_000),
  )
  await until(() => readdirSync(folder).length === 1, 'a temporary file')
  socket.resetAndDestroy()
  await until(() => code !== null && readdirSync(folder).length === 0, 'its removal')
  t.same(readdirSync(folder), [])
  t.equal(code, 'RR_REQUEST_ABORTED')
})
