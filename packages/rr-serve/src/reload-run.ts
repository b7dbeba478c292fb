import { relative } from 'node:path'
import type { ReloadOptions, Server } from '@rr/listener'
import type { Logger } from './logger.ts'
import { explainReloadError } from './start-error.ts'

/** Of the files that have changed, so many are named. */
const MAX_NAMED = 3

/** Why the workers are to be replaced. */
export type ReloadReason =
  | { readonly signal: NodeJS.Signals }
  /** Paths of files. */
  | { readonly changed: readonly string[] }

/** Reloads a server, and logs how it went: one line each, with why and how long it took. */
export class ReloadRun {
  readonly #server: Pick<Server, 'reload'>
  readonly #application: string
  readonly #log: Logger
  #underWay = 0

  /** @param application as the user named it */
  constructor(server: Pick<Server, 'reload'>, application: string, log: Logger) {
    this.#server = server
    this.#application = application
    this.#log = log
  }

  get isUnderWay(): boolean {
    return this.#underWay > 0
  }

  /**
   * Never rejects: while new code fails, the old serves on.
   *
   * @param options as for `Server.reload`
   */
  async reload(reason: ReloadReason, options: ReloadOptions = {}): Promise<void> {
    const begunAt = performance.now()
    const why = describeReason(reason)
    this.#underWay++
    try {
      await this.#server.reload(options)
      const durationMs = Math.round(performance.now() - begunAt)
      this.#log.info({ ...reason, durationMs }, `reloaded in ${durationMs} ms: ${why}`)
    } catch (error) {
      const explanation = explainReloadError(error, this.#application)
      this.#log.error(reason, `not reloaded, the code before serves on: ${why}\n${explanation}`)
    } finally {
      this.#underWay--
    }
  }
}

/** In words: `app.ts and 2 more files have changed`. */
export function describeReason(reason: ReloadReason): string {
  if ('signal' in reason) return reason.signal
  return describeChange(reason.changed)
}

export function describeChange(paths: readonly string[]): string {
  const names = paths.slice(0, MAX_NAMED).map((path) => shortPath(path))
  const more = paths.length - names.length
  if (more > 0) return `${names.join(', ')} and ${more} more files have changed`
  return `${names.join(', ')} ${paths.length === 1 ? 'has' : 'have'} changed`
}

function shortPath(path: string): string {
  const short = relative(process.cwd(), path)
  return short.startsWith('..') || short === '' ? path : short
}
