import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { type ResultFile, readResultFile, writeResultFile } from '../../src/grid/result-file.ts'
import { compareResults, whyIncomparable } from '../../src/report/comparison.ts'
import { renderComparison } from '../../src/report/comparison-text.ts'
import { around, type SampleRun, sampleResult, sampleRuns } from './sample-result.ts'

const COMPARE = fileURLToPath(new URL('../../src/compare.ts', import.meta.url))
const PEAK = { scenario: 'hello', fraction: null, rate: null }

/** A result with closed-loop rounds of these servers. */
function resultOf(servers: Readonly<Record<string, readonly SampleRun[]>>): ResultFile {
  const runs = Object.entries(servers).flatMap(([server, rounds]) =>
    sampleRuns({ ...PEAK, server }, rounds),
  )
  return sampleResult({ runs })
}

/** `rr cpu slower` and so on. */
const verdicts = (base: ResultFile, head: ResultFile): string[] =>
  compareResults(base, head).map(({ server, metric, verdict }) => `${server} ${metric} ${verdict}`)

t.test('past the noise of both files it is flagged, for better and for worse', async (t) => {
  // The rounds are 2 % apart in each file, so 4 % is noise.
  const base = resultOf({ rr: around(100_000, 10) })
  t.same(verdicts(base, resultOf({ rr: around(90_000, 11) })), ['rr cpu slower', 'rr rps slower'])
  t.same(verdicts(base, resultOf({ rr: around(110_000, 9) })), ['rr cpu faster', 'rr rps faster'])
  t.same(verdicts(base, resultOf({ rr: around(98_000, 10.3) })), ['rr cpu same', 'rr rps same'])
})

t.test('wide rounds hide what narrow ones show', async (t) => {
  const wide = [9, 10, 12].map((cpuMicroseconds) => ({ rps: 100_000, cpuMicroseconds }))
  const head = resultOf({ rr: around(100_000, 11) })
  t.same(verdicts(resultOf({ rr: wide }), head), ['rr cpu same', 'rr rps same'])
})

t.test('a machine that got slower altogether is nobody’s fault', async (t) => {
  const base = resultOf({ rr: around(100_000, 10), 'node-http': around(80_000, 12) })
  const head = resultOf({ rr: around(80_000, 12.5), 'node-http': around(64_000, 15) })
  t.same(verdicts(base, head), [
    'rr cpu same',
    'rr rps same',
    'node-http cpu not judged',
    'node-http rps not judged',
  ])
  const [cpu] = compareResults(base, head)
  t.equal(cpu?.ratio.toFixed(3), '1.250')
  t.equal(cpu?.judgedRatio.toFixed(3), '1.000')
  t.match(renderComparison(compareResults(base, head), base, head), /node-http itself moved by/)
})

t.test('with fewer than three rounds nothing is judged', async (t) => {
  const few = (cpu: number): ResultFile => resultOf({ rr: around(100_000, cpu).slice(0, 2) })
  t.same(verdicts(few(10), few(20)), ['rr cpu not judged', 'rr rps not judged'])
})

t.test('at a constant rate it is CPU and corrected p99, not throughput', async (t) => {
  const at = { scenario: 'hello', server: 'rr', fraction: 0.75, rate: 75_000 }
  const of = (p50: number): ResultFile =>
    sampleResult({ runs: sampleRuns(at, around(75_000, 10, p50)) })
  t.same(verdicts(of(400), of(500)), ['rr cpu same', 'rr p99 slower'])
})

t.test('rows of one file only are not compared', async (t) => {
  const base = resultOf({ rr: around(100_000, 10) })
  const head = resultOf({ fastify: around(100_000, 10) })
  t.same(verdicts(base, head), [])
  t.match(renderComparison([], base, head), /no row in common/)
})

t.test('other machines and other ways of measuring are told', async (t) => {
  const base = sampleResult()
  t.same(whyIncomparable(base, sampleResult({ startedAt: '2026-02-02T00:00:00.000Z' })), [])
  const machine = { ...base.machine, cpuModel: 'Other CPU' }
  t.same(whyIncomparable(base, sampleResult({ machine })), ['CPU model: Sample CPU and Other CPU'])
  const options = { ...base.options, workers: 2 }
  t.same(whyIncomparable(base, sampleResult({ options })), ['workers: 1 and 2'])
  const memoryBytes = base.machine.memoryBytes - 1024 * 1024
  t.same(whyIncomparable(base, sampleResult({ machine: { ...base.machine, memoryBytes } })), [])
})

t.test('the command: 0, 1 when something got slower, 2 when it cannot compare', async (t) => {
  const folder = t.testdir({ 'other.json': '{}' })
  const write = (name: string, result: ResultFile): string => {
    const path = join(folder, name)
    writeResultFile(path, result)
    return path
  }
  const run = (...parameters: string[]): { status: number | null; text: string } => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [COMPARE, ...parameters], {
      encoding: 'utf8',
    })
    return { status, text: stdout + stderr }
  }
  const base = write('base.json', resultOf({ rr: around(100_000, 10) }))
  const slow = resultOf({ rr: around(100_000, 12) })
  const head = write('head.json', slow)
  const machine = { ...slow.machine, cpuModel: 'Other CPU' }
  const elsewhere = write('elsewhere.json', { ...slow, machine })
  t.equal(run(base, base).status, 0)
  t.match(run(base, head), { status: 1, text: /rr .*SLOWER/ })
  t.match(run(base, elsewhere), { status: 2, text: /CPU model.*\n.*--force/ })
  t.equal(run(base, elsewhere, '--force').status, 1)
  t.match(run(base), { status: 2, text: /Usage/ })
  t.match(run(base, join(folder, 'other.json')), { status: 2, text: /not a result file/ })
})

t.test('a file of another schema is refused', async (t) => {
  const path = join(t.testdir({}), 'old.json')
  writeResultFile(path, sampleResult())
  t.same(readResultFile(path), sampleResult())
  writeResultFile(path, { ...sampleResult(), schema: 0 as 1 })
  t.throws(() => readResultFile(path), /schema 0; this version reads schema 1/)
})
