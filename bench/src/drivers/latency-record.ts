import {
  build,
  decodeFromCompressedBase64,
  encodeIntoCompressedBase64,
  type Histogram,
} from 'hdr-histogram-js'
import type { LatencySummary } from '../model.ts'

/** One hour: far above every time limit of the drivers, so that no value has to be dropped. */
const MAX_LATENCY_US = 3_600_000_000
/** Three digits: no value is off by more than 0.1 %. */
const SIGNIFICANT_DIGITS = 3
/** Points of the curve for each factor of ten by which the tail gets thinner. */
const CURVE_POINTS_PER_DECADE = 8

/** Latencies in whole microseconds, in an HdrHistogram. */
export class LatencyRecord {
  readonly #histogram: Histogram

  constructor(encoded: string | null = null) {
    this.#histogram =
      encoded === null
        ? build({
            bitBucketSize: 32,
            autoResize: false,
            lowestDiscernibleValue: 1,
            highestTrackableValue: MAX_LATENCY_US,
            numberOfSignificantValueDigits: SIGNIFICANT_DIGITS,
          })
        : decodeFromCompressedBase64(encoded, 32)
  }

  get count(): number {
    return this.#histogram.totalCount
  }

  /** The clock is a double, so that a difference may be a hair below zero: that is zero. */
  record(us: number): void {
    this.#histogram.recordValue(us <= 0 ? 0 : us < MAX_LATENCY_US ? Math.round(us) : MAX_LATENCY_US)
  }

  add(other: LatencyRecord): void {
    this.#histogram.add(other.#histogram)
  }

  /** For the way from one process to another. */
  encode(): string {
    return encodeIntoCompressedBase64(this.#histogram)
  }

  get max(): number {
    return this.count === 0 ? 0 : this.#histogram.maxValue
  }

  /** A bucket's upper edge can lie above the greatest value in it: the maximum caps it. */
  percentile(percentile: number): number {
    if (this.count === 0) return 0
    return Math.min(this.#histogram.getValueAtPercentile(percentile), this.max)
  }

  summary(): LatencySummary {
    return {
      p50: this.percentile(50),
      p90: this.percentile(90),
      p99: this.percentile(99),
      p999: this.percentile(99.9),
      p9999: this.percentile(99.99),
      max: this.max,
      mean: this.count === 0 ? 0 : this.#histogram.mean,
      curve: this.#curve(),
    }
  }

  /** Evenly spaced on the axis 1 / (1 - percentile), as far as there are values, then the maximum. */
  #curve(): (readonly [number, number])[] {
    const points: (readonly [number, number])[] = []
    for (let step = 0; this.count > 0; step++) {
      const above = 10 ** (-step / CURVE_POINTS_PER_DECADE)
      if (above * this.count < 1) break
      const percentile = 100 * (1 - above)
      points.push([percentile, this.percentile(percentile)])
    }
    if (this.count > 0) points.push([100, this.max])
    return points
  }
}
