import { readFileSync } from 'node:fs'
import t from 'tap'
import { resultPlots } from '../../src/report/plots.ts'
import { renderResultsPage } from '../../src/report/results-page.ts'
import { around, sampleResult, sampleRuns } from './sample-result.ts'

const EXPECTED = readFileSync(new URL('expected-results.md', import.meta.url), 'utf8')

t.test('the page is what it was', async (t) => {
  const result = sampleResult()
  t.equal(renderResultsPage(result, resultPlots(result)), EXPECTED)
})

t.test('the page survives the way through a file', async (t) => {
  const result = JSON.parse(JSON.stringify(sampleResult()))
  t.equal(renderResultsPage(result, resultPlots(result)), EXPECTED)
})

t.test('what weakens the figures stands at the top', async (t) => {
  const { options, commit } = sampleResult()
  const page = renderResultsPage(
    sampleResult({
      isPartial: true,
      options: { ...options, rounds: 1 },
      commit: { hash: commit?.hash ?? '', isDirty: true },
    }),
    [],
  )
  t.match(page, /interrupted: rows are missing/)
  t.match(page, /Fewer than three rounds/)
  t.match(page, /changes that are in no commit/)
})

t.test('a run that failed is told, not left out', async (t) => {
  const at = { scenario: 'hello', server: 'rr', fraction: null, rate: null }
  const [first] = sampleRuns(at, around(100, 9))
  if (first === undefined) throw new Error('no run')
  const failed = { ...first, round: 2, measured: null, failure: 'rr ended under load' }
  const some = renderResultsPage(sampleResult({ runs: [first, failed] }), [])
  t.match(some, /\| rr \| 100 \|.*\| 1 failed: rr ended under load \|/)
  const none = renderResultsPage(sampleResult({ runs: [failed] }), [])
  t.match(none, /\| rr \| — \| — \|.*\| 1 failed: rr ended under load \|/)
})

t.test('a result without runs is a page too', async (t) => {
  const result = sampleResult({ runs: [] })
  t.same(resultPlots(result), [])
  t.match(renderResultsPage(result, []), /# Benchmark results/)
})
