import type { Transport } from '../transport.ts'

/**
 * Watches a client that has output waiting for it. It has time to take something, counted from
 * when it last did, and not all the time it wants.
 */
export class SendStall {
  /** When the client is given up, unless it takes something before. */
  untilMs = 0
  #unsentBytes = 0

  /** True when output was waiting at the last look. */
  get wasWaiting(): boolean {
    return this.#unsentBytes > 0
  }

  update(transport: Transport, nowMs: number, timeoutMs: number): void {
    const unsent = transport.bufferedBytes
    if (this.untilMs === 0 || unsent < this.#unsentBytes) this.untilMs = nowMs + timeoutMs
    this.#unsentBytes = unsent
  }

  /** Nothing waits any more. */
  clear(): void {
    this.untilMs = 0
  }
}
