import type { LatencySummary } from '../model.ts'

/** What wrk and wrk2 print of a run at its end. */
export interface WrkCounts {
  readonly requests: number
  readonly requestsPerSecond: number
  /** Socket errors and answers that were not 2xx or 3xx, by kind; only those there were. */
  readonly errors: Readonly<Record<string, number>>
}

/** What wrk prints in all. */
export interface WrkOutput extends WrkCounts {
  /** Null when neither `--latency` nor the script printed it. */
  readonly latency: LatencySummary | null
}

/** @throws Error when this is not the output of a whole run */
export function parseWrkCounts(output: string): WrkCounts {
  const requests = /(\d+) requests in /.exec(output)?.[1]
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(output)?.[1]
  if (requests === undefined || rate === undefined) throw new Error(`unexpected output: ${output}`)
  const sockets = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(
    output,
  )
  const status = /Non-2xx or 3xx responses: (\d+)/.exec(output)?.[1]
  const counts = { connect: sockets?.[1], read: sockets?.[2], write: sockets?.[3] }
  const errors = Object.entries({ ...counts, timeout: sockets?.[4], status })
    .map(([kind, count]) => [kind, Number(count ?? 0)] as const)
    .filter(([, count]) => count > 0)
  return {
    requests: Number(requests),
    requestsPerSecond: Number(rate),
    errors: Object.fromEntries(errors),
  }
}

/** Reads the text that wrk prints, with `--latency` and with the lines of this driver's script. */
export function parseWrk(output: string): WrkOutput {
  return { ...parseWrkCounts(output), latency: scriptLatency(output) ?? textLatency(output) }
}

/** What the script printed: whole microseconds at many percentiles. */
function scriptLatency(output: string): LatencySummary | null {
  const [, mean, max] = /latency mean ([\d.]+) us max (\d+) us/.exec(output) ?? []
  const curve = [...output.matchAll(/^percentile ([\d.]+) (\d+) us$/gm)].map(
    ([, percentile, us]) => [Number(percentile), Number(us)] as const,
  )
  if (mean === undefined || curve.length === 0) return null
  return summaryOf([...curve, [100, Number(max)]], Number(mean), Number(max))
}

/** What wrk itself prints: 50, 75, 90 and 99 %, in rounded units. */
function textLatency(output: string): LatencySummary | null {
  const points = parsePercentiles(output)
  const [, mean, max] =
    /Latency\s+([\d.]+[a-z]+)\s+[\d.]+[a-z]+\s+([\d.]+[a-z]+)/.exec(output) ?? []
  if (points.length === 0 || mean === undefined || max === undefined) return null
  const maxUs = parseTimeUs(max)
  return summaryOf([...points, [100, maxUs]], parseTimeUs(mean), maxUs)
}

/** Lines such as `99.000%    1.18ms`. */
export function parsePercentiles(text: string): (readonly [number, number])[] {
  return [...text.matchAll(/^\s*([\d.]+)%\s+([\d.]+[a-z]+)\s*$/gm)].map(
    ([, percentile, time]) => [Number(percentile), parseTimeUs(time ?? '')] as const,
  )
}

const UNIT_US: Readonly<Record<string, number>> = {
  us: 1,
  ms: 1000,
  s: 1_000_000,
  m: 60_000_000,
  h: 3_600_000_000,
}

/** @param time such as `1.18ms` */
export function parseTimeUs(time: string): number {
  const [, value, unit] = /^([\d.]+)([a-z]+)$/.exec(time) ?? []
  const factor = UNIT_US[unit ?? '']
  if (value === undefined || factor === undefined) throw new Error(`unexpected time: ${time}`)
  return Number(value) * factor
}

/**
 * Percentiles that were not printed are NaN: no guess is a measurement. wrk2 prints the upper edges of
 * its buckets, which can lie above the maximum.
 */
export function summaryOf(
  points: readonly (readonly [number, number])[],
  mean: number,
  max: number,
): LatencySummary {
  const at = (percentile: number): number =>
    Math.min(points.find(([known]) => known === percentile)?.[1] ?? Number.NaN, max)
  return {
    p50: at(50),
    p90: at(90),
    p99: at(99),
    p999: at(99.9),
    p9999: at(99.99),
    max,
    mean,
    curve: points,
  }
}
