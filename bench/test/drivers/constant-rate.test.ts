import t from 'tap'
import { LatencyRecord } from '../../src/drivers/latency-record.ts'
import { countAtLeast, get, keepAlive, planned, processPlan, runHere } from './support/plans.ts'
import { startScriptedServer } from './support/scripted-server.ts'

const server = await startScriptedServer()
t.teardown(() => server.close())

const MS = 1000

t.test('a stall shows in the corrected latencies and hides in the uncorrected', async (t) => {
  const connections = 10
  const { corrected, uncorrected, requests, errors, schedule } = await runHere(
    processPlan(server.port, [planned(get('/stall/200/100'))], {
      ...{ shape: keepAlive(connections), rate: 1000, seconds: 0.6 },
    }),
  )
  t.same(errors, {})
  // On a busy machine the run may end with some unsent: they are counted all the same.
  t.equal(schedule?.due, 600)
  t.equal(requests, schedule?.sent)
  const all = new LatencyRecord(corrected)
  t.equal(all.count, 600)
  t.ok(all.max >= 95 * MS, `max ${all.max}`)
  // A hundred were due in the stall, two of them in every 2 ms of it.
  t.ok(all.percentile(99) >= 85 * MS, `p99 ${all.percentile(99)}`)
  t.ok(all.percentile(96) >= 50 * MS, `p96 ${all.percentile(96)}`)
  // On the wire were as many as there are connections. Noise stalls both, in the same relation.
  const slowSeen = countAtLeast(uncorrected, 50 * MS)
  const slowMeant = countAtLeast(corrected, 50 * MS)
  t.ok(slowSeen >= 1, `${slowSeen} uncorrected`)
  t.ok(slowMeant >= 2 * slowSeen, `${slowMeant} corrected, ${slowSeen} uncorrected`)
})

t.test('every request that is due is sent and answered, or counted as unsent', async (t) => {
  for (const shape of [
    keepAlive(8),
    keepAlive(2, 8),
    { kind: 'connection-per-request', connections: 20 },
    { kind: 'connection-storm', burst: 20 },
  ] as const) {
    const before = await server.counts()
    const { corrected, uncorrected, requests, errors, schedule } = await runHere(
      processPlan(server.port, [planned(get('/ok'))], { shape, rate: 200, seconds: 0.3 }),
    )
    const after = await server.counts()
    t.same(errors, {}, shape.kind)
    t.equal(schedule?.due, 60)
    t.equal(requests, schedule?.sent)
    t.ok(requests > 20, `${requests} of 60`)
    t.equal(new LatencyRecord(corrected).count, 60)
    t.equal(new LatencyRecord(uncorrected).count, requests)
    t.equal(after.requests - before.requests, requests)
    if (shape.kind !== 'keep-alive') {
      t.equal(after.connections - before.connections, requests, 'a connection for each')
    }
  }
})

t.test(
  'too few connections for the delay: the rate is not kept, and the wait is counted',
  async (t) => {
    // Two connections and 20 ms make 100 a second at most.
    const { corrected, requests, schedule } = await runHere(
      processPlan(server.port, [planned(get('/delay/20'))], {
        ...{ shape: keepAlive(2), rate: 1000, seconds: 0.6 },
      }),
    )
    t.equal(schedule?.due, 600)
    t.ok((schedule?.sent ?? 600) < 100, `${schedule?.sent} sent`)
    t.ok(requests < 100)
    t.equal(schedule?.isBacklogGrowing, true)
    const all = new LatencyRecord(corrected)
    t.equal(all.count, 600, 'those never sent are in, with what they had waited')
    t.ok(all.percentile(50) >= 250 * MS, `p50 ${all.percentile(50)}`)
  },
)

t.test('a low rate sleeps between the requests', async (t) => {
  const { requests, schedule } = await runHere(
    processPlan(server.port, [planned(get('/ok'))], { rate: 20, seconds: 0.5 }),
  )
  t.equal(schedule?.due, 10)
  t.ok(requests <= 10)
  t.ok((schedule?.idleShare ?? 0) > 0.2, `${schedule?.idleShare}`)
})
