import { RrError } from '@rr/core'
import type { ReloadResult } from './server.ts'

/**
 * Runs one reload after the other. Who asks during one gets another behind it, since the code may
 * have changed since that began; all who ask meanwhile share that one, at the shortest time.
 */
export class ReloadQueue {
  readonly #reload: (leaveMs: number) => Promise<ReloadResult>
  #running: Promise<unknown> | null = null
  #next: { leaveMs: number; readonly done: Promise<ReloadResult> } | null = null

  constructor(reload: (leaveMs: number) => Promise<ReloadResult>) {
    this.#reload = reload
  }

  add(leaveMs: number): Promise<ReloadResult> {
    if (this.#running === null) return this.#run(leaveMs)
    if (this.#next === null)
      this.#next = { leaveMs, done: this.#running.then(() => this.#runNext()) }
    else this.#next.leaveMs = Math.min(this.#next.leaveMs, leaveMs)
    return this.#next.done
  }

  #runNext(): Promise<ReloadResult> {
    const { leaveMs } = this.#next!
    this.#next = null
    return this.#run(leaveMs)
  }

  #run(leaveMs: number): Promise<ReloadResult> {
    const done = this.#reload(leaveMs)
    // Whoever asked hears of a failure; here it only ends the turn.
    const running = done
      .catch(() => {})
      .then(() => {
        if (this.#running === running) this.#running = null
      })
    this.#running = running
    return done
  }
}

/** Why a reload has ended before all workers were replaced. */
export function reloadError(cause: Error, replaced: number, workers: number): RrError {
  const rest = workers - replaced
  const serving = `${rest} of ${workers} workers serve on with the code that they had`
  return new RrError('RR_RELOAD_FAILED', `${serving}: ${cause.message}`, { cause })
}
