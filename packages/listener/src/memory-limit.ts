import { getHeapStatistics } from 'node:v8'
import { leastInCgroups, readText } from './cgroup.ts'

const MIB = 2 ** 20

/** Of the memory granted; the rest is for buffers, stacks, code and the main thread. */
const HEAP_SHARE = 0.75

/**
 * Why the workers may fill more memory than the cgroup grants, in words, or null when they fit. Each
 * takes V8's own heap limit for itself, and V8 does not know of the others. Past the cgroup's limit
 * the kernel kills the process with all its workers, whereas one that is past a limit of its own is
 * replaced alone.
 *
 * @param heapMb the option `workerHeapMb`; 0 for V8's own limit
 * @param root where proc/ and sys/ are; tests give a folder of their own
 * @param defaultHeapBytes V8's own limit
 */
export function memoryShortage(
  workers: number,
  heapMb: number,
  root = '/',
  defaultHeapBytes: number = getHeapStatistics().heap_size_limit,
): string | null {
  const granted = cgroupMemoryBytes(root)
  if (granted === null) return null
  const heapBytes = heapMb === 0 ? defaultHeapBytes : heapMb * MIB
  const wanted = workers * heapBytes
  if (wanted <= granted) return null
  const fitting = Math.max(1, Math.floor((granted * HEAP_SHARE) / workers / MIB))
  return (
    `the cgroup grants ${toMiB(granted)} MiB of memory, and the heaps of ${workers} workers may take ` +
    `${toMiB(wanted)}: past the first the kernel kills the process, not a worker; ` +
    `a workerHeapMb of ${fitting} would fit`
  )
}

/** The least memory limit from this process's cgroup up to the root, in bytes; null for none. */
export function cgroupMemoryBytes(root: string): number | null {
  return leastInCgroups(root, 'memory', (version, folder) => {
    const file = version === 2 ? 'memory.max' : 'memory.limit_in_bytes'
    return parseBytes(readText(root, folder, file))
  })
}

/** Version 2 has `max` for no limit, version 1 a number that no machine has: the largest of whole pages. */
function parseBytes(text: string | null): number | null {
  const bytes = /^\d+$/.test(text?.trim() ?? '') ? Number(text) : 0
  return bytes > 0 && bytes < Number.MAX_SAFE_INTEGER ? bytes : null
}

function toMiB(bytes: number): number {
  return Math.round(bytes / MIB)
}
