/**
 * Milliseconds on the system's monotonic clock. All threads of a process read the same clock, which
 * `performance.now()` does not give: it counts from each thread's own start.
 */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1000 + nanoseconds / 1e6
}

/**
 * Whole milliseconds since `originMs`, for one process's threads to share. Counted from a near
 * origin, the numbers stay small integers for V8 (24 days), so that deadline arithmetic on the hot
 * path allocates nothing.
 */
export function clockSince(originMs: number): () => number {
  return () => Math.floor(monotonicMs() - originMs)
}
