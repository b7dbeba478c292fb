import t from 'tap'
import { wrkDriver } from '../../src/drivers/wrk.ts'
import { wrkScript } from '../../src/drivers/wrk-script.ts'
import { wrk2Driver } from '../../src/drivers/wrk2.ts'
import type { LoadPlan } from '../../src/model.ts'
import { expecting, get, keepAlive, loadPlan } from './support/plans.ts'
import { startScriptedServer } from './support/scripted-server.ts'

const body = new Uint8Array(300).fill(97)
const chunked = get('/echo', { method: 'POST', body, bodyMode: 'chunked' })

t.test('one request is ready-made, a list is walked through in Lua', async (t) => {
  const one = wrkScript(loadPlan(80, {}))
  t.match(one, /wrk\.format = function\(\) return batches\[1\] end/)
  t.notMatch(one, /^request = /m)
  t.match(one, /"GET \/ok HTTP\/1\.1\\013\\010Host: 127\.0\.0\.1\\013\\010\\013\\010"/)
  const two = wrkScript(loadPlan(80, { requests: [expecting(), expecting(get('/b'))] }))
  t.match(two, /^request = function/m)
})

t.test('any byte survives', async (t) => {
  const all = Uint8Array.from({ length: 256 }, (_, byte) => byte)
  const script = wrkScript(loadPlan(80, { requests: [expecting(get('/', { body: all }))] }))
  const [, text = ''] = /^ {2}"(.*)",$/m.exec(script) ?? []
  const bytes = text.replace(/\\(\d{3})/g, (_, code) => String.fromCharCode(Number(code)))
  t.equal(bytes.slice(-256), Buffer.from(all).toString('latin1'))
})

t.test('pipelined batches go evenly through the list', async (t) => {
  const requests = ['/a', '/b', '/c'].map((target) => expecting(get(target)))
  const script = wrkScript(loadPlan(80, { requests, shape: keepAlive(1, 4) }))
  const batches = script.split('\n').filter((line) => line.startsWith('  "GET'))
  const targets = batches.map((batch) => [...batch.matchAll(/GET \/(\w)/g)].map(([, name]) => name))
  t.same(
    targets.map((names) => names.join('')),
    ['abca', 'bcab', 'cabc'],
  )
})

t.test('what wrk and wrk2 leave to the in-repo driver', async (t) => {
  const closed = (plan: LoadPlan): boolean => wrkDriver.can(plan)
  const constant = (plan: LoadPlan): boolean => wrk2Driver.can({ ...plan, rate: 100 })
  const plain = loadPlan(80, {})
  t.same([closed(plain), constant(plain)], [true, true])
  t.same([wrkDriver.can({ ...plain, rate: 100 }), wrk2Driver.can(plain)], [false, false])
  const pipelined = loadPlan(80, { shape: keepAlive(2, 16) })
  t.same([closed(pipelined), constant(pipelined)], [true, false])
  const perRequest = loadPlan(80, { shape: { kind: 'connection-per-request', connections: 2 } })
  t.same([closed(perRequest), constant(perRequest)], [true, false])
  for (const scenario of [
    { requests: [expecting(get('/', { method: 'HEAD' }))] },
    { requests: [expecting(get('/'), null, 304)] },
    { requests: [expecting(get('/', { body, bodyMode: 'expect-continue' }))] },
    { requests: [expecting(get('/', { body: new Uint8Array(20 * 1024 * 1024) }))] },
    { shape: { kind: 'connection-storm', burst: 2 } },
    { shape: { kind: 'slow-clients', connections: 2, slow: 2 } },
    { shape: { kind: 'event-stream', connections: 2 } },
  ] as const) {
    t.equal(closed(loadPlan(80, scenario)), false, Object.keys(scenario).join())
  }
})

const probe = await wrkDriver.probe()
const skip = 'missing' in probe ? probe.missing : false

t.test('wrk sends the requests of the scenario', { skip }, async (t) => {
  const server = await startScriptedServer()
  t.teardown(() => server.close())
  const requests = [expecting(), expecting(chunked, '300')]
  const plan = loadPlan(server.port, { requests, shape: keepAlive(1) }, { seconds: 1 })
  const { errors, requests: count, uncorrected, driverCpu } = await wrkDriver.run(plan)
  const { first } = await server.counts()
  t.same(errors, {})
  t.ok(count > 0)
  t.ok(uncorrected.p9999 <= uncorrected.max)
  t.ok(uncorrected.p50 > 0)
  t.ok(driverCpu >= 0)
  // It makes one request up to see whether it is one, and sends it to nobody.
  t.same(new Set(first), new Set(['GET /ok 0', 'POST /echo 300']))
})
