import t from 'tap'
import { answer, serveTroubles } from './support/test-server.ts'
import { until } from './support/until.ts'

const endings: [path: string, expected: object][] = [
  [
    '/crash',
    { reason: 'crashed', exitCode: 1, error: { message: 'nobody caught this', code: 'E_CRASH' } },
  ],
  ['/reject', { reason: 'crashed', exitCode: 1, error: { message: 'nobody handled this' } }],
  ['/exit', { reason: 'exited', exitCode: 3, error: null }],
  ['/fill-heap', { reason: 'out-of-memory', error: { code: 'ERR_WORKER_OUT_OF_MEMORY' } }],
]

for (const [path, expected] of endings) {
  t.test(`a worker that dies of ${path} is replaced, its slots given back`, async (t) => {
    const { server, log, connect } = await serveTroubles(t, {
      workers: 1,
      maxConnections: 5,
      workerHeapMb: 64,
    })
    const clients = await Promise.all(Array.from({ length: 5 }, connect))
    for (const client of clients) await answer(client, '/', /ok/)
    clients[1]!.get('/wait')
    await until(() => server.info().inFlight === 1, 'a request in flight')
    clients[0]!.get(path)
    const exit = await log.wait('worker-exited')
    t.match(exit, {
      ...expected,
      workerId: 1,
      generation: 1,
      connectionsLost: 5,
      restartDelayMs: 100,
    })
    t.ok(exit.requestsLost >= 1)
    t.match(server.info(), { connections: 0, inFlight: 0 })
    t.equal(server.info().workers[0]!.restartInMs! <= 100, true)
    t.match(await log.wait('worker-listening', 2), { generation: 2, port: server.port })
    const again = await Promise.all(Array.from({ length: 5 }, connect))
    for (const client of again) await answer(client, '/', /ok/)
    t.match(server.info(), { connections: 5, rejections: { connections: 0 } })
    t.match(server.info().workers[0], { generation: 2, restartInMs: null, phase: 'accepting' })
    t.ok(server.info().requests >= 12, 'the counts of the dead thread are kept')
  })
}

t.test('the others serve while one is waited for; the delay doubles', async (t) => {
  const { server, log, connect } = await serveTroubles(t, { workers: 2 })
  for (const [round, delay] of [100, 200, 400].entries()) {
    const victim = await connect()
    // Crashes whichever worker this connection went to.
    victim.get('/exit')
    const exit = await log.wait('worker-exited', round + 1)
    const delays = log.of('worker-exited').filter((event) => event.workerId === exit.workerId)
    t.equal(exit.restartDelayMs, 100 * 2 ** (delays.length - 1))
    t.ok(exit.restartDelayMs! <= delay)
    await answer(await connect(), '/', /ok/)
    await log.wait('worker-listening', round + 3)
  }
  t.equal(
    server.info().workers.reduce((sum, worker) => sum + worker.generation, 0),
    5,
  )
})

t.test('a replacement that fails to start is tried again, and told each time', async (t) => {
  const { server, log, connect } = await serveTroubles(t, { workers: 1 }, { setup: 'throw-again' })
  const client = await connect()
  client.get('/exit')
  t.match(await log.wait('worker-failed', 3), {
    stage: 'setup',
    generation: 4,
    error: { message: 'no luck the second time', stack: /troubles\.ts/ },
  })
  t.strictSame(
    log
      .of('worker-exited')
      .slice(0, 3)
      .map((event) => [event.reason, event.restartDelayMs]),
    [
      ['exited', 100],
      ['failed', 200],
      ['failed', 400],
    ],
  )
  t.equal(server.status(), 'accepting')
  await until(() => server.info().workers[0]!.restartInMs !== null, 'a worker that is waited for')
  t.strictSame(await server.drain(), { drained: true }, 'a drain does not wait for it')
  const generations = log.of('worker-exited').length
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(log.of('worker-exited').length, generations)
})

t.test('errors in handlers go to the main thread, with their request', async (t) => {
  const { log, connect } = await serveTroubles(t)
  const client = await connect()
  client.get('/throw?a=1')
  await client.expect(/^HTTP\/1\.1 500 /)
  t.match(await log.wait('handler-error'), {
    workerId: 1,
    error: { message: 'thrown by the handler', stack: /troubles\.ts/ },
    request: { method: 'GET', target: '/throw?a=1', id: String },
  })
})

t.test('a flood of errors in handlers is bounded and counted', async (t) => {
  const { log, connect } = await serveTroubles(t)
  const client = await connect()
  const total = 200
  client.send('GET /throw HTTP/1.1\r\nHost: test\r\n\r\n'.repeat(total))
  const dropped = await log.wait('handler-errors-dropped')
  t.ok(log.of('handler-error').length <= 20)
  await until(() => {
    const counted = log.of('handler-errors-dropped').reduce((sum, event) => sum + event.count, 0)
    return counted + log.of('handler-error').length === total
  }, 'all errors to be told or counted')
  t.equal(dropped.workerId, 1)
})

t.test('hooks see errors and answers in the worker', async (t) => {
  const { log, counters, server, connect } = await serveTroubles(
    t,
    { workers: 2 },
    {},
    { handlesErrors: true },
  )
  t.equal(counters.get('hooksMade'), 2)
  const client = await connect()
  client.get('/throw')
  await client.expect(/^HTTP\/1\.1 500 [\s\S]*?\r\n\r\n/)
  await until(() => counters.get('errors') === 1, 'the error')
  await until(() => counters.get('access') === 1, 'the access entry')
  client.close()
  await server.drain()
  t.equal(counters.get('hooksClosed'), 2)
  t.equal(counters.get('events'), 6, 'each worker: listening, drain-started, drain-ended')
  t.strictSame(log.of('handler-error'), [])
})

t.test('a hook that throws is told once, and harms no request', async (t) => {
  const { log, connect } = await serveTroubles(t, {}, {}, { failing: 'access' })
  const client = await connect()
  await answer(client, '/', /ok/)
  await answer(client, '/', /ok/)
  await log.wait('warning')
  await answer(client, '/', /ok/)
  t.match(log.of('warning'), [{ code: 'RR_HOOK_FAILED', message: /no luck with the access log/ }])
})

t.test('a hook whose promise rejects is told once, and harms no worker', async (t) => {
  for (const [failing, message] of [
    ['events', /onEvent failed: Error: no luck with the event log/],
    ['errors', /onError failed: Error: no luck with the error log/],
  ] as const) {
    const hooks = { failing, handlesErrors: true }
    const { log, server, connect } = await serveTroubles(t, {}, {}, hooks)
    const client = await connect()
    for (let count = 0; count < 2; count++) {
      client.get('/throw')
      await client.expect(/^HTTP\/1\.1 500 [\s\S]*?\r\n\r\n/)
      client.received = ''
    }
    await log.wait('warning')
    client.close()
    await server.drain()
    t.match(log.of('warning'), [{ code: 'RR_HOOK_FAILED', message, workerId: 1 }])
    t.match(log.of('worker-exited'), [{ reason: 'stopped' }])
  }
})

t.test('hooks that cannot be made stop the start', async (t) => {
  await t.rejects(serveTroubles(t, {}, {}, { failing: 'create' }), {
    code: 'RR_WORKER_FAILED',
    cause: { message: 'no luck with hooks' },
  })
})
