import t from 'tap'
import { answer, serveTroubles } from './support/test-server.ts'
import { until } from './support/until.ts'

t.test('a worker that stands still is reported once, and when it goes on', async (t) => {
  const { server, log, connect } = await serveTroubles(t, { stallTimeoutMs: 400 })
  const client = await connect()
  client.get('/block?1500')
  const stalled = await log.wait('worker-stalled')
  t.match(stalled, { workerId: 1, isReplaced: false })
  t.ok(stalled.stalledMs > 400)
  t.equal(server.info().workers[0]!.isStalled, true, 'info() answers while it is stuck')
  const recovered = await log.wait('worker-recovered')
  t.ok(recovered.stalledMs >= 1400, `${recovered.stalledMs} ms`)
  await client.expect(/blocked/)
  t.equal(log.of('worker-stalled').length, 1)
  t.equal(log.of('worker-exited').length, 0)
  t.equal(server.info().workers[0]!.isStalled, false)
})

t.test('a stalled worker is replaced where so configured', async (t) => {
  const options = { stallTimeoutMs: 400, replaceStalled: true, maxConnections: 2 }
  const { server, log, connect } = await serveTroubles(t, options)
  const client = await connect()
  client.get('/block?600000')
  t.match(await log.wait('worker-stalled'), { isReplaced: true })
  t.match(await log.wait('worker-exited'), { reason: 'stalled', connectionsLost: 1 })
  await log.wait('worker-listening', 2)
  t.equal(server.info().connections, 0)
  await answer(await connect(), '/', /ok/)
  t.equal(log.of('worker-recovered').length, 0)
})

t.test('an idle worker and a busy one are well', async (t) => {
  const { server, log, connect } = await serveTroubles(t, { stallTimeoutMs: 400 })
  const client = await connect()
  const endMs = server.info().uptimeMs + 1500
  await until(() => server.info().uptimeMs > endMs, 'time to pass idle')
  for (let count = 0; count < 200; count++) await answer(client, '/', /ok/)
  t.strictSame(log.of('worker-stalled'), [])
})

t.test('0 turns the watch off', async (t) => {
  const { log, connect } = await serveTroubles(t, { stallTimeoutMs: 0 })
  const client = await connect()
  await answer(client, '/block?1000', /blocked/)
  t.strictSame(log.of('worker-stalled'), [])
})
