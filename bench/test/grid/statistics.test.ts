import t from 'tap'
import { pairedRatios, relativeRange, summarize } from '../../src/grid/statistics.ts'

t.test('rounds become median, smallest and largest', async (t) => {
  t.same(summarize([3, 1, 2]), { median: 2, min: 1, max: 3, count: 3 })
  t.same(summarize([4, 1]), { median: 2.5, min: 1, max: 4, count: 2 })
  t.equal(summarize([]), null, 'nothing measured is no figure')
})

t.test('a ratio is taken within a round, not between medians', async (t) => {
  // The machine was twice as slow in round 2; the servers were equally far apart all the time.
  const values = new Map([
    [1, 10],
    [2, 20],
    [3, 11],
  ])
  const references = new Map([
    [1, 20],
    [2, 40],
    [3, 22],
  ])
  t.same([...pairedRatios(values, references).values()], [0.5, 0.5, 0.5])
})

t.test('a round that one of the two did not finish has no ratio', async (t) => {
  const values = new Map([
    [1, 1],
    [3, 3],
  ])
  const references = new Map([
    [2, 2],
    [3, 6],
  ])
  t.same([...pairedRatios(values, references)], [[3, 0.5]])
})

t.test('the range of the rounds is relative to their median', async (t) => {
  t.equal(relativeRange({ median: 100, min: 95, max: 105, count: 3 }), 0.1)
  t.equal(relativeRange({ median: 0, min: 0, max: 0, count: 3 }), 0)
})
