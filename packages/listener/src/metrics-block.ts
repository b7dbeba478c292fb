import { DURATION_CELLS, FINE_CELLS } from './duration-buckets.ts'

/**
 * The memory in which each worker counts what `/metrics` and the live page show, and the one module
 * that lays it out. As in the control block, a seat is written by the thread that sits there alone,
 * with plain stores, and read by the main thread at any time: also while that thread is stuck. What
 * a thread has counted stays when it ends, and the next one in its seat counts on.
 *
 * A seat has, in this order: how many series there are, the cells of THREAD_FIELDS, the fine
 * durations of all requests, the cells of each series, and the labels of each series.
 */

/** What a thread says of itself, about once a second. Those that count go on in its successor. */
export const THREAD_FIELDS = [
  'heapUsedBytes',
  'heapLimitBytes',
  'externalBytes',
  /** Lateness of the event loop over the last second. */
  'loopDelayMeanMs',
  'loopDelayP50Ms',
  'loopDelayP99Ms',
  'loopDelayMaxMs',
  /** The longest of the last fifteen seconds. */
  'loopDelayPeakMs',
  'loopActiveMs',
  'loopIdleMs',
  'cpuUserMs',
  'cpuSystemMs',
  'gcMinorCount',
  'gcMinorMs',
  'gcMajorCount',
  'gcMajorMs',
  'gcIncrementalCount',
  'gcIncrementalMs',
  'gcOtherCount',
  'gcOtherMs',
] as const
export type ThreadField = (typeof THREAD_FIELDS)[number]
export type ThreadCounts = Readonly<Record<ThreadField, number>>

/** Methods that are told apart (RFC 9110 §9.3, RFC 5789); whatever else is the last. */
export const TIMED_METHODS = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'CONNECT',
  'OPTIONS',
  'TRACE',
  'PATCH',
  'other',
] as const
export const OTHER_METHOD: number = TIMED_METHODS.length - 1

/** Classes of status codes; the first is for requests that ended with nothing of an answer sent. */
export const STATUS_CLASSES = ['none', '1xx', '2xx', '3xx', '4xx', '5xx'] as const

/** Routes that no pattern can be: patterns begin with a slash. */
export const UNMATCHED_ROUTE = 'unmatched'
export const OTHER_ROUTE = 'other'

/** Durations of the requests of one route, method and class of status. */
export interface DurationSeries {
  readonly route: string
  readonly method: string
  readonly status: string
  /** How many requests fell into each cell of DURATION_BOUNDS, and above. */
  readonly counts: Float64Array
  sumMs: number
}

/** A seat starts on cache lines of its own, a pair of them as processors prefetch pairs. */
const ALIGNMENT = 128
const HEADER_BYTES = ALIGNMENT
const FIELDS_BYTES = THREAD_FIELDS.length * 8
const FINE_BYTES = FINE_CELLS * 8
/** The counts of each cell, and the sum. */
const SERIES_CELLS = DURATION_CELLS + 1
const SERIES_BYTES = SERIES_CELLS * 8
/** Method, class and length in four bytes, then the route in UTF-8: longer ones are cut. */
const LABEL_BYTES = 256
const ROUTE_BYTES = LABEL_BYTES - 4

export class MetricsBlock {
  readonly buffer: SharedArrayBuffer
  readonly maxSeries: number
  readonly #seatBytes: number

  private constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer
    this.maxSeries = new Int32Array(buffer, 0, 1)[0]!
    this.#seatBytes = seatBytes(this.maxSeries)
  }

  /** A new block with all cells 0. */
  static create(seats: number, maxSeries: number): MetricsBlock {
    const buffer = new SharedArrayBuffer(HEADER_BYTES + seats * seatBytes(maxSeries))
    new Int32Array(buffer, 0, 1)[0] = maxSeries
    return new MetricsBlock(buffer)
  }

  /** The same block in another thread. */
  static open(buffer: SharedArrayBuffer): MetricsBlock {
    return new MetricsBlock(buffer)
  }

  get seats(): number {
    return (this.buffer.byteLength - HEADER_BYTES) / this.#seatBytes
  }

  seat(index: number): MetricsSeat {
    return new MetricsSeat(this.buffer, HEADER_BYTES + index * this.#seatBytes, this.maxSeries)
  }

  /** The series of all seats, those with equal labels added up, in the order of their labels. */
  series(): DurationSeries[] {
    const merged = new Map<string, DurationSeries>()
    for (let index = 0; index < this.seats; index++) {
      for (const series of this.seat(index).series()) {
        const key = `${series.route} ${series.method} ${series.status}`
        const other = merged.get(key)
        if (other === undefined) merged.set(key, series)
        else addSeries(other, series)
      }
    }
    return [...merged].sort(([one], [two]) => (one < two ? -1 : 1)).map(([, series]) => series)
  }

  /** The fine durations of all seats, added up. */
  fineCounts(): Float64Array {
    const sum = new Float64Array(FINE_CELLS)
    for (let index = 0; index < this.seats; index++) addTo(sum, this.seat(index).fine)
    return sum
  }
}

function addSeries(to: DurationSeries, from: DurationSeries): void {
  addTo(to.counts, from.counts)
  to.sumMs += from.sumMs
}

function addTo(to: Float64Array, from: Float64Array): void {
  for (const [cell, count] of from.entries()) to[cell]! += count
}

function seatBytes(maxSeries: number): number {
  const bytes = HEADER_BYTES + FIELDS_BYTES + FINE_BYTES + maxSeries * (SERIES_BYTES + LABEL_BYTES)
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** A route as a label holds it: what is too long is cut, behind a whole character. */
export function routeLabel(route: string): string {
  if (route.length * 3 <= ROUTE_BYTES) return route
  const bytes = new Uint8Array(ROUTE_BYTES)
  const { written } = encoder.encodeInto(route, bytes)
  return decoder.decode(bytes.subarray(0, written))
}

/** What one thread counts. Reading is for any thread. */
export class MetricsSeat {
  readonly maxSeries: number
  readonly fields: Float64Array
  readonly fine: Float64Array
  /** The cells of all series, one after the other. */
  readonly cells: Float64Array
  readonly #count: Int32Array
  readonly #labels: Uint8Array

  constructor(buffer: SharedArrayBuffer, base: number, maxSeries: number) {
    const fields = base + HEADER_BYTES
    const fine = fields + FIELDS_BYTES
    const cells = fine + FINE_BYTES
    const labels = cells + maxSeries * SERIES_BYTES
    this.maxSeries = maxSeries
    this.#count = new Int32Array(buffer, base, 1)
    this.fields = new Float64Array(buffer, fields, THREAD_FIELDS.length)
    this.fine = new Float64Array(buffer, fine, FINE_CELLS)
    this.cells = new Float64Array(buffer, cells, maxSeries * SERIES_CELLS)
    this.#labels = new Uint8Array(buffer, labels, maxSeries * LABEL_BYTES)
  }

  get count(): number {
    return Atomics.load(this.#count, 0)
  }

  /**
   * Adds a series; there must be room. Its labels are written before the count that makes them seen.
   *
   * @returns where its cells begin
   */
  add(route: string, method: number, status: number): number {
    const index = this.count
    const label = this.#label(index)
    const { written } = encoder.encodeInto(route, label.subarray(4))
    label[0] = method
    label[1] = status
    label[2] = written
    Atomics.store(this.#count, 0, index + 1)
    return index * SERIES_CELLS
  }

  /** The labels of a series: the route, and the places of the others in their lists. */
  labels(index: number): {
    readonly route: string
    readonly method: number
    readonly status: number
  } {
    const label = this.#label(index)
    // Copied first: a decoder takes no shared memory.
    const route = decoder.decode(label.slice(4, 4 + label[2]!))
    return { route, method: label[0]!, status: label[1]! }
  }

  /** Where the cells of a series begin. */
  static cellsOf(index: number): number {
    return index * SERIES_CELLS
  }

  set(field: ThreadField, value: number): void {
    this.fields[THREAD_FIELDS.indexOf(field)] = value
  }

  get(field: ThreadField): number {
    return this.fields[THREAD_FIELDS.indexOf(field)]!
  }

  /** What the thread last said of itself. */
  readFields(): ThreadCounts {
    const entries = THREAD_FIELDS.map((name, index) => [name, this.fields[index]!])
    return Object.fromEntries(entries) as ThreadCounts
  }

  series(): DurationSeries[] {
    return Array.from({ length: this.count }, (_, index) => {
      const { route, method, status } = this.labels(index)
      const from = index * SERIES_CELLS
      return {
        route,
        method: TIMED_METHODS[method]!,
        status: STATUS_CLASSES[status]!,
        counts: this.cells.slice(from, from + DURATION_CELLS),
        sumMs: this.cells[from + DURATION_CELLS]!,
      }
    })
  }

  #label(index: number): Uint8Array {
    return this.#labels.subarray(index * LABEL_BYTES, (index + 1) * LABEL_BYTES)
  }
}
