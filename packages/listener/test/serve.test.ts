import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { serve } from '../src/serve.ts'
import { EventLog } from './support/event-log.ts'
import { fixtureUrl } from './support/fixture-url.ts'
import { RawClient } from './support/raw-client.ts'
import { answer, serveTroubles } from './support/test-server.ts'
import { until } from './support/until.ts'

t.test('port 0: three workers share one port, and all of them serve', async (t) => {
  const { server, log, counters, connect } = await serveTroubles(t, { workers: 3 })
  t.match(server.port, Number)
  t.equal(server.url, `http://127.0.0.1:${server.port}`)
  t.strictSame(
    new Set(log.of('worker-listening').map((event) => event.port)),
    new Set([server.port]),
  )
  t.equal(counters.get('setup'), 3)
  const seen = new Set<string>()
  for (let attempt = 0; seen.size < 3 && attempt < 500; attempt++) {
    const client = await connect()
    seen.add(await answer(client, '/worker', /\d/))
    client.close()
  }
  t.strictSame([...seen].sort(), ['1', '2', '3'])
})

t.test('info() is exact, per worker and in sum, and tells where the server is', async (t) => {
  const { server, connect } = await serveTroubles(t, { workers: 2, maxConnections: 100 })
  t.equal(server.status(), 'accepting')
  const clients = await Promise.all(Array.from({ length: 20 }, connect))
  for (const client of clients) await answer(client, '/', /ok/)
  clients[0]!.get('/wait')
  clients[1]!.send('GET / HTTP/1.1\r\n\r\n')
  await clients[1]!.ended()
  await until(() => server.info().inFlight === 1, 'the request in flight')
  const info = server.info()
  t.match(info, {
    status: 'accepting',
    port: server.port,
    host: '127.0.0.1',
    maxConnections: 100,
    connections: 20,
    connectionsAccepted: 20,
    requests: 21,
    inFlight: 1,
    rejections: { total: 1, connections: 0, requests: { 400: 1, 431: 0, other: 0 } },
    workersReason: 'as configured',
  })
  t.equal(info.workers.length, 2)
  for (const name of ['connections', 'requests', 'inFlight', 'bytesIn', 'bytesOut'] as const) {
    t.equal(
      info.workers.reduce((sum, worker) => sum + worker[name], 0),
      info[name],
      name,
    )
  }
  t.ok(info.bytesIn > 20 * 30)
  t.ok(info.bytesOut > 20 * 30)
  t.ok(info.uptimeMs > 0)
  for (const worker of info.workers) {
    t.match(worker, { phase: 'accepting', generation: 1, restartInMs: null, isStalled: false })
    t.ok(worker.threadId! > 0)
    t.ok(worker.heartbeatAgeMs! < 5000)
  }
  for (const client of clients) client.socket.resetAndDestroy()
  await until(() => server.info().connections === 0, 'the connections to be given back')
  t.equal(server.info().inFlight, 0)
})

t.test('an application is given by URL, by path or by the URL of a file as a string', async (t) => {
  const url = fixtureUrl('hello.ts')
  for (const app of [url, url.href, fileURLToPath(url)]) {
    const server = await serve(app, { host: '127.0.0.1', port: 0, workers: 1 })
    const response = await fetch(server.url)
    t.equal(await response.text(), 'hello')
    await server.stop()
  }
})

t.test('a port that is taken fails the start, whoever has it', async (t) => {
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  t.teardown(() => other.close())
  const { server } = await serveTroubles(t)
  for (const port of [(other.address() as AddressInfo).port, server.port]) {
    const log = new EventLog()
    const start = serve(fixtureUrl('hello.ts'), {
      host: '127.0.0.1',
      port,
      workers: 2,
      onEvent: log.listener,
    })
    await t.rejects(start, { code: 'RR_BIND_FAILED', cause: { code: 'EADDRINUSE' } })
    t.strictSame(log.events, [], 'before any worker is started')
  }
})

t.test('options are checked before anything is started', async (t) => {
  const app = fixtureUrl('hello.ts')
  await t.rejects(serve(app, { port: 65_536 }), { code: 'RR_OPTION_INVALID' })
  await t.rejects(serve(app, { prt: 1 } as object), { code: 'RR_OPTION_UNKNOWN' })
  await t.rejects(serve(app, { workerHooksData: () => {} }), {
    code: 'RR_OPTION_INVALID',
    cause: { name: 'DataCloneError' },
  })
})

type Expected = { code: string; message?: RegExp; cause?: { name: string; message: string } }
const failures: [name: string, parameters: Record<string, string>, expected: Expected][] = [
  [
    'throws while it loads',
    { load: 'throw' },
    {
      code: 'RR_APPLICATION_FAILED',
      cause: { name: 'TypeError', message: 'no luck while loading' },
    },
  ],
  ['exits while it loads', { load: 'exit' }, { code: 'RR_WORKER_FAILED', message: /code 7/ }],
  ['never finishes to load', { load: 'never' }, { code: 'RR_WORKER_FAILED', message: /code 13/ }],
  [
    'throws in setup',
    { setup: 'throw' },
    { code: 'RR_APPLICATION_FAILED', cause: { name: 'RangeError', message: 'no luck in setup' } },
  ],
  [
    'never finishes its setup',
    { setup: 'never' },
    { code: 'RR_WORKER_FAILED', message: /code 13/ },
  ],
]

for (const [name, parameters, expected] of failures) {
  t.test(`an application that ${name} stops the start and all workers`, async (t) => {
    const log = new EventLog()
    const start = serve(fixtureUrl('troubles.ts', parameters), {
      host: '127.0.0.1',
      port: 0,
      workers: 2,
      onEvent: log.listener,
    })
    await t.rejects(start, expected)
    const exits = log.of('worker-exited')
    t.ok(exits.length > 0)
    t.ok(exits.every((event) => event.restartDelayMs === null))
  })
}

t.test('the error of an application comes with its stack', async (t) => {
  const start = serve(fixtureUrl('troubles.ts', { load: 'throw' }), { port: 0, onEvent: () => {} })
  const error = await start.then(
    () => t.fail('started'),
    (error: unknown) => error as Error,
  )
  t.match((error as Error).cause, { stack: /troubles\.ts\?load=throw:\d+/ })
})

t.test('a module that is no application, or not there', async (t) => {
  const options = { host: '127.0.0.1', port: 0, workers: 1, onEvent: () => {} }
  await t.rejects(serve(fixtureUrl('no-application.ts'), options), {
    code: 'RR_APPLICATION_FAILED',
    cause: { code: 'RR_APPLICATION_INVALID' },
  })
  await t.rejects(serve(fixtureUrl('missing.ts'), options), {
    code: 'RR_APPLICATION_FAILED',
    cause: { code: 'ERR_MODULE_NOT_FOUND' },
  })
})

t.test('one worker of several that fails stops the others as well', async (t) => {
  const log = new EventLog()
  const start = serve(fixtureUrl('fails-in-second.ts'), {
    host: '127.0.0.1',
    port: 0,
    workers: 3,
    onEvent: log.listener,
  })
  await t.rejects(start, { code: 'RR_APPLICATION_FAILED', message: /worker 2/ })
  const ports = log.of('worker-listening').map((event) => event.port)
  t.equal(log.of('worker-exited').length, 3)
  await t.rejects(RawClient.connect(ports[0]!), { code: 'ECONNREFUSED' })
})

t.test('hooks that never close do not hold up a start that has failed', async (t) => {
  const start = serveTroubles(t, {}, { load: 'throw' }, { failing: 'close' })
  await t.rejects(start, { code: 'RR_APPLICATION_FAILED' })
})

t.test('what is no module is refused in words that help', async (t) => {
  const message =
    /^serve\(\) takes a module's URL or path, not .*; listen\(\) takes the application/
  const router = { dispatch: () => null }
  for (const app of [router, () => null, undefined, null, 42, '']) {
    await t.rejects(serve(app as string), { code: 'RR_OPTION_INVALID', message })
  }
})

t.test('a listener that rejects harms nobody', async (t) => {
  const shown: unknown[][] = []
  const { error } = console
  console.error = (...values: unknown[]) => shown.push(values)
  t.teardown(() => {
    console.error = error
  })
  const { connect } = await serveTroubles(t, {
    onEvent: async () => {
      throw new Error('from onEvent')
    },
  })
  await answer(await connect(), '/', /ok/)
  t.match(shown[0], ['rr: onEvent failed', { message: 'from onEvent' }])
})

t.test('a listener that throws harms nobody', async (t) => {
  const shown: unknown[] = []
  const { error } = console
  console.error = (...values: unknown[]) => shown.push(values)
  t.teardown(() => {
    console.error = error
  })
  const { connect } = await serveTroubles(t, {
    onEvent: () => {
      throw new Error('from onEvent')
    },
  })
  await answer(await connect(), '/', /ok/)
  t.ok(shown.length > 0, 'it is shown on the console')
})
