import t, { type Test } from 'tap'
import { type ServeOptions, serve } from '../src/serve.ts'
import type { WorkerServer } from '../src/server.ts'
import { EventLog } from './support/event-log.ts'
import { fixtureUrl } from './support/fixture-url.ts'
import { RawClient } from './support/raw-client.ts'
import { RouteFile, routesSource, waitFor } from './support/route-file.ts'
import { SharedCounters } from './support/shared-counters.ts'
import { until } from './support/until.ts'

interface Routed {
  readonly server: WorkerServer
  readonly file: RouteFile
  readonly log: EventLog
  readonly counters: SharedCounters
  connect(): Promise<RawClient>
}

async function start(t: Test, url: URL, options: ServeOptions = {}): Promise<Omit<Routed, 'file'>> {
  const log = new EventLog()
  const counters = new SharedCounters()
  const server = await serve(url, {
    host: '127.0.0.1',
    port: 0,
    workers: 2,
    onEvent: log.listener,
    workerHooks: fixtureUrl('hooks.ts'),
    workerHooksData: { buffer: counters.buffer },
    ...options,
  })
  const clients: RawClient[] = []
  t.teardown(async () => {
    for (const client of clients) client.close()
    await server.stop()
  })
  return {
    server,
    log,
    counters,
    async connect() {
      const client = await RawClient.connect(server.port)
      clients.push(client)
      return client
    },
  }
}

async function startRouted(t: Test, options?: ServeOptions): Promise<Routed> {
  const file = new RouteFile(t)
  file.write(routesSource('v1'))
  return { ...(await start(t, fixtureUrl('routed.ts', { routes: file.url }), options)), file }
}

/** What answers a request: such as `v1 of worker 2`. */
async function ask(client: RawClient, path = '/'): Promise<string> {
  client.get(path)
  return takeAnswer(client)
}

async function takeAnswer(client: RawClient): Promise<string> {
  const text = await client.expect(/^HTTP\/1.1 200 OK\r\n[\s\S]*?\r\n\r\nv\d+ of worker \d/)
  return text.slice(text.indexOf('\r\n\r\n') + 4)
}

/** A client of each worker. */
async function oneOfEach({ connect }: Pick<Routed, 'connect'>): Promise<[RawClient, RawClient]> {
  const found = new Map<string, RawClient>()
  while (found.size < 2) {
    const client = await connect()
    found.set((await ask(client)).slice(-1), client)
  }
  return [found.get('1')!, found.get('2')!]
}

async function askEach(clients: readonly RawClient[]): Promise<string[]> {
  return await Promise.all(clients.map((client) => ask(client)))
}

const OLD = ['v1 of worker 1', 'v1 of worker 2']
const NEW = ['v2 of worker 1', 'v2 of worker 2']

t.test('under load no request fails, and what begins afterwards is new', async (t) => {
  const routed = await startRouted(t)
  const { server, file, log, counters } = routed
  const clients = [...(await oneOfEach(routed))]
  while (clients.length < 12) clients.push(await routed.connect())
  const { requests } = server.info()
  let current = 1
  let answered = 0
  let isOver = false
  const stale: string[] = []
  const loops = clients.map(async (client) => {
    while (!isOver) {
      const atLeast = current
      const text = await ask(client)
      answered++
      if (Number(/^v(\d+)/.exec(text)![1]) < atLeast) stale.push(text)
    }
  })
  for (const version of [2, 3, 4, 5]) {
    const before = answered
    await until(() => answered > before + 50, 'some load')
    file.write(routesSource(`v${version}`))
    await server.reloadRoutes()
    current = version
  }
  const before = answered
  await until(() => answered > before + 50, 'some load')
  isOver = true
  await Promise.all(loops)
  t.strictSame(stale, [])
  t.equal(server.info().requests, requests + answered)
  t.match(log.of('routes-reloaded'), Array(4).fill({ durationMs: Number }))
  t.equal(counters.get('setup'), 2, 'what setup made stays')
  t.equal(counters.get('teardown'), 0)
})

t.test('a request in flight finishes on the routes that it began on', async (t) => {
  const routed = await startRouted(t)
  const { server, file, counters } = routed
  const clients = await oneOfEach(routed)
  for (const client of clients) client.get('/slow')
  await until(() => server.info().inFlight === 2, 'the slow requests')
  file.write(routesSource('v2'))
  await server.reloadRoutes()
  t.equal(server.info().inFlight, 2)
  const others = await oneOfEach(routed)
  t.strictSame(await askEach(others), NEW)
  counters.add('released')
  t.strictSame(await Promise.all(clients.map(takeAnswer)), OLD)
  t.strictSame(await askEach(clients), NEW, 'the connection has the new ones from the next on')
})

t.test('the middleware of the application stays around its routes', async (t) => {
  const routed = await startRouted(t, { workers: 1 })
  const client = await routed.connect()
  routed.file.write(routesSource('v2'))
  await routed.server.reloadRoutes()
  client.get('/')
  t.match(await client.expect(/v2 of worker 1/), /\r\nx-outer: stays\r\n/)
})

const BROKEN: readonly (readonly [string, string, object])[] = [
  ['a syntax error', 'export default () => {', { name: 'SyntaxError' }],
  ['an error at its top', routesSource('v2', 'throw new TypeError("bad")'), { message: 'bad' }],
  ['an import that leads nowhere', 'import "./none.ts"', { code: 'ERR_MODULE_NOT_FOUND' }],
  ['no application', 'export default 5', { code: 'RR_APPLICATION_INVALID' }],
  [
    'an error in one worker only',
    routesSource('v2', 'if (globalThis.rrWorkerId === 2) throw new Error("only here")'),
    { message: 'only here' },
  ],
]

for (const [what, source, cause] of BROKEN) {
  t.test(`${what} leaves the old routes in all workers`, async (t) => {
    const routed = await startRouted(t)
    const { server, file } = routed
    const clients = await oneOfEach(routed)
    file.write(source)
    const failure: unknown = await server.reloadRoutes().catch((error: unknown) => error)
    t.match(failure, { code: 'RR_RELOAD_FAILED', cause })
    t.match((failure as Error).message, /^the routes stay as they were: worker [12] could not load/)
    t.ok((failure as Error).message.includes(file.url), 'which module')
    t.strictSame(await askEach(clients), OLD)
    file.write(routesSource('v2'))
    await server.reloadRoutes()
    t.strictSame(await askEach(clients), NEW, 'mended')
  })
}

t.test('calls made together follow one after the other', async (t) => {
  const routed = await startRouted(t)
  const { server, file } = routed
  const clients = await oneOfEach(routed)
  file.write(routesSource('v2'))
  const done: number[] = []
  await Promise.all([1, 2, 3].map((nth) => server.reloadRoutes().then(() => done.push(nth))))
  t.strictSame(done, [1, 2, 3])
  t.strictSame(await askEach(clients), NEW)
  file.write('throw new Error("bad")')
  const bad = server.reloadRoutes()
  const alsoBad = server.reloadRoutes()
  await t.rejects(bad, { code: 'RR_RELOAD_FAILED' })
  await t.rejects(alsoBad, { code: 'RR_RELOAD_FAILED' })
  file.write(routesSource('v3'))
  await server.reloadRoutes()
  t.equal(await ask(clients[0]), 'v3 of worker 1')
})

t.test('routes that are not there in time leave the old ones, also when they come', async (t) => {
  const routed = await startRouted(t)
  const { server, file, counters } = routed
  const clients = await oneOfEach(routed)
  file.write(routesSource('v2', waitFor('released2').replace('globalThis', '(globalThis as any)')))
  await t.rejects(server.reloadRoutes({ timeoutMs: 50 }), {
    code: 'RR_RELOAD_FAILED',
    message: /worker 1, 2 did not load the new ones in time/,
  })
  counters.add('released2')
  t.strictSame(await askEach(clients), OLD)
  // By then those that came late have been dropped.
  file.write(routesSource('v3'))
  await server.reloadRoutes()
  t.equal(await ask(clients[1]), 'v3 of worker 2')
  for (const timeoutMs of [0, 1.5, 86_400_001]) {
    await t.rejects(server.reloadRoutes({ timeoutMs }), { code: 'RR_OPTION_INVALID' })
  }
})

t.test('a worker that is lost in the middle ends up with the new routes too', async (t) => {
  const routed = await startRouted(t)
  const { server, file, log, counters } = routed
  const [first, second] = await oneOfEach(routed)
  file.write(routesSource('v2', waitFor('released2').replace('globalThis', '(globalThis as any)')))
  let isDone = false
  const reload = server.reloadRoutes().then(() => {
    isDone = true
  })
  // Answered on the old routes, then the thread ends with its import under way.
  t.equal(await ask(second, '/exit'), 'v1 of worker 2')
  await log.wait('worker-exited')
  t.equal(await ask(first), 'v1 of worker 1')
  t.notOk(isDone, 'the other worker is waited for')
  counters.add('released2')
  await reload
  t.equal(await ask(first), 'v2 of worker 1')
  await log.wait('worker-listening', 3)
  t.strictSame(await askEach(await oneOfEach(routed)), NEW)
})

t.test('with every worker lost in the middle, those that follow have the new routes', async (t) => {
  const routed = await startRouted(t, { workers: 1 })
  const { server, file, log, counters } = routed
  const client = await routed.connect()
  file.write(routesSource('v2', waitFor('released2').replace('globalThis', '(globalThis as any)')))
  const reload = server.reloadRoutes()
  await ask(client, '/exit')
  await reload
  counters.add('released2')
  await log.wait('worker-listening', 2)
  t.equal(await ask(await routed.connect()), 'v2 of worker 1')
})

t.test('a call while the server drains, or a drain while it loads, changes nothing', async (t) => {
  const routed = await startRouted(t)
  const { server, file, counters } = routed
  const [client] = await oneOfEach(routed)
  client.get('/slow')
  await until(() => server.info().inFlight === 1, 'the slow request')
  file.write(routesSource('v2', waitFor('released2').replace('globalThis', '(globalThis as any)')))
  const begun = server.reloadRoutes()
  const waiting = server.reloadRoutes()
  const refused = t.rejects(begun, { code: 'RR_SERVER_STATE', message: /it is draining/ })
  const refusedToo = t.rejects(waiting, { code: 'RR_SERVER_STATE' })
  const drained = server.drain({ timeoutMs: 600_000 })
  await t.rejects(server.reloadRoutes(), {
    code: 'RR_SERVER_STATE',
    message: /it is draining/,
  })
  counters.add('released2')
  await Promise.all([refused, refusedToo])
  counters.add('released')
  t.equal(await takeAnswer(client), 'v1 of worker 1')
  await server.stop()
  await drained
  await t.rejects(server.reloadRoutes(), { code: 'RR_SERVER_STATE', message: /it is stopped/ })
})

t.test('an application with setup and its handler with it is told what to do', async (t) => {
  const { server } = await start(t, fixtureUrl('troubles.ts'), { workers: 1 })
  await t.rejects(server.reloadRoutes(), { code: 'RR_RELOAD_FAILED', message: /`routes`/ })
})

for (const name of ['app.ts', 'app.mjs', 'app.cjs']) {
  t.test(`an application without a life cycle is reloaded whole (${name})`, async (t) => {
    const file = new RouteFile(t, name)
    const write = (version: string): void => {
      const handler = `() => ({ status: 200, body: '${version} of worker 0' })`
      file.write(name === 'app.cjs' ? `module.exports = ${handler}` : `export default ${handler}`)
    }
    write('v1')
    const { server, connect } = await start(t, new URL(file.url), { workers: 1 })
    const client = await connect()
    t.equal(await ask(client), 'v1 of worker 0')
    for (const version of ['v2', 'v3']) {
      write(version)
      await server.reloadRoutes()
      t.equal(await ask(client), `${version} of worker 0`)
      file.write('throw new Error("bad")')
      await t.rejects(server.reloadRoutes(), { cause: { message: 'bad' } })
      t.equal(await ask(client), `${version} of worker 0`)
    }
  })
}

t.test('routes that cannot be loaded at the start end it, behind setup and teardown', async (t) => {
  const file = new RouteFile(t)
  file.write('throw new Error("bad from the start")')
  const counters = new SharedCounters()
  const options = {
    port: 0,
    workers: 1,
    onEvent: () => {},
    workerHooks: fixtureUrl('hooks.ts'),
    workerHooksData: { buffer: counters.buffer },
  }
  await t.rejects(serve(fixtureUrl('routed.ts', { routes: file.url }), options), {
    code: 'RR_APPLICATION_FAILED',
    cause: { message: 'bad from the start' },
  })
  t.equal(counters.get('setup'), 1)
  t.equal(counters.get('teardown'), 1)
})
