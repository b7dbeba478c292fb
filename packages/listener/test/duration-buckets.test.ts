import t from 'tap'
import {
  DURATION_BOUNDS,
  DURATION_CELLS,
  durationCell,
  FINE_CELLS,
  fineCell,
  fineCellMs,
} from '../src/duration-buckets.ts'

t.test('a duration is in the cell of the first bound that it is not above', async (t) => {
  for (const [cell, bound] of DURATION_BOUNDS.entries()) {
    const boundMs = bound * 1000
    t.equal(durationCell(boundMs * 0.999), cell, `below ${bound}`)
    t.equal(durationCell(boundMs), cell, `at ${bound}`)
    t.equal(durationCell(boundMs * 1.001), cell + 1, `above ${bound}`)
  }
  t.equal(durationCell(0), 0)
  t.equal(durationCell(Number.POSITIVE_INFINITY), DURATION_CELLS - 1)
  t.strictSame(
    [...DURATION_BOUNDS].sort((one, two) => one - two),
    DURATION_BOUNDS,
  )
})

t.test(
  'the middle of a fine cell is at most 3.2 % off, from 16 microseconds to 35 minutes',
  async (t) => {
    let worst = 0
    let last = 0
    for (let ms = 0.016; ms < 2_147_483; ms *= 1.003) {
      const cell = fineCell(ms)
      t.ok(cell >= last && cell < FINE_CELLS, `${ms}`)
      last = cell
      worst = Math.max(worst, Math.abs(fineCellMs(cell) / (Math.floor(ms * 1000) / 1000) - 1))
    }
    t.ok(worst < 0.0323, `${worst}`)
  },
)

t.test('fine cells follow each other without a gap', async (t) => {
  for (let cell = 0; cell < FINE_CELLS; cell++) t.equal(fineCell(fineCellMs(cell)), cell)
})

t.test('what is no duration of this world does no harm', async (t) => {
  t.equal(fineCell(-1), 0)
  t.equal(fineCell(Number.NaN), 0)
  t.equal(fineCell(Number.POSITIVE_INFINITY), FINE_CELLS - 1)
  t.equal(fineCell(1e12), FINE_CELLS - 1)
})
