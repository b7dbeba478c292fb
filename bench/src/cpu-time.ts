import { readFileSync } from 'node:fs'

/** Clock ticks a second in /proc/PID/stat: USER_HZ, which is 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100

/**
 * User and system time of a process with all its threads so far, in microseconds (proc(5), fields
 * utime and stime of /proc/PID/stat).
 */
export function processCpuMicroseconds(pid: number): number {
  return parseCpuMicroseconds(readFileSync(`/proc/${pid}/stat`, 'latin1'))
}

/** @param stat the content of /proc/PID/stat, whose second field may hold spaces and parentheses */
export function parseCpuMicroseconds(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  // utime and stime are fields 14 and 15; the first after the name is field 3.
  const ticks = Number(fields[11]) + Number(fields[12])
  if (!Number.isFinite(ticks)) throw new Error('unexpected /proc/PID/stat')
  return (ticks * 1_000_000) / TICKS_PER_SECOND
}
