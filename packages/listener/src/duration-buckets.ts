/**
 * Two ways to sort durations into cells: the bounds that `/metrics` shows, and a fine division for
 * percentiles. Both are exact to merge, since a cell holds a count and all threads divide alike.
 */

/** Upper bounds in seconds: from an answer out of memory to a client that waits. */
export const DURATION_BOUNDS: readonly number[] = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
]

/** One cell for each bound and one for what is longer. */
export const DURATION_CELLS: number = DURATION_BOUNDS.length + 1

const BOUNDS_MS = Float64Array.from(DURATION_BOUNDS, (seconds) => seconds * 1000)

/** The cell of a duration: the first whose bound it is not above. */
export function durationCell(durationMs: number): number {
  let cell = 0
  while (cell < BOUNDS_MS.length && durationMs > BOUNDS_MS[cell]!) cell++
  return cell
}

/**
 * The fine division is log-linear: whole microseconds up to 32, then 16 equal steps from each power
 * of two to the next. A step is at most 1/16 of its lower end, so its middle is at most 3.2 % off.
 */
const STEP_BITS = 4
const STEPS = 1 << STEP_BITS

/** Longer ones count as this: 2^31 - 1 microseconds, 35 minutes. */
const MAX_MICROSECONDS = 0x7fff_ffff

/** How many cells the fine division has. */
export const FINE_CELLS: number = fineCell(MAX_MICROSECONDS / 1000) + 1

/** The fine cell of a duration. */
export function fineCell(durationMs: number): number {
  const microseconds = Math.min(Math.floor(durationMs * 1000), MAX_MICROSECONDS)
  if (!(microseconds >= STEPS)) return Math.max(0, microseconds) || 0
  const power = 31 - Math.clz32(microseconds)
  const step = (microseconds >>> (power - STEP_BITS)) & (STEPS - 1)
  return (power - STEP_BITS + 1) * STEPS + step
}

/** The middle of a fine cell, in milliseconds. */
export function fineCellMs(cell: number): number {
  if (cell < STEPS) return (cell + 0.5) / 1000
  const shift = Math.floor(cell / STEPS) - 1
  return (((cell % STEPS) + STEPS + 0.5) * 2 ** shift) / 1000
}
