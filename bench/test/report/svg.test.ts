import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { resultPlots } from '../../src/report/plots.ts'
import { renderSvg } from '../../src/report/svg.ts'
import { writeReport } from '../../src/report/write-report.ts'
import { sampleResult } from './sample-result.ts'

t.test('one plot each for throughput and CPU, one per scenario for latency', async (t) => {
  t.same(
    resultPlots(sampleResult()).map(({ file, scenario }) => [file, scenario]),
    [
      ['plots/throughput.svg', null],
      ['plots/cpu-per-request.svg', null],
      ['plots/latency-hello.svg', 'hello'],
    ],
  )
})

t.test('the page links the plots, and those of an earlier page are gone', async (t) => {
  const folder = t.testdir({ plots: { 'latency-old.svg': '', 'kept.txt': '' } })
  await writeReport(sampleResult(), folder)
  const page = readFileSync(join(folder, 'results.md'), 'utf8')
  const linked = [...page.matchAll(/\]\(plots\/([^)]+)\)/g)].map((match) => match[1])
  t.same(readdirSync(join(folder, 'plots')).sort(), ['kept.txt', ...linked].sort())
})

t.test('drawn twice it is the same file, on a background of its own', async (t) => {
  for (const { spec, file } of resultPlots(sampleResult())) {
    const svg = await renderSvg(spec)
    t.equal(svg, await renderSvg(spec), file)
    t.match(svg, /^<svg [^>]*viewBox="0 0 \d+ \d+"><rect [^>]*fill="#ffffff"/)
    t.notMatch(svg, /NaN|Infinity|undefined/)
  }
})

t.test('bars say their figure, and why there is none', async (t) => {
  const [throughput] = resultPlots(sampleResult())
  if (throughput === undefined) throw new Error('no plot')
  const svg = await renderSvg(throughput.spec)
  for (const label of ['100,000', '80,000', 'missing', 'wrong']) t.match(svg, `>${label}</text>`)
})

t.test('latency is drawn over 90, 99, 99.9 on a log axis, in both views', async (t) => {
  const latency = resultPlots(sampleResult()).find(({ scenario }) => scenario === 'hello')
  if (latency === undefined) throw new Error('no plot')
  const svg = await renderSvg(latency.spec)
  for (const label of ['90', '99', '99.9', 'corrected', 'uncorrected', '75 % saturated']) {
    t.match(svg, `>${label}</t`)
  }
})
