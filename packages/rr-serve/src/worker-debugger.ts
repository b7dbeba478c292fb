import { close, open, url } from 'node:inspector'
import { type DebuggedWorker, isLoopback } from './debugged-worker.ts'
import type { Logger } from './logger.ts'

/** How often a port that is taken is tried again: the worker before this one may still hold it. */
const RETRY_MS = 200

/** Opens a debugger on this worker, now or once its port is free. Never fails the worker. */
export function openDebugger({ host, port }: DebuggedWorker, log: Logger): { close(): void } {
  if (!isLoopback(host)) {
    log.warn({ host, port }, `the debugger at ${host} lets whoever reaches it run any code here`)
  }
  let timer: NodeJS.Timeout | null = null
  let isWaiting = false
  const tryOpen = (): void => {
    timer = null
    try {
      open(port, host)
    } catch (error) {
      log.warn({ err: error }, 'the debugger cannot be opened')
      return
    }
    const address = url()
    if (address !== undefined) {
      log.info({ url: address }, `debugger listening on ${address}`)
      return
    }
    if (!isWaiting) log.info({ host, port }, `the debugger waits for port ${port}, which is taken`)
    isWaiting = true
    timer = setTimeout(tryOpen, RETRY_MS).unref()
  }
  tryOpen()
  return {
    close: () => {
      if (timer !== null) clearTimeout(timer)
      if (url() !== undefined) close()
    },
  }
}
