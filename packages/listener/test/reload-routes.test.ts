import t from 'tap'
import { RouteFile, routesSource, waitFor } from './support/route-file.ts'
import {
  ask,
  askEach,
  NEW,
  OLD,
  oneOfEach,
  startRouted,
  startWith,
  takeAnswer,
} from './support/routed-server.ts'
import { until } from './support/until.ts'

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

for (const name of ['app.ts', 'app.mjs', 'app.cjs']) {
  t.test(`an application without a life cycle is reloaded whole (${name})`, async (t) => {
    const file = new RouteFile(t, name)
    const write = (version: string): void => {
      const handler = `() => ({ status: 200, body: '${version} of worker 0' })`
      file.write(name === 'app.cjs' ? `module.exports = ${handler}` : `export default ${handler}`)
    }
    write('v1')
    const { server, connect } = await startWith(t, new URL(file.url), { workers: 1 })
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
