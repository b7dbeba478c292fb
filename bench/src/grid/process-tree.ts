import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Clock ticks a second in /proc/PID/stat: USER_HZ, which is 100 on every Linux that Node runs on. */
const MICROSECONDS_PER_TICK = 10_000

/** A process; the start time tells it from a later one with the same number. */
export interface ProcessIdentity {
  readonly pid: number
  readonly startTicks: number
}

/** A process tree at one moment. */
export interface TreeSample {
  readonly members: readonly ProcessIdentity[]
  /** User and system time so far: all threads of all members, and children they waited for. */
  readonly cpuMicroseconds: number
  /**
   * The sum of each member's own peak of resident memory (VmHWM). Memory that members share counts
   * once for each, and the peaks need not have come at the same moment: an upper bound.
   */
  readonly peakRssBytes: number
  /** The sum of each member's resident memory (VmRSS) now; what they share counts once for each. */
  readonly rssBytes: number
}

interface ProcessStat extends ProcessIdentity {
  readonly parent: number
  readonly ticks: number
}

/**
 * Reads a process and all its descendants.
 *
 * @param known members of an earlier sample: they stay members when their parent has ended and
 *   they became children of init
 * @param procRoot where the proc file system is
 */
export function sampleProcessTree(
  root: number,
  known: readonly ProcessIdentity[] = [],
  procRoot = '/proc',
): TreeSample {
  const processes = readProcesses(procRoot)
  const members = membersOf(processes, root, known)
  let ticks = 0
  let peakRssBytes = 0
  let rssBytes = 0
  for (const member of members) {
    // A zombie has no memory and no such lines.
    const status = readIfThere(join(procRoot, String(member.pid), 'status')) ?? ''
    ticks += member.ticks
    peakRssBytes += readKilobytes(status, 'VmHWM')
    rssBytes += readKilobytes(status, 'VmRSS')
  }
  return {
    members: members.map(({ pid, startTicks }) => ({ pid, startTicks })),
    cpuMicroseconds: ticks * MICROSECONDS_PER_TICK,
    peakRssBytes,
    rssBytes,
  }
}

function membersOf(
  processes: ReadonlyMap<number, ProcessStat>,
  root: number,
  known: readonly ProcessIdentity[],
): ProcessStat[] {
  const children = Map.groupBy(processes.values(), (process) => process.parent)
  const members = new Map<number, ProcessStat>()
  const pending = [processes.get(root), ...known.map((identity) => find(processes, identity))]
  for (let process = pending.shift(); ; process = pending.shift()) {
    if (process !== undefined && !members.has(process.pid)) {
      members.set(process.pid, process)
      pending.push(...(children.get(process.pid) ?? []))
    }
    if (pending.length === 0) return [...members.values()]
  }
}

function find(
  processes: ReadonlyMap<number, ProcessStat>,
  { pid, startTicks }: ProcessIdentity,
): ProcessStat | undefined {
  const process = processes.get(pid)
  return process?.startTicks === startTicks ? process : undefined
}

function readProcesses(procRoot: string): ReadonlyMap<number, ProcessStat> {
  const processes = new Map<number, ProcessStat>()
  for (const name of readdirSync(procRoot)) {
    if (!/^\d+$/.test(name)) continue
    const stat = readIfThere(join(procRoot, name, 'stat'))
    if (stat !== null) processes.set(Number(name), parseProcessStat(stat))
  }
  return processes
}

/** @param stat the content of /proc/PID/stat, whose second field may hold spaces and parentheses */
export function parseProcessStat(stat: string): ProcessStat {
  // Numbered as in proc_pid_stat(5), where the first field after the name is 3.
  const rest = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const field = (number: number): number => Number(rest[number - 3])
  const ticks = field(14) + field(15) + field(16) + field(17)
  const process = {
    pid: Number.parseInt(stat, 10),
    parent: field(4),
    startTicks: field(22),
    ticks,
  }
  if (Object.values(process).some((value) => !Number.isFinite(value))) {
    throw new Error(`unexpected /proc/PID/stat: ${stat}`)
  }
  return process
}

/** A line of /proc/PID/status, in bytes; 0 where it is not there. */
function readKilobytes(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0) * 1024
}

/** Null when the process has ended since its folder was listed. */
function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return null
  }
}

/** Ends processes at once; those that have ended, or whose number is another's now, are let be. */
export function killProcesses(identities: readonly ProcessIdentity[]): void {
  for (const { pid, startTicks } of identities) {
    const stat = readIfThere(`/proc/${pid}/stat`)
    if (stat === null || parseProcessStat(stat).startTicks !== startTicks) continue
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // Ended in between.
    }
  }
}

/** Ends everything that this process started and that still runs. */
export function killDescendants(): void {
  const { members } = sampleProcessTree(process.pid)
  killProcesses(members.filter(({ pid }) => pid !== process.pid))
}
