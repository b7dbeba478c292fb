import { randomUUID } from 'node:crypto'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ReloadOptions } from '@rr/listener'
import { stampOf } from './file-stamp.ts'
import { FileWatch } from './file-watch.ts'
import type { Logger } from './logger.ts'
import { hearModuleReports } from './module-report.ts'

/** What a worker that is replaced has for its open requests: who develops will not wait for more. */
const DRAIN_TIMEOUT_MS = 1000
/**
 * What a new worker has until it listens. A change is looked for when the reload before it has ended:
 * code that waits for ever at its top level must not be the last that is tried.
 */
const START_TIMEOUT_MS = 30_000

/** How the server is reloaded at a change. */
export const WATCH_RELOAD: ReloadOptions = {
  timeoutMs: DRAIN_TIMEOUT_MS,
  startTimeoutMs: START_TIMEOUT_MS,
}

/** As long as a worker may stand at a breakpoint while it loads. */
export const WATCH_DEBUGGED_RELOAD: ReloadOptions = { timeoutMs: DRAIN_TIMEOUT_MS }

/** Watches what the application consists of, as its workers report it. */
export class WatchMode {
  /** The channel on which workers report. */
  readonly channelName: string = `rr-watch-${randomUUID()}`
  readonly #files: FileWatch
  readonly #reports: { close(): void }
  readonly #stopped: AbortController = new AbortController()

  /** @param paths as the option `watchPath` has them */
  constructor(application: URL, paths: string, log: Logger) {
    const given = paths.split(',').filter((path) => path !== '')
    this.#files = new FileWatch(given.map((path) => resolve(path)))
    const path = fileURLToPath(application)
    this.#files.add(path, stampOf(path))
    this.#reports = hearModuleReports(this.channelName, (file) =>
      this.#files.add(file.path, file.stamp),
    )
    if (this.#files.isCut) log.warn('the folders of --watch-path hold too many files to watch all')
  }

  /** Resolves with the files that have changed since the last call; with null once it is stopped. */
  async nextChange(): Promise<readonly string[] | null> {
    try {
      return await this.#files.nextChange(this.#stopped.signal)
    } catch (error) {
      if (this.#stopped.signal.aborted) return null
      throw error
    }
  }

  stop(): void {
    this.#reports.close()
    this.#stopped.abort()
  }
}
