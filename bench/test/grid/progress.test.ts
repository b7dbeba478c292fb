import t from 'tap'
import { estimateSeconds, formatDuration, Progress } from '../../src/grid/progress.ts'

t.test('durations', async (t) => {
  t.equal(formatDuration(5), '0:05')
  t.equal(formatDuration(125.4), '2:05')
  t.equal(formatDuration(3725), '1:02:05')
  t.equal(formatDuration(-1), '0:00')
})

t.test('the estimate before the first run counts load and warm-up', async (t) => {
  t.ok(estimateSeconds(10, { seconds: 5, warmUpSeconds: 2 }) >= 70)
})

t.test('the rest is told from the steps so far', async (t) => {
  let nowMs = 0
  const lines: string[] = []
  const progress = new Progress(
    10,
    1000,
    (line) => lines.push(line),
    () => nowMs,
  )
  nowMs = 10_000
  progress.step('first')
  nowMs = 20_000
  progress.step('two left out', 2)
  t.same(lines, [
    '[ 1/10  0:10 elapsed, about 1:30 left]  first',
    '[ 3/10  0:20 elapsed, about 0:47 left]  two left out',
  ])
})
