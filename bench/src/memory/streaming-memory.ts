import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type ServerRun, startServerRun } from '../grid/server-run.ts'
import type { BenchServer } from '../model.ts'
import type { Transfer } from './transfers.ts'

const MIB = 1_048_576
/**
 * Streamed before the measurement, to compile what is used and bring the heap to its size. V8 lets
 * that much garbage in buffers come together before it collects any: a program that does nothing
 * but allocate 512 MiB in buffers of 64 KiB, and keeps none, grows by 82 MiB on Node 26.
 */
const WARM_UP_BYTES = 64 * MIB

/** By how much a server grew while something was streamed through it. */
export interface MemoryGrowth {
  readonly name: string
  /** Resident when nothing had been streamed yet. */
  readonly idleMiB: number
  /** Resident before, after the same transfer with 64 MiB. */
  readonly baseMiB: number
  /** The most that was resident in between. */
  readonly peakMiB: number
  readonly growthMiB: number
  readonly seconds: number
}

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))

const STREAMING_SERVER: Pick<BenchServer, 'name' | 'command'> = {
  name: 'rr',
  command: async ({ port, workers }) => ({
    program: process.execPath,
    parameters: [
      path('../../../packages/rr-serve/bin/rr-serve.js'),
      ...['--host', '127.0.0.1', '--port', String(port), '--workers', String(workers)],
      ...['--max-body', String(Number.MAX_SAFE_INTEGER)],
      path('../../servers/streaming-app.ts'),
    ],
    env: {},
    temporary: [],
  }),
}

/**
 * Streams through one worker and tells by how much its process grew: the peak of its resident
 * memory (VmHWM, which the kernel keeps, so that no sample can miss it) over what was resident
 * before. Linux only.
 *
 * Each transfer has a process of its own: what one leaves behind is not the next one's room.
 */
export async function measureStreamingMemory(
  transfers: readonly Transfer[],
  bytes: number,
  report: (growth: MemoryGrowth) => void = () => {},
): Promise<MemoryGrowth[]> {
  const growths: MemoryGrowth[] = []
  for (const transfer of transfers) {
    const { signal } = new AbortController()
    const run = await startServerRun(STREAMING_SERVER, { workers: 1, cpus: [], signal })
    try {
      const growth = await measureOne(run, transfer, bytes)
      growths.push(growth)
      report(growth)
    } finally {
      await run.end()
    }
  }
  return growths
}

async function measureOne(
  { url, pid }: ServerRun,
  { name, run }: Transfer,
  bytes: number,
): Promise<MemoryGrowth> {
  await run(url, 1)
  const idleMiB = readMiB(pid, 'VmRSS')
  await run(url, WARM_UP_BYTES)
  resetPeak(pid)
  const baseMiB = readMiB(pid, 'VmRSS')
  const start = performance.now()
  await run(url, bytes)
  const seconds = (performance.now() - start) / 1000
  const peakMiB = readMiB(pid, 'VmHWM')
  return { name, idleMiB, baseMiB, peakMiB, growthMiB: peakMiB - baseMiB, seconds }
}

/** Where that is not allowed the peak is that since the start: no less, so nothing is hidden. */
function resetPeak(pid: number): void {
  try {
    // Resets VmHWM: proc_pid_clear_refs(5).
    writeFileSync(`/proc/${pid}/clear_refs`, '5')
  } catch {}
}

function readMiB(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  const kilobytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]
  if (kilobytes === undefined) throw new Error(`/proc/${pid}/status has no ${field}`)
  return Number(kilobytes) / 1024
}
