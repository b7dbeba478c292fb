import t from 'tap'
import { parseProcessStat } from '../src/grid/process-tree.ts'
import { median, spread } from '../src/median.ts'

t.test('/proc/PID/stat: a name with spaces and parentheses shifts no field', async (t) => {
  const rest = 'S 1 1 1 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 11 0 5 1 1 1'
  t.equal(parseProcessStat(`4242 (a b) c) ${rest}`).ticks, 300)
  t.throws(() => parseProcessStat('4242 (a) S 1'))
})

t.test('median and spread', async (t) => {
  t.equal(median([3, 1, 2]), 2)
  t.equal(median([4, 1, 2, 3]), 2.5)
  t.ok(Number.isNaN(median([])))
  t.equal(spread([0.5, 0.25]), '0.250 to 0.500')
})
