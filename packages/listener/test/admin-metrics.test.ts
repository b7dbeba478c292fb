import { spawn } from 'node:child_process'
import { text as readAll } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { METRICS } from '../src/admin/metric-table.ts'
import { type ServeOptions, serve } from '../src/serve.ts'
import type { Server } from '../src/server.ts'
import { askAdmin, readMetrics, sumOf } from './support/admin-client.ts'
import { EventLog } from './support/event-log.ts'
import { parseExposition } from './support/exposition-parser.ts'
import { fixtureUrl } from './support/fixture-url.ts'
import { serveTroubles } from './support/test-server.ts'
import { until } from './support/until.ts'

const DURATION = 'rr_request_duration_seconds'

/** What Prometheus 3 sends, without its binary format. */
const PROMETHEUS_ACCEPT =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2'

async function serveRouted(
  t: Test,
  options: ServeOptions = {},
): Promise<{ server: Server; log: EventLog }> {
  const log = new EventLog()
  const server = await serve(fixtureUrl('named-routes.ts'), {
    host: '127.0.0.1',
    port: 0,
    workers: 2,
    adminPort: 0,
    onEvent: log.listener,
    ...options,
  })
  t.teardown(() => server.stop())
  return { server, log }
}
/** Each on a connection of its own, so that the workers share them. */
async function ask(server: Server, path: string, init: RequestInit = {}): Promise<string> {
  const headers = { connection: 'close', ...init.headers }
  const response = await fetch(`${server.url}${path}`, { ...init, headers })
  return response.text()
}

/** Asks until both workers have answered. @returns how many requests that took */
async function askBoth(server: Server): Promise<number> {
  const seen = new Set<string>()
  let requests = 0
  while (seen.size < 2) {
    seen.add(await ask(server, '/worker'))
    requests++
  }
  return requests
}

t.test('durations of all workers are added up exactly, by route, method and class', async (t) => {
  const { server } = await serveRouted(t)
  const both = await askBoth(server)
  for (let index = 0; index < 20; index++) await ask(server, '/as/%2Fusers%2F:id')
  await ask(server, '/as/%2Fusers%2F:id', { method: 'POST', body: 'x' })
  await ask(server, '/missing')
  await ask(server, '/fail/it')
  await until(() => server.info().inFlight === 0, 'all to have ended')
  const metrics = await readMetrics(server)
  const count = (labels: Record<string, string>): number =>
    sumOf(metrics, `${DURATION}_count`, labels)
  t.equal(count({ route: '/users/:id', method: 'GET', status: '2xx' }), 20)
  t.equal(count({ route: '/users/:id', method: 'POST', status: '2xx' }), 1)
  t.equal(count({ route: 'unmatched', status: '2xx' }), both)
  t.equal(count({ route: 'unmatched', status: '4xx' }), 1)
  t.equal(count({ route: 'unmatched', status: '5xx' }), 1)
  t.equal(count({}), both + 23)
  t.equal(sumOf(metrics, 'rr_requests_total'), both + 23)
  t.equal(sumOf(metrics, 'rr_requests_total', { worker: '1' }), server.info().workers[0]!.requests)
  t.ok(sumOf(metrics, `${DURATION}_sum`) > 0)
  t.equal(sumOf(metrics, 'rr_worker_up'), 2)
})

t.test('counts go on when a worker is replaced, and its restart counts', async (t) => {
  const { server, log } = await serveRouted(t)
  await askBoth(server)
  for (let index = 0; index < 10; index++) await ask(server, '/as/%2Fa')
  await ask(server, '/exit')
  await log.wait('worker-listening', 3)
  for (let index = 0; index < 10; index++) await ask(server, '/as/%2Fa')
  await until(() => server.info().inFlight === 0, 'all to have ended')
  const metrics = await readMetrics(server)
  t.equal(sumOf(metrics, `${DURATION}_count`, { route: '/a' }), 20)
  t.equal(sumOf(metrics, 'rr_worker_restarts_total'), 1)
  t.equal(sumOf(metrics, `${DURATION}_count`), sumOf(metrics, 'rr_requests_total'))
  const { body } = await askAdmin(server, '/live')
  t.match(JSON.parse(body).troubles, [{ type: 'worker-exited', title: /exited \(code 3/ }])
})

t.test('every metric of the table is there, in both formats, and nothing else', async (t) => {
  const { server } = await serveRouted(t)
  await askBoth(server)
  const fields = ['heap_used', 'heap_limit'].map((name) => `rr_worker_${name}_bytes`)
  let metrics = await readMetrics(server)
  const isSampled = (): boolean => fields.every((name) => sumOf(metrics, name, { worker: '2' }) > 0)
  while (!isSampled()) metrics = await readMetrics(server)
  const linuxOnly = (name: string): boolean => process.platform === 'linux' || !/_fds$/.test(name)
  const names = Object.keys(METRICS).filter(linuxOnly)
  t.strictSame([...metrics.keys()], names)
  const headers = { accept: PROMETHEUS_ACCEPT }
  const open = await askAdmin(server, '/metrics', { headers })
  t.match(open.headers['content-type'], /^application\/openmetrics-text; version=1\.0\.0/)
  const families = parseExposition(open.body, true)
  t.strictSame(
    [...families.keys()],
    names.map((name) => name.replace(/_(?:total|info)$/, '')),
  )
  for (const [name, family] of metrics) {
    const { labels, help } = METRICS[name as keyof typeof METRICS]
    t.equal(family.help, help)
    for (const sample of family.samples) {
      const { le: _, ...own } = sample.labels
      t.strictSame(Object.keys(own), [...labels], name)
      t.ok(Number.isFinite(sample.value) && sample.value >= 0, `${name} ${sample.value}`)
    }
  }
})

t.test('what a browser or an old Prometheus accepts is the text format', async (t) => {
  const { server } = await serveRouted(t)
  for (const accept of [
    '',
    '*/*',
    'text/html',
    'text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
    'application/openmetrics-text;version=0.0.1',
    'nonsense',
  ]) {
    const { headers } = await askAdmin(server, '/metrics', { headers: { accept } })
    t.equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8', accept)
  }
})

t.test('metrics: false counts as ever, and measures nothing', async (t) => {
  const { server } = await serveRouted(t, { metrics: false })
  await ask(server, '/as/%2Fa')
  const metrics = await readMetrics(server)
  t.equal(sumOf(metrics, 'rr_requests_total'), 1)
  t.notOk(metrics.has(DURATION))
  t.notOk(metrics.has('rr_worker_heap_used_bytes'))
  t.match(JSON.parse((await askAdmin(server, '/live')).body), { isMeasured: false, latency: [] })
})

t.test('refusals are counted by cause', async (t) => {
  const { server, connect } = await serveTroubles(t, { adminPort: 0, maxConnections: 1 })
  const held = await connect()
  held.get('/')
  await held.expect(/ok/)
  const refused = await connect()
  await refused.ended()
  held.send('GET / HTTP/1.1\r\n\r\n')
  await held.ended()
  const metrics = await readMetrics(server)
  t.equal(sumOf(metrics, 'rr_connections_refused_total'), 1)
  t.equal(sumOf(metrics, 'rr_requests_refused_total', { status: '400' }), 1)
})

t.test('/info is server.info(), /live has the fine durations', async (t) => {
  const { server } = await serveRouted(t)
  await ask(server, '/as/%2Fa')
  await until(() => server.info().connections === 0, 'the connection to close')
  const { uptimeMs: _, workers: __, ...info } = JSON.parse((await askAdmin(server, '/info')).body)
  t.match(server.info(), info)
  const live = JSON.parse((await askAdmin(server, '/live')).body)
  t.match(live, {
    pid: process.pid,
    ready: { isWell: true },
    routes: [{ route: '/a', requests: 1 }],
  })
  t.equal(live.latency.length, 1)
  t.equal(live.latency[0][1], 1)
})

t.test(
  'errors that worker hooks are told of are among the recent troubles, not on onEvent',
  async (t) => {
    const { server, log, counters, connect } = await serveTroubles(
      t,
      { adminPort: 0 },
      {},
      { handlesErrors: true },
    )
    const client = await connect()
    client.get('/throw')
    await client.expect(/^HTTP\/1\.1 500 /)
    let troubles: { type: string; title: string }[] = []
    while (troubles.length === 0)
      troubles = JSON.parse((await askAdmin(server, '/live')).body).troubles
    t.match(troubles, [
      {
        type: 'handler-error',
        workerId: 1,
        title: /^handler of GET \/throw failed in worker 1: Error: thrown/,
      },
    ])
    t.equal(counters.get('errors'), 1)
    t.strictSame(log.of('handler-error'), [])
  },
)

t.test('the last 50 troubles are kept, the newest first', async (t) => {
  const { server } = await serveRouted(t, { workers: 1 })
  for (let index = 0; index < 9; index++) await ask(server, `/fail/${index}${'x'.repeat(5000)}`)
  let troubles: { id: number; title: string; detail: string }[] = []
  while (troubles.length < 9) troubles = JSON.parse((await askAdmin(server, '/live')).body).troubles
  t.equal(troubles[0]!.id, troubles.length)
  t.ok(troubles.every(({ title, detail }) => title.length <= 300 && detail.length <= 4000))
})

const promtool = await findPromtool()
t.test('promtool finds nothing to complain of', { skip: promtool }, async (t) => {
  const { server } = await serveRouted(t)
  await askBoth(server)
  await ask(server, `/as/${encodeURIComponent('/a"\\\n\r€')}`)
  const { body } = await askAdmin(server, '/metrics')
  const child = spawn('promtool', ['check', 'metrics'], { stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdin.end(body)
  const [output, errors] = await Promise.all([readAll(child.stdout), readAll(child.stderr)])
  t.equal(output + errors, '')
  if (child.exitCode === null) await new Promise((resolve) => child.once('exit', resolve))
  t.equal(child.exitCode, 0)
})

/** False where it is, or why the test is skipped. */
async function findPromtool(): Promise<false | string> {
  const child = spawn('promtool', ['--version'], { stdio: 'ignore' })
  return new Promise((resolve) => {
    child.once('error', () => resolve('promtool (Debian: prometheus) is not installed'))
    child.once('exit', () => resolve(false))
  })
}
