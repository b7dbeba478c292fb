import t from 'tap'
import { LatencyRecord } from '../../src/drivers/latency-record.ts'

t.test('percentiles are right to three digits, the maximum exactly', async (t) => {
  const record = new LatencyRecord()
  for (let us = 1; us <= 100_000; us++) record.record(us)
  const summary = record.summary()
  for (const [percentile, us] of [
    [summary.p50, 50_000],
    [summary.p90, 90_000],
    [summary.p99, 99_000],
    [summary.p999, 99_900],
    [summary.p9999, 99_990],
    [summary.mean, 50_000],
  ] as const) {
    t.ok(Math.abs(percentile - us) <= us / 500, `${percentile} for ${us}`)
  }
  t.equal(summary.max, 100_000)
  const percentiles = summary.curve.map(([percentile]) => percentile)
  const values = summary.curve.map(([, us]) => us)
  t.same(
    percentiles,
    [...percentiles].sort((a, b) => a - b),
  )
  t.same(
    values,
    [...values].sort((a, b) => a - b),
  )
  t.same(summary.curve.at(-1), [100, 100_000])
})

t.test('nothing recorded, and values out of range', async (t) => {
  const record = new LatencyRecord()
  t.same(record.summary().curve, [])
  t.equal(record.summary().max, 0)
  record.record(-0.4)
  record.record(0.2)
  record.record(1e12)
  t.equal(record.count, 3)
  t.equal(record.percentile(50), 0)
  t.equal(record.max, 3_600_000_000)
})

t.test('records of several processes add up', async (t) => {
  const one = new LatencyRecord()
  const other = new LatencyRecord()
  for (let i = 0; i < 100; i++) one.record(100)
  for (let i = 0; i < 100; i++) other.record(1000)
  const sum = new LatencyRecord()
  sum.add(new LatencyRecord(one.encode()))
  sum.add(new LatencyRecord(other.encode()))
  t.equal(sum.count, 200)
  t.equal(sum.percentile(50), 100)
  t.equal(sum.percentile(51), 1000)
  t.equal(sum.max, 1000)
})
