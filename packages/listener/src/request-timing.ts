import type { RequestDurations, TimedRequest } from '@rr/core'
import { DURATION_CELLS, durationCell, fineCell } from './duration-buckets.ts'
import {
  MetricsSeat,
  OTHER_METHOD,
  OTHER_ROUTE,
  STATUS_CLASSES,
  TIMED_METHODS,
  UNMATCHED_ROUTE,
} from './metrics-block.ts'

const METHODS: ReadonlyMap<string, number> = new Map(
  TIMED_METHODS.slice(0, OTHER_METHOD).map((method, index) => [method, index]),
)

/** Series of one route, by method and class of status; -1 where there is none yet. */
const SERIES_OF_ROUTE = TIMED_METHODS.length * STATUS_CLASSES.length

/** So many series are kept for what no series is left for: one for each class of status. */
export const RESERVED_SERIES: number = STATUS_CLASSES.length

/** Answers that wait for the end of their batch. Past it the clock is read once more. */
const MAX_PENDING = 256

/**
 * Counts the durations of one thread's requests in its seat. Nothing is allocated for a request but
 * the first of its route, method and class.
 */
export class RequestTiming implements RequestDurations {
  readonly #seat: MetricsSeat
  readonly #cells: Float64Array
  readonly #fine: Float64Array
  readonly #byRoute: Map<string | null, Int32Array> = new Map()
  readonly #others: Int32Array = new Int32Array(STATUS_CLASSES.length).fill(-1)
  readonly #pending: Int32Array = new Int32Array(MAX_PENDING)
  #pendingCount = 0
  /** When the batch began that is being read; 0 when no request of it has come yet. */
  #batchMs = 0

  /** @param seat goes on from what an earlier thread there has counted */
  constructor(seat: MetricsSeat) {
    this.#seat = seat
    this.#cells = seat.cells
    this.#fine = seat.fine
    for (let index = 0; index < seat.count; index++) {
      const { route, method, status } = seat.labels(index)
      const cells = MetricsSeat.cellsOf(index)
      if (route === OTHER_ROUTE && method === OTHER_METHOD) this.#others[status] = cells
      const series = this.#seriesOf(route === UNMATCHED_ROUTE ? null : route)
      series[method * STATUS_CLASSES.length + status] = cells
    }
  }

  batchStartMs(): number {
    if (this.#batchMs === 0) this.#batchMs = performance.now()
    return this.#batchMs
  }

  requestEnded(request: TimedRequest, status: number, startMs: number, isInBatch: boolean): void {
    const cells = this.#find(request, status)
    if (!isInBatch || startMs !== this.#batchMs) {
      this.#count(cells, performance.now() - startMs)
      return
    }
    if (this.#pendingCount === MAX_PENDING) this.#countPending()
    this.#pending[this.#pendingCount++] = cells
  }

  batchEnded(): void {
    if (this.#pendingCount > 0) this.#countPending()
    this.#batchMs = 0
  }

  #countPending(): void {
    const durationMs = performance.now() - this.#batchMs
    const count = this.#pendingCount
    const bucket = durationCell(durationMs)
    this.#fine[fineCell(durationMs)]! += count
    for (let index = 0; index < count; index++) {
      const cells = this.#pending[index]!
      this.#cells[cells + bucket]! += 1
      this.#cells[cells + DURATION_CELLS]! += durationMs
    }
    this.#pendingCount = 0
  }

  #count(cells: number, durationMs: number): void {
    this.#fine[fineCell(durationMs)]! += 1
    this.#cells[cells + durationCell(durationMs)]! += 1
    this.#cells[cells + DURATION_CELLS]! += durationMs
  }

  /** Where the cells of a request's series begin. */
  #find({ method, route }: TimedRequest, status: number): number {
    const methodIndex = METHODS.get(method) ?? OTHER_METHOD
    const statusClass = status >= 100 && status < 600 ? Math.floor(status / 100) : 0
    const series = this.#byRoute.get(route) ?? this.#seriesOf(route)
    const place = methodIndex * STATUS_CLASSES.length + statusClass
    const cells = series[place]!
    return cells >= 0 ? cells : this.#add(series, place, route, methodIndex, statusClass)
  }

  #seriesOf(route: string | null): Int32Array {
    let series = this.#byRoute.get(route)
    if (series === undefined) {
      series = new Int32Array(SERIES_OF_ROUTE).fill(-1)
      // A route is the application's; one that makes up new ones without end must not grow this.
      if (this.#byRoute.size < this.#seat.maxSeries) this.#byRoute.set(route, series)
    }
    return series
  }

  #add(
    series: Int32Array,
    place: number,
    route: string | null,
    method: number,
    status: number,
  ): number {
    const isFull = this.#seat.count >= this.#seat.maxSeries - RESERVED_SERIES
    const cells = isFull
      ? this.#othersOf(status)
      : this.#seat.add(route ?? UNMATCHED_ROUTE, method, status)
    series[place] = cells
    return cells
  }

  /** The series of all that none is left for, by class of status alone. */
  #othersOf(status: number): number {
    if (this.#others[status]! < 0) {
      this.#others[status] = this.#seat.add(OTHER_ROUTE, OTHER_METHOD, status)
    }
    return this.#others[status]!
  }
}
