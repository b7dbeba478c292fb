import { defineApp, type Handler, type HttpRequest, type Middleware, text } from '@rr/core'
import t, { type Test } from 'tap'
import { listen } from '../src/listen.ts'
import type { InProcessServer } from '../src/server.ts'
import { RawClient } from './support/raw-client.ts'
import { RouteFile } from './support/route-file.ts'
import { until } from './support/until.ts'

async function start(t: Test, app: unknown): Promise<[InProcessServer, RawClient]> {
  const server = await listen(app, { host: '127.0.0.1', port: 0, onEvent: () => {} })
  const client = await RawClient.connect(server.port)
  t.teardown(async () => {
    client.close()
    await server.stop()
  })
  return [server, client]
}

function answering(body: string): Handler {
  return () => text(body)
}

function mark(value: string): Middleware {
  return async (_request, next) => {
    const response = await next()
    return response.with({ body: `${String(response.body)} in ${value}` })
  }
}

async function ask(client: RawClient, method = 'GET', body = ''): Promise<string> {
  client.send(`${method} / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
  const head = await client.expect(/^HTTP\/1.1 \d+ [\s\S]*?\r\n\r\n/)
  const length = Number(/content-length: (\d+)/i.exec(head)![1])
  const answer = await client.expect(new RegExp(`^[\\s\\S]{${length}}`))
  return head.startsWith('HTTP/1.1 200 ') ? answer : head.slice(9, 12)
}

t.test('a handler of any form takes the place of the one before', async (t) => {
  const [server, client] = await start(t, answering('one'))
  t.equal(await ask(client), 'one')
  const forms = [
    answering('two'),
    { dispatch: answering('three') },
    { fetch: () => new Response('four') },
  ]
  for (const [index, form] of forms.entries()) {
    await server.reloadRoutes(form)
    t.equal(await ask(client), ['two', 'three', 'four'][index])
  }
})

t.test('a request under way finishes on the routes that it began on', async (t) => {
  const gate = Promise.withResolvers<void>()
  const [server, client] = await start(t, async () => {
    await gate.promise
    return text('old')
  })
  client.get('/')
  await until(() => server.info().inFlight === 1, 'the request')
  await server.reloadRoutes(answering('new'))
  gate.resolve()
  await client.expect(/old$/)
  t.equal(await ask(client), 'new')
})

t.test('middleware stays around a bare handler, and goes with defineApp', async (t) => {
  const torn: string[] = []
  const [server, client] = await start(
    t,
    defineApp({
      handler: answering('one'),
      middleware: [mark('a')],
      setup: () => {},
      teardown: () => void torn.push('first'),
    }),
  )
  t.equal(await ask(client), 'one in a')
  await server.reloadRoutes(answering('two'))
  t.equal(await ask(client), 'two in a')
  await server.reloadRoutes(defineApp({ handler: answering('three'), middleware: [mark('b')] }))
  t.equal(await ask(client), 'three in b')
  await server.reloadRoutes(answering('four'))
  t.equal(await ask(client), 'four in b')
  client.close()
  await server.drain()
  t.same(torn, ['first'], 'whose setup has run')
})

t.test('body limits change with the routes, on open connections too', async (t) => {
  const read = async (request: HttpRequest): Promise<ReturnType<typeof text>> =>
    text(String((await request.bytes()).length))
  const limits: Record<number, object> = {}
  for (const maxBodyBytes of [10, 30, 40]) limits[maxBodyBytes] = { maxBodyBytes }
  const limited = (limit: number): object => ({
    dispatch: read,
    routeLimits: () => limits[limit],
  })
  const [server, client] = await start(t, read)
  t.equal(await ask(client, 'POST', 'x'.repeat(20)), '20')
  await server.reloadRoutes(limited(30))
  t.equal(await ask(client, 'POST', 'x'.repeat(30)), '30')
  await server.reloadRoutes(limited(40))
  t.equal(await ask(client, 'POST', 'x'.repeat(31)), '31')
  await server.reloadRoutes(read)
  t.equal(await ask(client, 'POST', 'x'.repeat(41)), '41')
  await server.reloadRoutes(limited(10))
  t.equal(await ask(client, 'POST', 'x'.repeat(11)), '413')
})

t.test('what is no application, or would need its setup, changes nothing', async (t) => {
  const [server, client] = await start(t, answering('one'))
  for (const bad of [5, null, {}, defineApp({ handler: 5 as never })]) {
    await t.rejects(server.reloadRoutes(bad), { code: 'RR_APPLICATION_INVALID' })
  }
  for (const life of [{ setup: () => {} }, { teardown: () => {} }]) {
    const app = defineApp({ handler: answering('two'), ...life })
    await t.rejects(server.reloadRoutes(app), {
      code: 'RR_RELOAD_FAILED',
      message: /would not run/,
    })
  }
  await t.rejects(server.reloadRoutes(), { code: 'RR_RELOAD_FAILED', message: /giving the new/ })
  t.equal(await ask(client), 'one')
})

t.test('a module of routes is loaded after setup, and anew without an argument', async (t) => {
  const file = new RouteFile(t, 'routes.mjs')
  const write = (version: string): void =>
    file.write(`const state = globalThis.rrRouteState
      export default () => ({ status: 200, body: state + ' ${version}' })`)
  write('one')
  const shared = globalThis as { rrRouteState?: string }
  const [server, client] = await start(
    t,
    defineApp({
      routes: new URL(file.url),
      middleware: [mark('a')],
      setup: () => {
        shared.rrRouteState = 'set up,'
      },
    }),
  )
  t.equal(await ask(client), 'set up, one in a')
  write('two')
  await server.reloadRoutes()
  t.equal(await ask(client), 'set up, two in a')
  file.write('export default () => {')
  await t.rejects(server.reloadRoutes(), {
    code: 'RR_RELOAD_FAILED',
    message: /routes\.mjs/,
    cause: SyntaxError,
  })
  t.equal(await ask(client), 'set up, two in a')
  write('three')
  await Promise.all([server.reloadRoutes(), server.reloadRoutes(answering('four'))])
  t.equal(await ask(client), 'four in a', 'the later call has the last word')
  await server.reloadRoutes(defineApp({ routes: new URL(file.url) }))
  t.equal(await ask(client), 'set up, three')
})

t.test('a module of routes that fails at the start is behind setup and teardown', async (t) => {
  const file = new RouteFile(t, 'routes.mjs')
  file.write('throw new Error("bad")')
  const calls: string[] = []
  const app = defineApp({
    routes: new URL(file.url),
    setup: () => void calls.push('setup'),
    teardown: () => {
      calls.push('teardown')
      throw new Error('a consequence')
    },
  })
  await t.rejects(listen(app, { port: 0 }), { message: 'bad' })
  t.same(calls, ['setup', 'teardown'])
})

t.test('only files are loaded anew', async (t) => {
  const source = "export default () => ({ status: 200, body: 'one' })"
  const routes = new URL(`data:text/javascript,${encodeURIComponent(source)}`)
  const [server, client] = await start(t, defineApp({ routes }))
  t.equal(await ask(client), 'one')
  await t.rejects(server.reloadRoutes(), { code: 'RR_RELOAD_FAILED', message: /not data:/ })
})

t.test('a server that drains or has stopped does not change', async (t) => {
  const [server, client] = await start(t, answering('one'))
  client.close()
  await server.drain()
  await t.rejects(server.reloadRoutes(answering('two')), {
    code: 'RR_SERVER_STATE',
    message: /it is stopped/,
  })
})
