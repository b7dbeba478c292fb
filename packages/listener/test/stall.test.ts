import t from 'tap'
import { answer, serveTroubles } from './support/test-server.ts'
import { until } from './support/until.ts'

/** More than a machine under load is likely to keep a healthy worker from running. */
const LIMIT = { stallTimeoutMs: 1500 }

t.test('a worker that stands still is reported once, and when it goes on', async (t) => {
  const { server, log, counters, connect } = await serveTroubles(t, LIMIT)
  const client = await connect()
  client.get('/block-until-released')
  const stalled = await log.wait('worker-stalled')
  t.match(stalled, { workerId: 1, isReplaced: false })
  t.ok(stalled.stalledMs > LIMIT.stallTimeoutMs)
  t.equal(server.info().workers[0]!.isStalled, true, 'info() answers while it is stuck')
  counters.add('released')
  const recovered = await log.wait('worker-recovered')
  t.ok(recovered.stalledMs >= stalled.stalledMs, `${recovered.stalledMs} ms`)
  await client.expect(/blocked/)
  t.equal(log.of('worker-stalled').length, 1)
  t.equal(log.of('worker-exited').length, 0)
  t.equal(server.info().workers[0]!.isStalled, false)
})

t.test('a stalled worker is replaced where so configured', async (t) => {
  const options = { ...LIMIT, replaceStalled: true, maxConnections: 2 }
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
  const { server, log, connect } = await serveTroubles(t, LIMIT)
  const client = await connect()
  const seen = new Set<number>()
  const beat = (): number => {
    const { uptimeMs, workers } = server.info()
    return seen.add(uptimeMs - workers[0]!.heartbeatAgeMs!).size
  }
  await until(() => beat() > 4, 'heartbeats while idle')
  while (beat() < 9) await answer(client, '/', /ok/)
  t.strictSame(log.of('worker-stalled'), [])
})

t.test('0 turns the watch off', async (t) => {
  const { log, connect } = await serveTroubles(t, { stallTimeoutMs: 0 })
  const client = await connect()
  await answer(client, '/block?1000', /blocked/)
  t.strictSame(log.of('worker-stalled'), [])
})
