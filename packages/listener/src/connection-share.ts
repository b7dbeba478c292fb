import { type EventLoopUtilization, performance } from 'node:perf_hooks'
import type { ConnectionShare } from '@rr/core'
import type { ControlBlock, WorkerSeat } from './control-block.ts'

/** One thread, as the others see it. */
export interface ThreadLoad {
  readonly connections: number
  /** Part of the time that its event loop was not waiting for something to do, 0 to 1. */
  readonly utilization: number
}

/** How often a thread compares itself with the others. */
const INTERVAL_MS = 1000

/** Under this there is nothing to gain by moving clients. */
const BUSY = 0.5
/** A thread at its limit, while the others are at this much less, is to have fewer than its share. */
const FULL = 0.95
const FULL_LEAD = 0.3
/**
 * How far over its share a thread may be: the kernel spreads connections by hash, so that some
 * difference is always there, and whoever is closed may well come back.
 */
const TOLERANCE = 1.25

/**
 * How many connections a thread is to close, so that their clients connect anew: half of what it
 * has over its share at a time, as part of them comes back.
 */
export function surplusOf(own: ThreadLoad, others: readonly ThreadLoad[]): number {
  if (others.length === 0 || own.utilization < BUSY) return 0
  const sum = (read: (load: ThreadLoad) => number): number =>
    others.reduce((total, load) => total + read(load), 0)
  const fair = (own.connections + sum((load) => load.connections)) / (others.length + 1)
  const meanUtilization = sum((load) => load.utilization) / others.length
  const isFull = own.utilization >= FULL && own.utilization - meanUtilization >= FULL_LEAD
  const share = isFull ? fair / 2 : fair
  if (own.connections <= share * TOLERANCE + 1) return 0
  return Math.max(1, Math.floor((own.connections - share) / 2))
}

/** Compares a thread's connections with the others' in the control block, and says what is too many. */
export class ShareWatch implements ConnectionShare {
  surplus = 0
  readonly #block: ControlBlock
  readonly #seat: WorkerSeat
  #checkedAtMs = Number.NEGATIVE_INFINITY
  readonly #utilization: () => number

  /** @param utilization of this thread since it was asked last */
  constructor(
    block: ControlBlock,
    seat: WorkerSeat,
    utilization: () => number = utilizationSinceLast(),
  ) {
    this.#block = block
    this.#seat = seat
    this.#utilization = utilization
  }

  shed(): void {
    this.surplus--
    this.#seat.connectionShed()
  }

  /** To be called at each tick of the thread's clock. */
  onTick(nowMs: number): void {
    if (nowMs < this.#checkedAtMs + INTERVAL_MS) return
    this.#checkedAtMs = nowMs
    const utilization = this.#utilization()
    this.#seat.setUtilization(utilization)
    const own = { connections: this.#block.seatConnections(this.#seat.index), utilization }
    this.surplus = utilization < BUSY ? 0 : surplusOf(own, this.#others())
  }

  #others(): ThreadLoad[] {
    const others: ThreadLoad[] = []
    for (let index = 0; index < this.#block.seats; index++) {
      if (index === this.#seat.index || this.#block.seatPhase(index) !== 'accepting') continue
      others.push({
        connections: this.#block.seatConnections(index),
        utilization: this.#block.seatUtilization(index),
      })
    }
    return others
  }
}

function utilizationSinceLast(): () => number {
  let last: EventLoopUtilization = performance.eventLoopUtilization()
  return () => {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, last)
    last = now
    return utilization
  }
}
