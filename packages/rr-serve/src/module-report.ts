import { registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'
import { BroadcastChannel } from 'node:worker_threads'
import { type FileStamp, MISSING, stampOf } from './file-stamp.ts'
import { isApplicationFile } from './typescript-hooks.ts'

/** A file that a worker has loaded, or looked for. */
export interface ReportedFile {
  readonly path: string
  /** As it was right before it was read, so that a change that follows is never missed. */
  readonly stamp: FileStamp
}

/** In a worker: tells the main thread, through the channel of that name, which files it loads. */
export class ModuleReport {
  readonly #channel: BroadcastChannel

  constructor(channelName: string) {
    this.#channel = new BroadcastChannel(channelName)
    this.#channel.unref()
    registerHooks({
      resolve: (specifier, context, nextResolve) => {
        try {
          return nextResolve(specifier, context)
        } catch (error) {
          this.#reportMissing(specifier, context.parentURL)
          throw error
        }
      },
    })
  }

  /** For the load hook. */
  readonly onLoad = (url: string): void => {
    const path = pathOf(url)
    if (path !== null) this.#report({ path, stamp: stampOf(path) })
  }

  close(): void {
    this.#channel.close()
  }

  /** An import that leads nowhere: the file is waited for. */
  #reportMissing(specifier: string, parentUrl: string | undefined): void {
    if (!/^(?:\.{0,2}\/|file:)/.test(specifier) || parentUrl === undefined) return
    if (!isApplicationFile(parentUrl)) return
    const path = URL.canParse(specifier, parentUrl)
      ? pathOf(new URL(specifier, parentUrl).href)
      : null
    if (path !== null && stampOf(path) === MISSING) this.#report({ path, stamp: MISSING })
  }

  #report(file: ReportedFile): void {
    this.#channel.postMessage(file)
  }
}

/** On the main thread: gives each file that a worker reports to `onFile`. Keeps no process alive. */
export function hearModuleReports(
  channelName: string,
  onFile: (file: ReportedFile) => void,
): { close(): void } {
  const channel = new BroadcastChannel(channelName)
  channel.onmessage = (event) => onFile((event as { data: ReportedFile }).data)
  channel.unref()
  return channel
}

function pathOf(url: string): string | null {
  try {
    return fileURLToPath(url)
  } catch {
    return null
  }
}
