import { setTimeout as delay } from 'node:timers/promises'

/** Waits for a condition that no event announces, looking every few milliseconds, bounded. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 20_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not in time: ${what}`)
    await delay(5)
  }
}
