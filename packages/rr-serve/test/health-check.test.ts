import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import t, { type Test } from 'tap'
import { askHealth, healthTarget } from '../src/health-check.ts'
import { ServeProcess } from './support/serve-process.ts'

async function answering(t: Test, listener: RequestListener): Promise<number> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

t.test('the admin port is asked where there is one, else the main port', async (t) => {
  const options = { host: '0.0.0.0', port: 8080 }
  const target = (more: object): unknown =>
    healthTarget({ url: null, options: { ...options, ...more } })
  t.strictSame(target({}), { url: 'http://127.0.0.1:8080/', isReadiness: false })
  t.strictSame(target({ host: '::' }), { url: 'http://[::1]:8080/', isReadiness: false })
  t.strictSame(target({ adminPort: 0, adminHost: '127.0.0.1' }), {
    url: 'http://127.0.0.1:8080/',
    isReadiness: false,
  })
  t.strictSame(target({ adminPort: 9000, adminHost: '0.0.0.0' }), {
    url: 'http://127.0.0.1:9000/readyz',
    isReadiness: true,
  })
  t.strictSame(healthTarget({ url: 'http://a:1/readyz', options }), {
    url: 'http://a:1/readyz',
    isReadiness: true,
  })
})

t.test(
  'a readiness check must succeed; of an application any answer below 500 will do',
  async (t) => {
    const port = await answering(t, (request, response) => {
      response.writeHead(Number(request.url?.slice(1))).end()
    })
    const isReady = async (status: number, isReadiness: boolean): Promise<boolean> =>
      (await askHealth({ url: `http://127.0.0.1:${port}/${status}`, isReadiness })).isReady
    t.strictSame(await Promise.all([200, 299, 300, 404, 503].map((s) => isReady(s, true))), [
      true,
      true,
      false,
      false,
      false,
    ])
    t.strictSame(await Promise.all([200, 302, 499, 500, 503].map((s) => isReady(s, false))), [
      true,
      true,
      true,
      false,
      false,
    ])
  },
)

t.test('a server that never answers, or never ends its head, is given up', async (t) => {
  for (const says of ['', 'HTTP/1.1 200 OK\r\nX: ']) {
    const server = createTcpServer((socket) => {
      socket.resume()
      const drip = setInterval(() => socket.write(says === '' ? '' : 'x'), 5)
      socket.on('close', () => clearInterval(drip)).on('error', () => {})
      socket.write(says)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const url = `http://127.0.0.1:${port}/`
    t.strictSame(await askHealth({ url, isReadiness: false }, 50), {
      isReady: false,
      text: `not ready: ${url} did not answer within 50 ms`,
    })
    server.close()
  }
})

t.test('--healthcheck: 0 and a line on stdout, or 1 and a line on stderr', async (t) => {
  const port = await answering(t, (_, response) => response.end())
  const ready = new ServeProcess(t, ['--healthcheck'], { env: { RR_PORT: String(port) } })
  t.equal(await ready.exit, 0)
  t.equal(ready.stdout, `rr-serve: ready: http://127.0.0.1:${port}/ answered 200\n`)
  const none = createTcpServer().listen(0, '127.0.0.1')
  await once(none, 'listening')
  const { port: closed } = none.address() as AddressInfo
  await new Promise((resolve) => none.close(resolve))
  const failed = new ServeProcess(t, ['--healthcheck', '-p', String(closed)])
  t.equal(await failed.exit, 1)
  t.equal(
    failed.stderr,
    `rr-serve: not ready: http://127.0.0.1:${closed}/ cannot be asked: ECONNREFUSED\n`,
  )
})
