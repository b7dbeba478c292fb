import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { RrError } from '@rr/core'
import { type CpuGrant, grantedCpus } from './cpu-count.ts'
import type { WorkerServer } from './server.ts'
import type { EventListener } from './server-events.ts'
import {
  resolveServerOptions,
  type ServerOptionsInput,
  type ServerSettings,
} from './server-options.ts'
import { Supervisor } from './supervisor.ts'

/** What `serve()` takes: the rows of SERVER_OPTIONS, the HTTP options of `@rr/core`, and these. */
export interface ServeOptions extends ServerOptionsInput {
  /**
   * Told what happens, on the thread that called `serve()`. Without it troubles go to the console.
   */
  readonly onEvent?: EventListener | undefined
  /**
   * A module that each worker imports before the application; it exports `createWorkerHooks`, a
   * `CreateWorkerHooks`.
   */
  readonly workerHooks?: URL | undefined
  /** Copied to each worker (structured clone) and given to `createWorkerHooks`. */
  readonly workerHooksData?: unknown
}

/**
 * Serves an application on every core: one worker thread each, all on one port.
 *
 * @param app the application's module, by URL or path; its default export is a router, a handler,
 *   an object with `fetch` or what `defineApp` returns
 * @returns the server, once all workers listen
 * @throws RrError RR_OPTION_UNKNOWN, RR_OPTION_INVALID; RR_BIND_FAILED when the address is in use or
 *   not permitted; RR_APPLICATION_FAILED when the application can't be loaded or its setup fails,
 *   with the error as cause; RR_WORKER_FAILED when a worker ends otherwise before it listens
 *
 * @example
 * const server = await serve(new URL('./app.ts', import.meta.url), { port: 8080, workers: 4 })
 * process.once('SIGTERM', () => server.drain())
 */
export async function serve(app: URL | string, options: ServeOptions = {}): Promise<WorkerServer> {
  const applicationUrl = urlOfModule(app)
  const settings = resolveServerOptions(options)
  const grant = workerCount(settings.workers)
  const supervisor = new Supervisor({
    settings,
    workers: grant.count,
    workersReason: grant.reason,
    applicationUrl,
    hooksUrl: options.workerHooks === undefined ? null : options.workerHooks.href,
    hooksData: options.workerHooksData,
    onEvent: options.onEvent,
  })
  await supervisor.start()
  return supervisor
}

function workerCount(workers: ServerSettings['workers']): CpuGrant {
  return workers === 'auto' ? grantedCpus() : { count: workers, reason: 'as configured' }
}

function urlOfModule(app: unknown): string {
  if (app instanceof URL) return app.href
  if (typeof app !== 'string' || app === '') {
    const what = app === '' ? 'an empty string' : app === null ? 'null' : typeof app
    throw new RrError(
      'RR_OPTION_INVALID',
      `serve() takes a module's URL or path, not ${what}; listen() takes the application itself`,
    )
  }
  return app.startsWith('file:') ? app : pathToFileURL(resolve(app)).href
}
