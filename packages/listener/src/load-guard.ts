import type { RequestAdmission } from '@rr/core'
import type { WorkerSeat } from './control-block.ts'
import { TICK_MS } from './deadline-wheel.ts'
import { LoopDelayShed } from './loop-delay-shed.ts'
import type { ThreadSettings } from './server-options.ts'

type LoadSettings = Pick<
  ThreadSettings,
  'maxRequestsInFlight' | 'maxRequestsInFlightPerWorker' | 'shedLoopDelayMs'
>

/**
 * Keeps the requests of one worker within what the server can do. Checked in the order of cost: the
 * worker's own state before the cell that all workers share. Allocates nothing.
 */
export class LoadGuard implements RequestAdmission {
  readonly #seat: WorkerSeat
  readonly #maxInFlight: number
  readonly #maxInWorker: number
  readonly #loopDelay: LoopDelayShed | null
  #inWorker = 0

  private constructor(settings: LoadSettings, seat: WorkerSeat) {
    const { maxRequestsInFlight, maxRequestsInFlightPerWorker, shedLoopDelayMs } = settings
    this.#seat = seat
    this.#maxInFlight = maxRequestsInFlight
    this.#maxInWorker = maxRequestsInFlightPerWorker || Number.POSITIVE_INFINITY
    this.#loopDelay = shedLoopDelayMs > 0 ? new LoopDelayShed(shedLoopDelayMs, TICK_MS) : null
  }

  /** Null where nothing is limited, so that it costs nothing. */
  static create(settings: LoadSettings, seat: WorkerSeat): LoadGuard | null {
    const { maxRequestsInFlight, maxRequestsInFlightPerWorker, shedLoopDelayMs } = settings
    const isOff = maxRequestsInFlight + maxRequestsInFlightPerWorker + shedLoopDelayMs === 0
    return isOff ? null : new LoadGuard(settings, seat)
  }

  admit(): ReturnType<RequestAdmission['admit']> {
    if (this.#loopDelay?.isShed() === true) return 'loop-delay'
    if (this.#inWorker >= this.#maxInWorker) return 'worker-requests-in-flight'
    const max = this.#maxInFlight
    if (max > 0 && !this.#seat.tryAcquireRequest(max)) return 'requests-in-flight'
    this.#inWorker++
    return null
  }

  release(): void {
    this.#inWorker--
    if (this.#maxInFlight > 0) this.#seat.releaseRequest()
  }

  /** @param lateMs by how much the event loop was late for this tick */
  tick(lateMs: number): void {
    if (this.#loopDelay === null) return
    this.#loopDelay.tick(lateMs)
    this.#seat.setShedFraction(this.#loopDelay.fraction)
  }
}
