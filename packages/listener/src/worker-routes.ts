import { threadId } from 'node:worker_threads'
import type { Application, RouteTable } from '@rr/core'
import { loadRoutesAnew } from './application-module.ts'
import type { RoutesMessage, RoutesReply } from './messages.ts'
import { serializeError } from './serialized-error.ts'

/** What a worker's routes are changed in. */
export interface RoutesHolder {
  replaceRoutes(routes: RouteTable): void
}

interface Attached {
  readonly application: Application
  readonly holder: RoutesHolder
}

/** The worker's side of `reloadRoutes()`: loads new routes, and serves them once all workers have. */
export class WorkerRoutes {
  readonly #applicationUrl: string
  readonly #post: (reply: RoutesReply) => void
  /** A worker that starts is asked too, and answers when it has something to change. */
  readonly #attached: PromiseWithResolvers<Attached> = Promise.withResolvers()
  /** What was asked for last; answers to anything older are not wanted. */
  #version = 0
  #prepared: (() => void) | null = null

  constructor(applicationUrl: string, post: (reply: RoutesReply) => void) {
    this.#applicationUrl = applicationUrl
    this.#post = post
  }

  /** From now on there are routes, and a place to change them. */
  attach(application: Application, holder: RoutesHolder): void {
    this.#attached.resolve({ application, holder })
  }

  onMessage({ type, version }: RoutesMessage): void {
    if (type === 'prepare-routes') {
      this.#version = version
      this.#prepared = null
      void this.#prepare(version)
      return
    }
    if (version === this.#version) {
      if (type === 'commit-routes') this.#prepared?.()
      this.#prepared = null
      this.#version = 0
    }
    // A thread that has begun since the others prepared has loaded what they change to.
    if (type === 'commit-routes') this.#post({ type: 'routes-committed', version, threadId })
  }

  async #prepare(version: number): Promise<void> {
    const { application, holder } = await this.#attached.promise
    try {
      const routes = await loadRoutesAnew(application, this.#applicationUrl, version)
      if (version !== this.#version) return
      this.#prepared = () => holder.replaceRoutes(routes)
      this.#post({ type: 'routes-prepared', version, threadId })
    } catch (error) {
      const url = application.routesUrl ?? this.#applicationUrl
      this.#post({ type: 'routes-failed', version, threadId, url, error: serializeError(error) })
    }
  }
}
