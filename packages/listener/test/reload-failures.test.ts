import t from 'tap'
import { serve } from '../src/serve.ts'
import { EventLog } from './support/event-log.ts'
import { fixtureUrl } from './support/fixture-url.ts'
import { RouteFile, routesSource, waitFor } from './support/route-file.ts'
import {
  ask,
  askEach,
  NEW,
  OLD,
  oneOfEach,
  startRouted,
  startWith,
} from './support/routed-server.ts'
import { SharedCounters } from './support/shared-counters.ts'

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

t.test('an application with setup and its handler with it is told what to do', async (t) => {
  const { server } = await startWith(t, fixtureUrl('troubles.ts'), { workers: 1 })
  await t.rejects(server.reloadRoutes(), { code: 'RR_RELOAD_FAILED', message: /`routes`/ })
})

t.test('routes that cannot be loaded at the start end it, behind setup and teardown', async (t) => {
  const file = new RouteFile(t)
  file.write('throw new Error("bad from the start")')
  const counters = new SharedCounters()
  const log = new EventLog()
  const options = {
    port: 0,
    workers: 1,
    onEvent: log.listener,
    workerHooks: fixtureUrl('hooks.ts'),
    workerHooksData: { buffer: counters.buffer },
  }
  const url = fixtureUrl('routed.ts', { routes: file.url, teardown: 'throw' })
  await t.rejects(serve(url, options), {
    code: 'RR_APPLICATION_FAILED',
    cause: { message: 'bad from the start' },
  })
  t.match(log.of('warning'), [{ code: 'RR_TEARDOWN_FAILED', message: /no luck in teardown/ }])
  t.equal(counters.get('setup'), 1)
  t.equal(counters.get('teardown'), 1)
})
