/**
 * The Date field line (RFC 9110 §6.6.1), rebuilt when the second has changed. A thread's
 * connections share it. The system clock is asked only when the coarse clock has moved.
 */
let tick = -1
let second = -1
let line = ''

/** @param nowMs the server's coarse clock */
export function dateLine(nowMs: number): string {
  if (nowMs !== tick) {
    tick = nowMs
    const now = Math.floor(Date.now() / 1000)
    if (now !== second) {
      second = now
      line = `date: ${new Date(now * 1000).toUTCString()}\r\n`
    }
  }
  return line
}
