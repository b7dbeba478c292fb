import { setTimeout as delay } from 'node:timers/promises'

/** Waits until `condition` holds, by looking again and again; fails with `what` after a while. */
export async function until(
  condition: () => boolean,
  what: string,
  timeoutMs = 10_000,
): Promise<void> {
  const endMs = performance.now() + timeoutMs
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`waited ${timeoutMs} ms in vain: ${what}`)
    await delay(5)
  }
}
