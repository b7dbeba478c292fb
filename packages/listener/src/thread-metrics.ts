import { MetricsBlock } from './metrics-block.ts'
import { RequestTiming } from './request-timing.ts'
import { ThreadSampler } from './thread-sampler.ts'

/**
 * Starts to measure this thread, in its seat of the block, for as long as it lives.
 *
 * @returns what counts its requests; null where nothing is to be measured
 */
export function measureThread(
  buffer: SharedArrayBuffer | null,
  seat: number,
): RequestTiming | null {
  if (buffer === null) return null
  const cells = MetricsBlock.open(buffer).seat(seat)
  new ThreadSampler(cells).start()
  return new RequestTiming(cells)
}
