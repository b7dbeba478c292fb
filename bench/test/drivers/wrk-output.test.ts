import { readFileSync } from 'node:fs'
import t from 'tap'
import { parseChildTimes } from '../../src/drivers/program.ts'
import { wrkErrors } from '../../src/drivers/wrk.ts'
import { parseTimeUs, parseWrk } from '../../src/drivers/wrk-output.ts'
import { parseWrk2 } from '../../src/drivers/wrk2.ts'
import { expecting, get, keepAlive, loadPlan } from './support/plans.ts'

// Every fixture is what the program itself printed: wrk 4.1.0 and wrk2 4.0.0.
const fixture = (name: string): string =>
  readFileSync(new URL(`fixtures/${name}.txt`, import.meta.url), 'utf8')

t.test('wrk: requests, rate and every kind of error are read', async (t) => {
  const broken = parseWrk(fixture('wrk-broken'))
  t.equal(broken.requests, 41_309)
  t.equal(broken.requestsPerSecond, 20_608.19)
  t.same(broken.errors, { read: 15, write: 51_411, status: 41_309 })
  t.equal(broken.latency, null, 'printed without --latency')
})

t.test('wrk: latencies in its own words', async (t) => {
  const { requests, errors, latency } = parseWrk(fixture('wrk-plain'))
  t.equal(requests, 17_193)
  t.same(errors, { status: 17_193 })
  t.equal(latency?.p50, 221)
  t.equal(latency?.p90, 12_510)
  t.equal(latency?.p99, 51_850)
  t.ok(Number.isNaN(latency?.p999), 'not printed, so not known')
  t.equal(latency?.mean, 4010)
  t.equal(latency?.max, 64_390)
})

t.test('wrk: latencies in those of the script, which are finer', async (t) => {
  const { requests, errors, latency } = parseWrk(fixture('wrk-script'))
  t.equal(requests, 21_239)
  t.same(errors, {})
  const { curve = [], ...summary } = latency ?? {}
  t.same(summary, {
    ...{ p50: 226, p90: 2572, p99: 10_503, p999: 18_618, p9999: 19_774 },
    ...{ max: 19_777, mean: 961.362 },
  })
  t.equal(curve.length, 17)
  t.same(curve.at(-1), [100, 19_777])
})

t.test('wrk and wrk2: anything else is an error, not a result', async (t) => {
  t.throws(() => parseWrk('unable to connect to 127.0.0.1:8090 Connection refused'))
  t.throws(() => parseWrk2('unable to connect to 127.0.0.1:8090 Connection refused'))
  t.throws(() => parseWrk2(fixture('wrk-script')), 'a run without both histograms')
})

t.test('wrk2: both histograms of a run that kept its rate', async (t) => {
  const { requests, requestsPerSecond, errors, corrected, uncorrected } = parseWrk2(
    fixture('wrk2-kept'),
  )
  t.equal(requests, 27_967)
  t.equal(requestsPerSecond, 1997.65)
  t.same(errors, {})
  t.equal(corrected.p50, 960)
  t.equal(corrected.p99, 12_850)
  t.equal(corrected.p999, 23_500)
  t.equal(corrected.p9999, 25_550)
  t.ok(uncorrected.p50 < corrected.p50)
  for (const { curve, max, p9999 } of [corrected, uncorrected]) {
    t.ok(curve.length > 40)
    t.equal(curve[0]?.[0], 0)
    t.equal(curve.at(-1)?.[0], 100)
    t.ok(p9999 <= max)
  }
})

t.test('wrk2: a saturated run', async (t) => {
  const { requests, requestsPerSecond, corrected, uncorrected } = parseWrk2(
    fixture('wrk2-saturated'),
  )
  t.equal(requests, 2306)
  t.equal(requestsPerSecond, 191.92, 'of 400 asked')
  t.equal(corrected.p50, 5_700_000)
  t.ok(corrected.max >= 6_000_000)
  t.ok(uncorrected.max < 100_000, 'each answer took 20 ms')
})

t.test('wrk2: answers that are errors to it', async (t) => {
  const output = parseWrk2(fixture('wrk2-not-found'))
  t.same(output.errors, { status: 601 })
  t.equal(output.corrected.p50, 829)
  t.equal(output.corrected.mean, 1233)
  t.equal(output.corrected.max, 29_056)
  t.equal(output.uncorrected.p50, 80)
  t.equal(output.uncorrected.max, 28_496)
})

t.test('answers of 400 and above are errors only where none were asked for', async (t) => {
  const missing = expecting(get('/nope'), 'no', 404)
  const errorsOf = (requests: ReturnType<typeof expecting>[], status: number, all = 1000) => {
    const { scenario } = loadPlan(1, { requests, shape: keepAlive(8) })
    const counts = { requests: all, requestsPerSecond: all, errors: { read: 1, status } }
    return wrkErrors(scenario, counts)
  }
  t.same(errorsOf([expecting()], 3), { read: 1, status: 3 })
  t.same(errorsOf([missing], 1000), { read: 1 })
  t.same(errorsOf([missing], 990), { read: 1, status: 10 })
  t.same(errorsOf([missing, expecting()], 497), { read: 1 }, 'the list was left in its midst')
  t.same(errorsOf([missing, expecting()], 600), { read: 1, status: 90 })
})

t.test('units of time, and what a shell says of CPU time', async (t) => {
  t.same(['5.00us', '1.5ms', '2s', '1.50m', '1h'].map(parseTimeUs), [
    ...[5, 1500, 2_000_000, 90_000_000, 3_600_000_000],
  ])
  t.throws(() => parseTimeUs('5 parsecs'))
  t.equal(parseChildTimes('0m0.001s 0m0.002s\n1m2.500s 0m0.250s\n'), 62.75)
})
