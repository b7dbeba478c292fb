import { RrError } from '@rr/core'
import { routesError } from './application-module.ts'
import type { RoutesMessage, RoutesReply } from './messages.ts'
import { deserializeError } from './serialized-error.ts'

/** A worker as its routes are reloaded. */
export interface ReloadedWorker {
  readonly workerId: number
  /** Sends to each thread that the worker has, and tells which: none while it waits for one. */
  post(message: RoutesMessage): readonly number[]
}

export interface RouteReloadOwner {
  readonly workers: () => readonly ReloadedWorker[]
  /** Throws when the server's state allows no change. */
  readonly check: () => void
}

/** The answers that one step of a reload waits for, by thread. */
interface Round {
  readonly version: number
  readonly answer: RoutesReply['type']
  /** Threads that have not answered, and their workers. */
  readonly waiting: Map<number, number>
  readonly done: PromiseWithResolvers<void>
}

/**
 * The supervisor's side of `reloadRoutes()`: all workers load the new routes, and only when all have
 * do all change to them. A thread that ends meanwhile is not waited for: the one that follows it
 * loads its application afresh.
 */
export class RouteReload {
  readonly #owner: RouteReloadOwner
  #last: Promise<void> = Promise.resolve()
  #version = 0
  #round: Round | null = null

  constructor(owner: RouteReloadOwner) {
    this.#owner = owner
  }

  /** Reloads once the reloads asked for before have ended. */
  reload(timeoutMs: number): Promise<void> {
    this.#owner.check()
    const reload = this.#last.then(() => this.#run(timeoutMs))
    this.#last = reload.catch(() => {})
    return reload
  }

  onReply(workerId: number, reply: RoutesReply): void {
    const round = this.#round
    if (round === null || reply.version !== round.version) return
    if (reply.type === 'routes-failed') {
      const cause = deserializeError(reply.error)
      // One that cannot be reloaded at all says so by itself.
      const isRefused = cause instanceof RrError && cause.code === 'RR_RELOAD_FAILED'
      const why = `worker ${workerId} could not load ${reply.url}: ${cause.message}`
      round.done.reject(isRefused ? cause : routesError(why, cause))
    } else if (reply.type === round.answer) {
      this.#settle(round, reply.threadId)
    }
  }

  onThreadEnded(threadId: number): void {
    if (this.#round !== null) this.#settle(this.#round, threadId)
  }

  async #run(timeoutMs: number): Promise<void> {
    // What was called while the server served may have waited until it drained.
    this.#owner.check()
    const version = ++this.#version
    try {
      await this.#ask('prepare-routes', 'routes-prepared', version, timeoutMs)
      this.#owner.check()
    } catch (error) {
      this.#tell({ type: 'drop-routes', version })
      throw error
    }
    // Not bounded: the message waits for a worker that is stuck, and it changes then or ends.
    await this.#ask('commit-routes', 'routes-committed', version, null)
  }

  async #ask(
    type: RoutesMessage['type'],
    answer: RoutesReply['type'],
    version: number,
    timeoutMs: number | null,
  ): Promise<void> {
    const waiting = this.#tell({ type, version })
    const round: Round = { version, answer, waiting, done: Promise.withResolvers() }
    if (waiting.size === 0) return
    this.#round = round
    const timer =
      timeoutMs === null ? null : setTimeout(() => round.done.reject(late(round)), timeoutMs)
    try {
      await round.done.promise
    } finally {
      if (timer !== null) clearTimeout(timer)
      this.#round = null
    }
  }

  #tell(message: RoutesMessage): Map<number, number> {
    const threads = new Map<number, number>()
    for (const worker of this.#owner.workers()) {
      for (const threadId of worker.post(message)) threads.set(threadId, worker.workerId)
    }
    return threads
  }

  #settle({ waiting, done }: Round, threadId: number): void {
    if (waiting.delete(threadId) && waiting.size === 0) done.resolve()
  }
}

function late({ waiting }: Round): RrError {
  const workers = [...new Set(waiting.values())].join(', ')
  return routesError(`worker ${workers} did not load the new ones in time`)
}
