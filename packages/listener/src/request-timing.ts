// By name: the global is an accessor, which optimised code calls each time (0.6 us against 0.08 us).
import { performance } from 'node:perf_hooks'
import type { RequestDurations, TimedRequest } from '@rr/core'
import { DURATION_CELLS, durationCell, fineCell } from './duration-buckets.ts'
import {
  MetricsSeat,
  OTHER_METHOD,
  OTHER_ROUTE,
  routeLabel,
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
const RESERVED_SERIES = STATUS_CLASSES.length

/** Answers that wait for the end of their batch. Past it the clock is read once more. */
const MAX_PENDING = 256

/**
 * Counts the durations of one thread's requests in its seat. Nothing is allocated for a request but
 * the first of its route, method and class.
 */
export class RequestTiming implements RequestDurations {
  batchStartMs = 0
  readonly #seat: MetricsSeat
  readonly #cells: Float64Array
  readonly #fine: Float64Array
  readonly #byRoute: Map<string | null, Int32Array> = new Map()
  readonly #others: Int32Array = new Int32Array(STATUS_CLASSES.length).fill(-1)
  readonly #pending: Int32Array = new Int32Array(MAX_PENDING)
  /** How many requests each of them stands for. */
  readonly #runs: Int32Array = new Int32Array(MAX_PENDING)
  #pendingCount = 0
  #isBatchOpen = false
  #lastRoute: string | null = null
  #lastMethod = ''
  #lastStatus = 0
  #lastCells = 0

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

  requestBegan(): void {
    if (this.#isBatchOpen) return
    this.#isBatchOpen = true
    this.batchStartMs = performance.now()
  }

  requestAnswered(request: TimedRequest, status: number): void {
    const cells = this.#find(request, status)
    const last = this.#pendingCount - 1
    if (last >= 0 && this.#pending[last] === cells) {
      this.#runs[last]! += 1
      return
    }
    if (last === MAX_PENDING - 1) this.#countPending()
    this.#pending[this.#pendingCount] = cells
    this.#runs[this.#pendingCount++] = 1
  }

  requestEnded(request: TimedRequest, status: number, startMs: number): void {
    this.#count(this.#find(request, status), 1, performance.now() - startMs)
  }

  batchEnded(): void {
    if (this.#pendingCount > 0) this.#countPending()
    this.#isBatchOpen = false
  }

  #countPending(): void {
    const durationMs = performance.now() - this.batchStartMs
    for (let index = 0; index < this.#pendingCount; index++) {
      this.#count(this.#pending[index]!, this.#runs[index]!, durationMs)
    }
    this.#pendingCount = 0
  }

  #count(cells: number, requests: number, durationMs: number): void {
    this.#fine[fineCell(durationMs)]! += requests
    this.#cells[cells + durationCell(durationMs)]! += requests
    this.#cells[cells + DURATION_CELLS]! += requests * durationMs
  }

  /** Where the cells of a request's series begin. Mostly they are those of the one before. */
  #find({ method, route }: TimedRequest, status: number): number {
    if (route === this.#lastRoute && method === this.#lastMethod && status === this.#lastStatus) {
      return this.#lastCells
    }
    this.#lastRoute = route
    this.#lastMethod = method
    this.#lastStatus = status
    this.#lastCells = this.#lookUp(route, method, status)
    return this.#lastCells
  }

  #lookUp(route: string | null, method: string, status: number): number {
    const methodIndex = METHODS.get(method) ?? OTHER_METHOD
    const statusClass = status >= 100 && status < 600 ? Math.floor(status / 100) : 0
    const series = this.#byRoute.get(route) ?? this.#seriesOf(route)
    const place = methodIndex * STATUS_CLASSES.length + statusClass
    const cells = series[place]!
    return cells >= 0 ? cells : this.#add(series, place, route, methodIndex, statusClass)
  }

  #seriesOf(route: string | null): Int32Array {
    // As the seat holds it: what an earlier thread has counted of a long one goes on.
    const label = route === null ? null : routeLabel(route)
    if (label !== route) {
      const known = this.#seriesOf(label)
      if (this.#byRoute.size < this.#seat.maxSeries) this.#byRoute.set(route, known)
      return known
    }
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
