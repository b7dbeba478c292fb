import {
  constants,
  type EventLoopUtilization,
  monitorEventLoopDelay,
  type PerformanceEntry,
  PerformanceObserver,
  performance,
} from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import type { MetricsSeat, ThreadField } from './metrics-block.ts'

/** How often a thread writes down how it is. */
const SAMPLE_INTERVAL_MS = 1000

/**
 * How often the lateness of the event loop is measured, by a timer of Node's own that runs no
 * JavaScript. Node reports its whole period, so what is above this is lateness.
 */
const LOOP_RESOLUTION_MS = 20

/** As many seconds as Prometheus leaves between two scrapes by default, so that a peak is seen. */
const PEAK_SAMPLES = 15

const NANOSECONDS = 1e6

const GC_FIELDS: ReadonlyMap<number, readonly [count: ThreadField, timeMs: ThreadField]> = new Map([
  [constants.NODE_PERFORMANCE_GC_MINOR, ['gcMinorCount', 'gcMinorMs'] as const],
  [constants.NODE_PERFORMANCE_GC_MAJOR, ['gcMajorCount', 'gcMajorMs'] as const],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, ['gcIncrementalCount', 'gcIncrementalMs'] as const],
])
const GC_OTHER = ['gcOtherCount', 'gcOtherMs'] as const

/** Fields that count over all threads of a seat: what was there is the start. */
const TOTALS = ['loopActiveMs', 'loopIdleMs', 'cpuUserMs', 'cpuSystemMs'] as const

/** Writes into a thread's seat how it is: heap, event loop, garbage collection, CPU. */
export class ThreadSampler {
  readonly #seat: MetricsSeat
  readonly #base: Readonly<Record<(typeof TOTALS)[number], number>>
  readonly #delay: ReturnType<typeof monitorEventLoopDelay> = monitorEventLoopDelay({
    resolution: LOOP_RESOLUTION_MS,
  })
  readonly #collections: PerformanceObserver
  readonly #peaks: number[] = []

  constructor(seat: MetricsSeat) {
    this.#seat = seat
    const base = TOTALS.map((name) => [name, seat.get(name)])
    this.#base = Object.fromEntries(base) as Record<(typeof TOTALS)[number], number>
    this.#collections = new PerformanceObserver((list) => this.#countCollections(list.getEntries()))
  }

  /** Keeps no thread alive. */
  start(): void {
    this.#delay.enable()
    this.#collections.observe({ entryTypes: ['gc'] })
    setInterval(() => this.#sample(), SAMPLE_INTERVAL_MS).unref()
    this.#sample()
  }

  #sample(): void {
    const seat = this.#seat
    const heap = getHeapStatistics()
    seat.set('heapUsedBytes', heap.used_heap_size)
    seat.set('heapLimitBytes', heap.heap_size_limit)
    seat.set('externalBytes', heap.external_memory)
    const loop: EventLoopUtilization = performance.eventLoopUtilization()
    seat.set('loopActiveMs', this.#base.loopActiveMs + loop.active)
    seat.set('loopIdleMs', this.#base.loopIdleMs + loop.idle)
    const { user, system } = process.threadCpuUsage()
    seat.set('cpuUserMs', this.#base.cpuUserMs + user / 1000)
    seat.set('cpuSystemMs', this.#base.cpuSystemMs + system / 1000)
    this.#sampleDelay()
  }

  #sampleDelay(): void {
    const seat = this.#seat
    const delay = this.#delay
    // Without a measurement since the last reset there is nothing to say, and the mean is NaN.
    if (delay.count === 0) return
    const max = lateness(delay.max)
    this.#peaks.push(max)
    if (this.#peaks.length > PEAK_SAMPLES) this.#peaks.shift()
    seat.set('loopDelayMeanMs', lateness(delay.mean))
    seat.set('loopDelayP50Ms', lateness(delay.percentile(50)))
    seat.set('loopDelayP99Ms', lateness(delay.percentile(99)))
    seat.set('loopDelayMaxMs', max)
    seat.set('loopDelayPeakMs', Math.max(...this.#peaks))
    delay.reset()
  }

  #countCollections(entries: readonly PerformanceEntry[]): void {
    const seat = this.#seat
    for (const entry of entries) {
      const { duration, detail } = entry as CollectionEntry
      const [count, timeMs] = GC_FIELDS.get(detail?.kind ?? 0) ?? GC_OTHER
      seat.set(count, seat.get(count) + 1)
      seat.set(timeMs, seat.get(timeMs) + duration)
    }
  }
}

/** What Node adds to an entry for a collection; its types do not know of it. */
type CollectionEntry = PerformanceEntry & { readonly detail?: { readonly kind: number } }

function lateness(periodNs: number): number {
  return Math.max(0, periodNs / NANOSECONDS - LOOP_RESOLUTION_MS)
}
