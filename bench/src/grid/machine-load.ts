import { readFileSync } from 'node:fs'
import { sampleProcessTree } from './process-tree.ts'

/** USER_HZ, as in /proc/PID/stat. */
const MICROSECONDS_PER_TICK = 10_000

/** What took CPU time besides the server and the driver, in cores: 1 for a whole one. */
export interface Disturbance {
  /** Other programs of this machine. */
  readonly otherCpu: number
  /** The host of a virtual machine, which gave the time to another one. */
  readonly stolenCpu: number
}

/** From here on other programs, or the host, are a likely reason for a figure. In cores. */
export const NOTED_DISTURBANCE = 0.1

interface CpuTimes {
  readonly busyMicroseconds: number
  readonly stolenMicroseconds: number
}

/** Watches the machine from now on. The function that is returned says what happened since. */
export function watchDisturbance(): () => Disturbance {
  const before = readTimes()
  return () => {
    const now = readTimes()
    const wallMicroseconds = Math.max(1, now.atMicroseconds - before.atMicroseconds)
    const other = now.busyMicroseconds - before.busyMicroseconds - (now.own - before.own)
    return {
      // Clock ticks are counted at different moments, so that an idle machine may come out below 0.
      otherCpu: Math.max(0, other / wallMicroseconds),
      stolenCpu: (now.stolenMicroseconds - before.stolenMicroseconds) / wallMicroseconds,
    }
  }
}

function readTimes(): CpuTimes & { readonly own: number; readonly atMicroseconds: number } {
  return {
    ...parseCpuTimes(readFileSync('/proc/stat', 'latin1')),
    // Servers and drivers are children of this process, those that have ended included.
    own: sampleProcessTree(process.pid).cpuMicroseconds,
    atMicroseconds: performance.now() * 1000,
  }
}

/**
 * Reads the sum of all CPUs in /proc/stat. Interrupts are left out: on loopback they are mostly
 * the load itself, and whether processes are charged for them depends on the kernel.
 */
export function parseCpuTimes(stat: string): CpuTimes {
  const match = /^cpu +(.+)$/m.exec(stat)
  const [user = 0, nice = 0, system = 0, , , , , stolen = 0] = (match?.[1] ?? '')
    .split(' ')
    .map(Number)
  if (match === null) throw new Error('unexpected /proc/stat')
  return {
    busyMicroseconds: (user + nice + system) * MICROSECONDS_PER_TICK,
    stolenMicroseconds: stolen * MICROSECONDS_PER_TICK,
  }
}
