import { type Application, type RouteTable, resolveApplication } from '@rr/core'
import t, { type Test } from 'tap'
import type { RoutesReply } from '../src/messages.ts'
import { WorkerRoutes } from '../src/worker-routes.ts'
import { RouteFile } from './support/route-file.ts'
import { until } from './support/until.ts'

interface Bench {
  readonly routes: WorkerRoutes
  readonly file: RouteFile
  readonly replies: RoutesReply[]
  /** What was changed to. */
  readonly tables: RouteTable[]
  attach(): void
}

// Modules are cached for the whole process, versions and all.
let version = 0

async function bench(t: Test): Promise<Bench> {
  const file = new RouteFile(t, 'app.mjs')
  file.write('export default () => 1')
  const replies: RoutesReply[] = []
  const tables: RouteTable[] = []
  const routes = new WorkerRoutes(file.url, (reply) => void replies.push(reply))
  const application: Application = resolveApplication(() => new Response())
  const holder = { replaceRoutes: (table: RouteTable) => void tables.push(table) }
  return { routes, file, replies, tables, attach: () => routes.attach(application, holder) }
}

t.test('changes when it is told to, not before', async (t) => {
  const { routes, replies, tables, attach } = await bench(t)
  attach()
  version++
  routes.onMessage({ type: 'prepare-routes', version })
  await until(() => replies.length === 1, 'the answer')
  t.match(replies, [{ type: 'routes-prepared', version }])
  t.same(tables, [])
  routes.onMessage({ type: 'commit-routes', version })
  t.match(replies[1], { type: 'routes-committed', version })
  t.equal(tables.length, 1)
  routes.onMessage({ type: 'commit-routes', version })
  t.equal(tables.length, 1, 'once')
})

t.test('a thread that starts answers when it has routes to change', async (t) => {
  const { routes, replies, tables, attach } = await bench(t)
  version++
  routes.onMessage({ type: 'prepare-routes', version })
  await new Promise((resolve) => setImmediate(resolve))
  t.same(replies, [])
  attach()
  await until(() => replies.length === 1, 'the answer')
  routes.onMessage({ type: 'commit-routes', version })
  t.equal(tables.length, 1)
})

t.test('one that was never asked confirms, and changes nothing', async (t) => {
  const { routes, replies, tables, attach } = await bench(t)
  attach()
  routes.onMessage({ type: 'commit-routes', version: version + 1 })
  t.match(replies, [{ type: 'routes-committed', version: version + 1 }])
  t.same(tables, [])
})

t.test('what was dropped is not changed to, whether it is there or still to come', async (t) => {
  const { routes, replies, tables, attach } = await bench(t)
  attach()
  const first = ++version
  const second = ++version
  const third = ++version
  routes.onMessage({ type: 'prepare-routes', version: first })
  routes.onMessage({ type: 'drop-routes', version: first })
  routes.onMessage({ type: 'prepare-routes', version: second })
  await until(() => replies.length === 1, 'the second answer')
  routes.onMessage({ type: 'drop-routes', version: second })
  routes.onMessage({ type: 'prepare-routes', version: third })
  await until(() => replies.length === 2, 'the third answer')
  t.match(replies, [{ version: second }, { version: third }])
  routes.onMessage({ type: 'drop-routes', version: second })
  routes.onMessage({ type: 'commit-routes', version: third })
  t.equal(tables.length, 1)
})

t.test('a failure is told with the module, and changes nothing', async (t) => {
  const { routes, file, replies, tables, attach } = await bench(t)
  attach()
  file.write('throw new RangeError("bad")')
  version++
  routes.onMessage({ type: 'prepare-routes', version })
  await until(() => replies.length === 1, 'the answer')
  t.match(replies, [
    { type: 'routes-failed', version, url: file.url, error: { name: 'RangeError' } },
  ])
  routes.onMessage({ type: 'commit-routes', version })
  t.same(tables, [])
})
