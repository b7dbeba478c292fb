import t from 'tap'
import { StallWatch } from '../src/stall-watch.ts'

const TIMEOUT_MS = 10_000

function run(steps: readonly [nowMs: number, heartbeatMs: number][]): unknown[] {
  const watch = new StallWatch(TIMEOUT_MS)
  return steps.map(([nowMs, heartbeatMs]) => watch.check(nowMs, [{ workerId: 1, heartbeatMs }]))
}

t.test('reports a stall once, and its end', async (t) => {
  const reports = run([
    [1000, 900],
    [2000, 900],
    [6000, 900],
    [10_900, 900],
    [10_901, 900],
    [12_000, 900],
    [15_000, 14_900],
    [16_000, 15_900],
  ])
  t.strictSame(reports, [
    [],
    [],
    [],
    [],
    [{ workerId: 1, stalledMs: 10_001, isStalled: true }],
    [],
    [{ workerId: 1, stalledMs: 14_000, isStalled: false }],
    [],
  ])
})

t.test('a worker that stalls again is reported again', async (t) => {
  const reports = run([
    [11_000, 500],
    [12_000, 12_000],
    [22_500, 12_000],
  ])
  t.strictSame(
    reports.map((changes) => (changes as { isStalled: boolean }[]).map((c) => c.isStalled)),
    [[true], [false], []],
  )
  t.equal(
    (
      run([
        [11_000, 500],
        [12_000, 12_000],
        [16_000, 12_000],
        [22_500, 12_000],
      ])[3] as []
    ).length,
    0,
  )
})

t.test('each worker is judged by itself; one that has ended is forgotten', async (t) => {
  const watch = new StallWatch(TIMEOUT_MS)
  const changes = watch.check(20_000, [
    { workerId: 1, heartbeatMs: 19_900 },
    { workerId: 2, heartbeatMs: 5000 },
  ])
  t.match(changes, [{ workerId: 2, isStalled: true }])
  t.ok(watch.isStalled(2))
  t.notOk(watch.isStalled(1))
  watch.forget(2)
  t.notOk(watch.isStalled(2))
  t.strictSame(watch.check(21_000, [{ workerId: 2, heartbeatMs: 20_500 }]), [])
})

t.test('nothing is concluded when the watching thread stood still itself', async (t) => {
  const watch = new StallWatch(TIMEOUT_MS)
  watch.check(1000, [{ workerId: 1, heartbeatMs: 900 }])
  t.strictSame(watch.check(60_000, [{ workerId: 1, heartbeatMs: 1400 }]), [], 'process suspended')
  t.equal(watch.check(61_000, [{ workerId: 1, heartbeatMs: 1400 }]).length, 1, 'and still silent')
})

t.test('intervals follow from the time limit', async (t) => {
  t.match(new StallWatch(10_000), { intervalMs: 1000, heartbeatIntervalMs: 500 })
  t.match(new StallWatch(1000), { intervalMs: 250, heartbeatIntervalMs: 250 })
  t.match(new StallWatch(1), { intervalMs: 20, heartbeatIntervalMs: 100 })
})
