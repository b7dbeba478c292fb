import { setTimeout as delay } from 'node:timers/promises'

const LOOK_INTERVAL_MS = 20

/**
 * Waits at the end of a drain for tasks of the compute pool that no request waits for. Looks now and
 * then, because the deadline can come closer meanwhile.
 */
export async function idleCompute(pending: () => number, leftMs: () => number): Promise<void> {
  while (pending() > 0 && leftMs() > 0) await delay(Math.min(LOOK_INTERVAL_MS, leftMs()))
}
