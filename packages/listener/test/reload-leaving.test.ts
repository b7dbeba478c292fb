// Old workers that leave in a reload, while something else happens to their successors.

import t from 'tap'
import { answer, serveTroubles } from './support/test-server.ts'
import { until } from './support/until.ts'

t.test('the old worker may end while a new one that has crashed is waited for', async (t) => {
  const { server, log, counters, connect } = await serveTroubles(t, { workers: 1 })
  const busy = await connect()
  busy.get('/wait')
  await until(() => server.info().inFlight === 1, 'the request')
  const reloaded = server.reload({ timeoutMs: 60_000 })
  await until(() => server.info().workers[0]!.leaving === 1, 'the old worker to leave')
  // Each crash doubles the time in which nobody serves.
  for (let crash = 1; crash <= 4; crash++) {
    await log.wait('worker-listening', crash + 1)
    ;(await connect()).get('/exit')
    await log.wait('worker-exited', crash)
  }
  counters.add('released')
  await busy.expect(/waited/)
  busy.close()
  t.match(await reloaded, { replaced: 1, remaining: 0 })
  t.match(log.of('worker-exited')[4], { reason: 'replaced', generation: 1, restartDelayMs: null })
  await log.wait('worker-listening', 6)
  await answer(await connect(), '/', /ok/)
  t.match(server.info().workers[0], { generation: 6, restartInMs: null, leaving: 0 })
  await server.drain()
  t.equal(log.of('worker-listening').length, 6, 'no other was started')
})

t.test('a second reload or a drain with more time leaves the first its deadline', async (t) => {
  const { server, log, connect } = await serveTroubles(t, { workers: 1 })
  const busy = await connect()
  busy.get('/block?100000')
  await until(() => server.info().inFlight === 1, 'the request')
  const first = server.reload({ timeoutMs: 0 })
  await until(() => server.info().workers[0]!.leaving === 1, 'the old worker to leave')
  const second = server.reload({ timeoutMs: 60_000 })
  const drained = server.drain({ timeoutMs: 60_000 })
  t.match(await first, { remaining: 1 })
  await t.rejects(second)
  t.same(await drained, { drained: false, remaining: 1 })
  t.equal(log.of('warning').filter(({ code }) => code === 'RR_WORKER_TERMINATED').length, 1)
})
