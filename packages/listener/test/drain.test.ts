import t from 'tap'
import { answer, listenTroubles, serveTroubles, WAYS } from './support/test-server.ts'
import { until } from './support/until.ts'

for (const { name, start } of WAYS) {
  t.test(`${name}: a drain with nothing open ends at once, and runs teardown`, async (t) => {
    const { server, log, counters } = await start(t)
    const workers = server.info().workers.length
    t.strictSame(await server.drain(), { drained: true })
    t.equal(server.status(), 'stopped')
    t.equal(counters.get('setup'), workers)
    t.equal(counters.get('teardown'), workers)
    t.match(log.of('drain-started'), [{ timeoutMs: 10_000 }])
    t.match(log.of('drain-ended'), [{ drained: true, remaining: 0 }])
    t.strictSame(await server.closed, { drained: true })
    t.match(server.info(), { status: 'stopped', connections: 0 })
    t.strictSame(await server.drain(), { drained: true }, 'again')
    await server.stop()
  })

  t.test(
    `${name}: idle connections are closed after a grace, and nobody new comes in`,
    async (t) => {
      const { server, connect } = await start(t, { drainIdleGraceMs: 200 })
      const idle = await connect()
      const fresh = await connect()
      await answer(idle, '/', /ok/)
      await until(() => server.info().connections === 2, 'both connections')
      const drained = server.drain()
      t.equal(server.status(), 'draining')
      t.equal(await idle.ended(), 'end')
      t.equal(await fresh.ended(), 'end')
      t.equal(idle.received + fresh.received, '')
      await t.rejects(connect(), { code: 'ECONNREFUSED' })
      idle.close()
      fresh.close()
      t.strictSame(await drained, { drained: true })
    },
  )

  t.test(`${name}: a request in flight is finished, and told to close`, async (t) => {
    const { server, counters, connect } = await start(t)
    const client = await connect()
    client.get('/wait')
    await until(() => server.info().inFlight === 1, 'the request')
    const drained = server.drain()
    await until(
      () => server.info().workers.every(({ phase }) => phase !== 'accepting'),
      'the drain',
    )
    counters.add('released')
    t.match(await client.expect(/waited/), /\r\nConnection: close\r\n/i)
    t.equal(await client.ended(), 'end')
    client.close()
    t.strictSame(await drained, { drained: true })
  })

  t.test(`${name}: what is open at the deadline is cut and counted`, async (t) => {
    const { server, log, counters, connect } = await start(t)
    const busy = await connect()
    busy.get('/wait')
    await until(() => server.info().inFlight === 1, 'the request')
    t.strictSame(await server.drain({ timeoutMs: 100 }), { drained: false, remaining: 1 })
    t.match(await busy.ended(), /end|close|ECONNRESET/)
    t.match(log.of('drain-ended'), [{ drained: false, remaining: 1 }])
    t.equal(counters.get('teardown'), server.info().workers.length)
    t.match(server.info(), { connections: 0, inFlight: 0 })
  })

  t.test(`${name}: calls share one drain, a later one can only tighten it`, async (t) => {
    const { server, log, connect } = await start(t)
    const busy = await connect()
    busy.get('/wait')
    await until(() => server.info().inFlight === 1, 'the request')
    const first = server.drain({ timeoutMs: 600_000 })
    const second = server.drain({ timeoutMs: 900_000 })
    await until(
      () => server.info().workers.every(({ phase }) => phase !== 'accepting'),
      'the drain',
    )
    const third = server.drain({ timeoutMs: 50 })
    const result = { drained: false, remaining: 1 }
    t.strictSame(await Promise.all([first, second, third]), [result, result, result])
    t.equal(log.of('drain-started').length, 1)
  })

  t.test(`${name}: stop cuts everything now, also during a drain`, async (t) => {
    const { server, counters, connect } = await start(t)
    const idle = await connect()
    const busy = await connect()
    busy.get('/wait')
    await until(() => server.info().inFlight === 1, 'the request')
    const drained = server.drain({ timeoutMs: 600_000 })
    await server.stop()
    t.match(await drained, { drained: false })
    await idle.ended()
    await busy.ended()
    t.equal(server.status(), 'stopped')
    t.equal(counters.get('teardown'), server.info().workers.length)
    await t.rejects(connect(), { code: 'ECONNREFUSED' })
  })

  t.test(`${name}: stop without a drain`, async (t) => {
    const { server, connect } = await start(t)
    const client = await connect()
    await answer(client, '/', /ok/)
    await Promise.all([server.stop(), server.stop()])
    await client.ended()
    t.equal(server.status(), 'stopped')
  })

  t.test(`${name}: a teardown that throws is a warning`, async (t) => {
    const { server, log } = await start(t, {}, { teardown: 'throw' })
    t.strictSame(await server.drain(), { drained: true })
    t.match(log.of('warning')[0], {
      code: 'RR_TEARDOWN_FAILED',
      message: /no luck in teardown/,
      workerId: Number,
    })
  })

  t.test(`${name}: options of drain() are checked`, async (t) => {
    const { server } = await start(t)
    t.throws(() => server.drain({ timeoutMs: -1 }), { code: 'RR_OPTION_INVALID' })
    t.equal(server.status(), 'accepting')
  })
}

t.test('a drain under load loses no request that was accepted', async (t) => {
  const { server, connect } = await serveTroubles(t, { workers: 2 })
  const clients = await Promise.all(Array.from({ length: 40 }, connect))
  await until(() => server.info().connectionsAccepted === 40, 'all to be accepted')
  let sent = 0
  let answered = 0
  const loops = clients.map(async (client) => {
    for (let count = 0; count < 10_000; count++) {
      sent++
      client.get('/')
      const text = await client.expect(/\r\n\r\nok/)
      answered++
      if (/\r\nconnection: close\r\n/i.test(text)) break
    }
    await client.ended()
    client.close()
  })
  await until(() => answered > 500, 'some load')
  const drained = server.drain()
  await Promise.all(loops)
  t.strictSame(await drained, { drained: true })
  t.equal(answered, sent)
  t.equal(server.info().requests, sent)
})

t.test('a worker that hangs in its teardown is ended, with a warning', async (t) => {
  const { server, log } = await serveTroubles(t, {}, { teardown: 'hang' })
  t.strictSame(await server.drain({ timeoutMs: 100 }), { drained: true })
  t.match(log.of('warning'), [{ code: 'RR_WORKER_TERMINATED', workerId: 1 }])
})

t.test('a worker that is stuck is ended at the deadline, its connections counted', async (t) => {
  const { server, connect } = await serveTroubles(t)
  const client = await connect()
  await answer(client, '/', /ok/)
  client.get('/block?600000')
  await until(() => server.info().inFlight === 1, 'the request')
  t.strictSame(await server.drain({ timeoutMs: 100 }), { drained: false, remaining: 1 })
  await client.ended()
})

t.test('an application that leaves timers behind does not hold up a drain', async (t) => {
  const { server, log } = await serveTroubles(t, {}, { leftover: '1' })
  t.strictSame(await server.drain({ timeoutMs: 60_000 }), { drained: true })
  t.strictSame(log.of('warning'), [])
  t.match(log.of('worker-exited'), [{ reason: 'stopped', exitCode: 0 }])
})

t.test('a worker that crashes during a drain is not replaced; its connections count', async (t) => {
  const { server, log, connect } = await serveTroubles(t)
  const busy = await connect()
  busy.get('/wait')
  const crashing = await connect()
  await until(() => server.info().inFlight === 1, 'the request')
  await answer(crashing, '/', /ok/)
  const drained = server.drain()
  await until(() => server.info().workers[0]!.phase === 'draining', 'the drain')
  crashing.get('/crash')
  const result = await drained
  t.notOk(result.drained)
  t.match(log.of('worker-exited'), [{ reason: 'crashed', restartDelayMs: null }])
  t.equal(server.info().connections, 0)
})

t.test('a worker that is starting drains as well', async (t) => {
  const { server, log, connect } = await serveTroubles(t, {}, { setup: 'throw-again' })
  const client = await connect()
  client.get('/exit')
  await log.wait('worker-exited')
  await until(() => server.info().workers[0]!.phase === 'starting', 'the next thread')
  t.strictSame(await server.drain(), { drained: true })
  t.ok(
    log.of('worker-exited').every((event, index) => index === 0 || event.restartDelayMs === null),
  )
})

t.test('listen(): the worker that serves is the calling thread', async (t) => {
  const { server, log } = await listenTroubles(t)
  t.match(server.info().workers, [{ id: 1, threadId: 0, phase: 'accepting', generation: 1 }])
  t.match(log.of('worker-listening'), [{ workerId: 1, threadId: 0, port: server.port }])
})
