import t, { type Test } from 'tap'
import { ServeProcess } from './support/serve-process.ts'

const APPLICATION = `export default (request) => {
  if (request.path === '/throw') throw new Error('no luck here')
  return new Response('ok')
}`

async function serveWithAdmin(
  t: Test,
  ...args: string[]
): Promise<{ server: ServeProcess; admin: string; url: string }> {
  const options = ['-p', '0', '-w', '1', '--admin-port', '0', ...args, 'app.js']
  const server = new ServeProcess(t, options, { cwd: t.testdir({ 'app.js': APPLICATION }) })
  const [, admin = ''] = await server.printed(/admin server on (http:\/\/127\.0\.0\.1:\d+)"/)
  return { server, admin, url: await server.url() }
}

t.test('--admin-port opens it, and the log says where', async (t) => {
  const { server, admin, url } = await serveWithAdmin(t)
  t.equal((await fetch(`${admin}/readyz`)).status, 200)
  await fetch(url)
  const metrics = await (await fetch(`${admin}/metrics`)).text()
  t.match(metrics, /^rr_requests_total\{worker="1"\} 1$/m)
  t.match(metrics, /^rr_worker_heap_used_bytes\{worker="1"\} \d+$/m)
  t.equal(await server.stop(), 0)
})

t.test(
  'SIGTERM turns readiness off first and still answers; a second one ends the delay',
  async (t) => {
    const { server, admin, url } = await serveWithAdmin(t, '--drain-delay', '1h')
    server.child.kill('SIGTERM')
    await server.printed(/draining: still accepting for 3600000 ms/)
    t.equal((await fetch(`${admin}/readyz`)).status, 503)
    t.equal((await fetch(url)).status, 200)
    // Another signal: repeats of one within 100 ms count as one.
    t.equal(await server.stop('SIGINT'), 4)
  },
)

t.test(
  'errors of handlers, which workers log themselves, are on the page and logged once',
  async (t) => {
    const { server, admin, url } = await serveWithAdmin(t)
    t.equal((await fetch(`${url}/throw`)).status, 500)
    let troubles: readonly { readonly title: string }[] = []
    while (troubles.length === 0) {
      troubles = ((await (await fetch(`${admin}/live`)).json()) as { troubles: typeof troubles })
        .troubles
    }
    t.match(troubles, [
      { title: /^handler of GET \/throw failed in worker 1: Error: no luck here/ },
    ])
    t.equal(await server.stop(), 0)
    t.equal(server.records().filter(({ level }) => level >= 50).length, 1)
  },
)

t.test('--no-metrics leaves measuring out', async (t) => {
  const { server, admin } = await serveWithAdmin(t, '--no-metrics')
  t.notMatch(await (await fetch(`${admin}/metrics`)).text(), 'heap')
  t.equal(await server.stop(), 0)
})
