import { RrError } from '@rr/core'
import type { ReloadResult } from './server.ts'

/** What a reload gives to each worker, in milliseconds. */
export interface ReloadLimits {
  /** The old thread, to finish what it has. */
  readonly leaveMs: number
  /** The new thread, until it listens. */
  readonly startMs: number
}

/**
 * Runs one reload after the other. Who asks during one gets another behind it, since the code may
 * have changed since that began; all who ask meanwhile share that one, at the shortest times.
 */
export class ReloadQueue {
  readonly #reload: (limits: ReloadLimits) => Promise<ReloadResult>
  #running: Promise<unknown> | null = null
  #next: { limits: ReloadLimits; readonly done: Promise<ReloadResult> } | null = null

  constructor(reload: (limits: ReloadLimits) => Promise<ReloadResult>) {
    this.#reload = reload
  }

  add(limits: ReloadLimits): Promise<ReloadResult> {
    const next = this.#next
    if (next !== null) {
      next.limits = shortest(next.limits, limits)
      return next.done
    }
    if (this.#running === null) return this.#run(limits)
    this.#next = { limits, done: this.#running.then(() => this.#runNext()) }
    return this.#next.done
  }

  #runNext(): Promise<ReloadResult> {
    const { limits } = this.#next!
    this.#next = null
    return this.#run(limits)
  }

  #run(limits: ReloadLimits): Promise<ReloadResult> {
    const done = this.#reload(limits)
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

function shortest(one: ReloadLimits, other: ReloadLimits): ReloadLimits {
  return {
    leaveMs: Math.min(one.leaveMs, other.leaveMs),
    startMs: Math.min(one.startMs, other.startMs),
  }
}

/** Why a reload has ended before all workers were replaced. */
export function reloadError(cause: Error, replaced: number, workers: number): RrError {
  const rest = workers - replaced
  const serving = `${rest} of ${workers} workers serve on with the code that they had`
  return new RrError('RR_RELOAD_FAILED', `${serving}: ${cause.message}`, { cause })
}
