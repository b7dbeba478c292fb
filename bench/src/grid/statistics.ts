import { median } from '../median.ts'

/** What several rounds of one measurement gave. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
  readonly count: number
}

/** Null of nothing: a row without a finished round has no figure. */
export function summarize(values: readonly number[]): Spread | null {
  if (values.length === 0) return null
  return {
    median: median(values),
    min: Math.min(...values),
    max: Math.max(...values),
    count: values.length,
  }
}

/** Values by the number of the round that gave them. */
export type ByRound = ReadonlyMap<number, number>

/**
 * The ratio of two servers, round by round: runs of one round are minutes apart at most, so what
 * else the machine does in that time cancels out. A round that only one of them finished is left out.
 */
export function pairedRatios(values: ByRound, references: ByRound): ReadonlyMap<number, number> {
  const ratios = new Map<number, number>()
  for (const [round, value] of values) {
    const reference = references.get(round)
    if (reference !== undefined && reference !== 0) ratios.set(round, value / reference)
  }
  return ratios
}

/** How far the rounds lie apart, as a part of the median: 0.1 for 95 to 105. */
export function relativeRange({ median: middle, min, max }: Spread): number {
  return middle === 0 ? 0 : (max - min) / middle
}
