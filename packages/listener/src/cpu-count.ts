import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'

/** How many CPUs the process may use, and why, in words. */
export interface CpuGrant {
  readonly count: number
  readonly reason: string
}

/**
 * The CPUs that affinity and the cgroup quota really grant. A quota of 1.5 CPUs counts as 2: a
 * second worker is needed to use it up.
 *
 * `os.availableParallelism()` is only the fallback: it rounds a quota down.
 *
 * @param root where proc/ and sys/ are; tests give a folder of their own
 */
export function grantedCpus(root = '/', available: number = availableParallelism()): CpuGrant {
  const allowed = affinityCount(readText(root, 'proc/self/status'))
  const count = allowed ?? available
  const source = allowed === null ? 'the system has' : 'affinity allows'
  const quota = cgroupQuota(root)
  if (quota === null || quota >= count) return { count, reason: `${source} ${cpus(count)}` }
  const granted = Math.max(1, Math.ceil(quota))
  const rounded = granted === quota ? '' : `, rounded up to ${granted}`
  return {
    count: granted,
    reason: `the cgroup quota is ${cpus(Number(quota.toFixed(2)))}${rounded}, of ${count} that ${source}`,
  }
}

function cpus(count: number): string {
  return count === 1 ? '1 CPU' : `${count} CPUs`
}

/** CPUs in the affinity list of /proc/self/status (proc_pid_status(5)), or null. */
export function affinityCount(status: string | null): number | null {
  const list = /^Cpus_allowed_list:\s*([\d,-]+)$/m.exec(status ?? '')?.[1]
  if (list === undefined) return null
  let count = 0
  for (const range of list.split(',')) {
    const [first, last = first] = range.split('-')
    const length = Number(last) - Number(first) + 1
    if (first === '' || !(length > 0)) return null
    count += length
  }
  return count
}

/** The least quota from this process's cgroup up to the root, in CPUs; null for none. */
export function cgroupQuota(root: string): number | null {
  const paths = readText(root, 'proc/self/cgroup')
  if (paths === null) return null
  const mounts = parseMounts(readText(root, 'proc/self/mountinfo') ?? '')
  let least: number | null = null
  for (const line of paths.split('\n')) {
    const group = parseGroup(line)
    if (group === null) continue
    for (const folder of foldersUp(mounts[group.version], group.path)) {
      const quota = group.version === 2 ? quotaV2(root, folder) : quotaV1(root, folder)
      if (quota !== null && (least === null || quota < least)) least = quota
    }
  }
  return least
}

interface Mount {
  /** Where the hierarchy is mounted, and which of its groups is at that place. */
  readonly folder: string
  readonly group: string
}
type Mounts = { 1: Mount; 2: Mount }

/** Finds the cgroup mounts in mountinfo (proc_pid_mountinfo(5)); the usual places without it. */
function parseMounts(mountinfo: string): Mounts {
  const mounts: Mounts = {
    1: { folder: '/sys/fs/cgroup/cpu', group: '/' },
    2: { folder: '/sys/fs/cgroup', group: '/' },
  }
  for (const line of mountinfo.split('\n')) {
    const [place = '', system = ''] = line.split(' - ')
    const [, , , group, folder] = place.split(' ')
    const [type, , options = ''] = system.split(' ')
    if (group === undefined || folder === undefined) continue
    if (type === 'cgroup2') mounts[2] = { folder, group }
    else if (type === 'cgroup' && options.split(',').includes('cpu')) mounts[1] = { folder, group }
  }
  return mounts
}

/** A line of /proc/self/cgroup: `0::/path` for version 2, `4:cpu,cpuacct:/path` for version 1. */
function parseGroup(line: string): { version: 1 | 2; path: string } | null {
  const [, hierarchy, controllers, path] = /^(\d+):([^:]*):(\/.*)$/.exec(line) ?? []
  if (path === undefined || controllers === undefined) return null
  if (hierarchy === '0' && controllers === '') return { version: 2, path }
  return controllers.split(',').includes('cpu') ? { version: 1, path } : null
}

/** The folders of a group and of all above it that the mount shows. */
function foldersUp(mount: Mount, path: string): string[] {
  const parts = relativeGroup(mount.group, path)
    .split('/')
    .filter((part) => part !== '')
  return Array.from({ length: parts.length + 1 }, (_, count) =>
    join(mount.folder, ...parts.slice(0, parts.length - count)),
  )
}

/** In a container the mount shows only a part of the hierarchy, and the path may lead out of it. */
function relativeGroup(mounted: string, path: string): string {
  if (path.includes('/..')) return ''
  if (mounted === '/') return path
  return path === mounted || path.startsWith(`${mounted}/`) ? path.slice(mounted.length) : ''
}

/** `cpu.max`: quota and period in microseconds, or `max` for no quota. */
function quotaV2(root: string, folder: string): number | null {
  const [quota, period = '100000'] = (readText(root, folder, 'cpu.max') ?? '').trim().split(/\s+/)
  return ratio(quota, period)
}

/** `cpu.cfs_quota_us` is -1 for no quota. */
function quotaV1(root: string, folder: string): number | null {
  const quota = readText(root, folder, 'cpu.cfs_quota_us')
  const period = readText(root, folder, 'cpu.cfs_period_us')
  return quota === null || period === null ? null : ratio(quota.trim(), period.trim())
}

function ratio(quota: string | undefined, period: string): number | null {
  if (!/^\d+$/.test(quota ?? '') || !/^\d+$/.test(period)) return null
  const value = Number(quota) / Number(period)
  return Number.isFinite(value) && value > 0 ? value : null
}

function readText(root: string, ...path: string[]): string | null {
  try {
    return readFileSync(join(root, ...path), 'utf8')
  } catch {
    return null
  }
}
