import { mkdtempSync, readdirSync, readlinkSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { listen, type ServerEvent } from '@rr/listener'
import type { Test } from 'tap'
import { type RawAnswer, rawRequest } from './raw-request.ts'

/** A temporary folder by its real path, removed at the end of the test. */
export function temporaryFolder(t: Test): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'rr-files-')))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export interface FileServer {
  readonly port: number
  readonly url: string
  readonly events: readonly ServerEvent[]
  get(target: string, headers?: Record<string, string>, method?: string): Promise<RawAnswer>
}

/** Serves an application in this thread, on a port of its own. */
export async function serveFiles(t: Test, app: unknown): Promise<FileServer> {
  const events: ServerEvent[] = []
  const server = await listen(app, {
    host: '127.0.0.1',
    port: 0,
    onEvent: (event) => void events.push(event),
  })
  t.teardown(() => server.stop())
  const port = Number(new URL(server.url).port)
  return {
    port,
    url: server.url,
    events,
    get: (target, headers = {}, method = 'GET') => {
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
      return rawRequest(port, target, { method, headers: lines.join('') })
    },
  }
}

/** How many descriptors of this process are open on files in a folder; 0 where none can tell. */
export function openFilesIn(folder: string): number {
  if (process.platform !== 'linux') return 0
  let count = 0
  for (const fd of readdirSync('/proc/self/fd')) {
    try {
      if (readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder)) count++
    } catch {
      // The descriptor that listed the folder.
    }
  }
  return count
}

/** Waits until no file in the folder is open. */
export async function untilClosed(folder: string, timeoutMs = 10_000): Promise<boolean> {
  const endMs = performance.now() + timeoutMs
  while (openFilesIn(folder) > 0) {
    if (performance.now() > endMs) return false
    await delay(5)
  }
  return true
}
