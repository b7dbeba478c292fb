import { DEFAULT_IDLE_TICK_MS, TICK_MS } from './deadline-wheel.ts'

/** When a worker's event loop last turned. */
export interface Heartbeat {
  readonly workerId: number
  readonly heartbeatMs: number
}

/** A worker that stands still, or has just gone on. */
export interface StallChange {
  readonly workerId: number
  readonly stalledMs: number
  readonly isStalled: boolean
}

/** Finds event loops that stand still. Pure: told the time and the heartbeats at each check. */
export class StallWatch {
  /** How often `check` is to be called. */
  readonly intervalMs: number
  /** How often a worker is to show that it is well: a quarter of the time it is given. */
  readonly heartbeatIntervalMs: number
  readonly #timeoutMs: number
  /** Workers that were reported, with the heartbeat that they stand at. */
  readonly #stalled: Map<number, number> = new Map()
  #checkedAtMs: number | null = null

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs
    const quarterMs = Math.floor(timeoutMs / 4)
    this.intervalMs = Math.min(1000, Math.max(20, quarterMs))
    this.heartbeatIntervalMs = Math.min(DEFAULT_IDLE_TICK_MS, Math.max(TICK_MS, quarterMs))
  }

  check(nowMs: number, heartbeats: Iterable<Heartbeat>): StallChange[] {
    const lateMs = nowMs - (this.#checkedAtMs ?? nowMs) - this.intervalMs
    this.#checkedAtMs = nowMs
    // When this thread stood still too, all of the process was suspended: let the others go first.
    if (lateMs > this.#timeoutMs / 2) return []
    const changes: StallChange[] = []
    for (const beat of heartbeats) {
      const change = this.#judge(nowMs, beat)
      if (change !== null) changes.push(change)
    }
    return changes
  }

  isStalled(workerId: number): boolean {
    return this.#stalled.has(workerId)
  }

  /** The worker's thread has ended. */
  forget(workerId: number): void {
    this.#stalled.delete(workerId)
  }

  #judge(nowMs: number, { workerId, heartbeatMs }: Heartbeat): StallChange | null {
    const stoodAt = this.#stalled.get(workerId)
    if (stoodAt === undefined) {
      const stalledMs = nowMs - heartbeatMs
      if (stalledMs <= this.#timeoutMs) return null
      this.#stalled.set(workerId, heartbeatMs)
      return { workerId, stalledMs, isStalled: true }
    }
    if (heartbeatMs === stoodAt) return null
    this.#stalled.delete(workerId)
    return { workerId, stalledMs: heartbeatMs - stoodAt, isStalled: false }
  }
}
