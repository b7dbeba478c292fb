import type { RequestAdmission } from '../refusal-entry.ts'

/**
 * What `RequestAdmission` has given to the request of a connection: held until the exchange has ended
 * and its handler has settled, whichever is later.
 */
export class RequestSlot {
  readonly #admission: RequestAdmission
  #isHeld = false
  #isHandlerPending = false

  constructor(admission: RequestAdmission) {
    this.#admission = admission
  }

  /** @returns why there is none, or null when the request has one now */
  take(): ReturnType<RequestAdmission['admit']> {
    const cause = this.#admission.admit()
    this.#isHeld = cause === null
    return cause
  }

  handlerPending(): void {
    this.#isHandlerPending = true
  }

  /** @param isOver whether the exchange has ended before */
  handlerSettled(isOver: boolean): void {
    this.#isHandlerPending = false
    if (isOver) this.#release()
  }

  exchangeEnded(): void {
    if (!this.#isHandlerPending) this.#release()
  }

  #release(): void {
    if (!this.#isHeld) return
    this.#isHeld = false
    this.#admission.release()
  }
}
