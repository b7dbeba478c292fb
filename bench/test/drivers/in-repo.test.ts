import { availableParallelism } from 'node:os'
import t from 'tap'
import { createInRepoDriver, DRIVERS } from '../../src/drivers/index.ts'
import { isDriverBound, isShort } from '../../src/drivers/verdict.ts'
import { expecting, get, keepAlive, loadPlan } from './support/plans.ts'
import { startScriptedServer } from './support/scripted-server.ts'

const server = await startScriptedServer()
t.teardown(() => server.close())
const driver = createInRepoDriver(2000)

t.test('every driver says what it is', async (t) => {
  t.same(
    DRIVERS.map(({ name }) => name),
    ['wrk', 'wrk2', 'in-repo'],
  )
  for (const one of DRIVERS) {
    const probe = await one.probe()
    t.ok('version' in probe ? probe.version : probe.missing)
  }
})

t.test('closed loop in a process of its own', async (t) => {
  const plan = loadPlan(server.port, { requests: [expecting(), expecting(get('/chunked'))] })
  const before = await server.counts()
  const result = await driver.run(plan)
  const after = await server.counts()
  t.same(result.errors, {})
  t.equal(after.requests - before.requests, result.requests)
  t.equal(result.corrected, null)
  t.equal(result.isSaturated, false)
  t.equal(result.schedule, undefined)
  t.ok(result.seconds >= plan.seconds)
  t.ok(result.driverCpu > 0)
  t.ok(result.uncorrected.p50 > 0)
})

t.test('constant rate, on as many processes as CPUs', async (t) => {
  const cpus = Array.from({ length: availableParallelism() }, (_, cpu) => cpu).slice(0, 2)
  const plan = loadPlan(server.port, { shape: keepAlive(5) }, { rate: 200, seconds: 0.5, cpus })
  const before = await server.counts()
  const result = await driver.run(plan)
  const after = await server.counts()
  t.same(result.errors, {})
  t.ok(result.requests > 50 && result.requests <= 100, `${result.requests} of 100`)
  t.equal(after.requests - before.requests, result.requests)
  t.equal(after.connections - before.connections, 5)
  t.equal(result.corrected?.curve.at(-1)?.[1], result.corrected?.max)
  t.ok(result.schedule !== undefined)
})

t.test('a rate that cannot be kept is marked', async (t) => {
  const requests = [expecting(get('/delay/30'))]
  const { isSaturated } = await driver.run(loadPlan(server.port, { requests }, { rate: 1000 }))
  t.equal(isSaturated, true)
})

t.test('the first answers are checked byte for byte', async (t) => {
  const wrong = await driver.run(loadPlan(server.port, { requests: [expecting(get('/ok'), 'no')] }))
  t.equal(wrong.errors['body'], 2, 'of the right length, so only the samples tell')
  const { request, answer } = expecting()
  const checkBody = (body: Uint8Array): string | null => (body.length === 2 ? 'is bad' : null)
  const checked = [{ request, answer: { ...answer, body: null, checkBody } }]
  const judged = await driver.run(loadPlan(server.port, { requests: checked }))
  t.equal(judged.errors['body'], 2)
})

t.test('a process that cannot start is an error', async (t) => {
  await t.rejects(driver.run(loadPlan(server.port, {}, { cpus: [1023] })))
})

t.test('verdicts', async (t) => {
  t.equal(isDriverBound(0.96, null), true)
  t.equal(isDriverBound(0.9, null), false)
  const schedule = { lateP50: 5, lateP99: 50, lateMax: 5000, idleShare: 0.5 }
  t.equal(isDriverBound(1, schedule), false, 'it spins')
  t.equal(isDriverBound(1, { ...schedule, idleShare: 0.01 }), true)
  t.equal(isDriverBound(0.5, { ...schedule, lateP99: 2000 }), true)
  t.equal(isShort(989, 1000), true)
  t.equal(isShort(990, 1000), false)
})
