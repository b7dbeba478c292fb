import { MetricsBlock } from './metrics-block.ts'
import { RequestTiming } from './request-timing.ts'
import { ThreadSampler } from './thread-sampler.ts'

/** What one worker measures while it lives. */
export interface ThreadMetrics {
  readonly durations: RequestTiming
  readonly sampler: ThreadSampler
}

/** Starts to measure this thread, in its seat of the block; null where nothing is to be. */
export function measureThread(
  buffer: SharedArrayBuffer | null,
  seat: number,
): ThreadMetrics | null {
  if (buffer === null) return null
  const cells = MetricsBlock.open(buffer).seat(seat)
  const sampler = new ThreadSampler(cells)
  sampler.start()
  return { durations: new RequestTiming(cells), sampler }
}
