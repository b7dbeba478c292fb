import { readFileSync } from 'node:fs'

/** Descriptors that the process needs besides connections: files, listening sockets, event loops. */
const OTHER_DESCRIPTORS = 100

/**
 * Why the process cannot hold `maxConnections`, in words, or null when it can. At the limit of open
 * files the system takes connections that it cannot hand over: they wait, and nobody hears of them.
 *
 * @param limits what /proc/self/limits holds (proc_pid_limits(5)); null where there is none
 */
export function descriptorShortage(maxConnections: number, limits: string | null): string | null {
  const softLimit = /^Max open files\s+(\d+)/m.exec(limits ?? '')?.[1]
  if (softLimit === undefined) return null
  const needed = maxConnections + OTHER_DESCRIPTORS
  if (Number(softLimit) >= needed) return null
  return (
    `the process may open ${softLimit} files, and ${maxConnections} connections need about ${needed}: ` +
    'raise the limit (ulimit -n) or lower maxConnections'
  )
}

/** The limits of this process, or null where the system does not tell. */
export function readProcessLimits(): string | null {
  try {
    return readFileSync('/proc/self/limits', 'latin1')
  } catch {
    return null
  }
}
