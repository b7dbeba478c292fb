import t from 'tap'
import { leastSquaresSlope } from '../../src/grid/least-squares.ts'

t.test('the slope of points on a line, and of points around one', async (t) => {
  const line = [0, 1, 2, 3].map((x) => [x, 5 - 2 * x] as const)
  t.equal(leastSquaresSlope(line), -2)
  t.equal(
    leastSquaresSlope([
      [0, 1],
      [1, 3],
      [2, 2],
      [3, 4],
    ]),
    0.8,
  )
  t.ok(Number.isNaN(leastSquaresSlope([[1, 1]])))
})
