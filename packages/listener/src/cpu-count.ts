import { availableParallelism } from 'node:os'
import { leastInCgroups, readText } from './cgroup.ts'

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
  return leastInCgroups(root, 'cpu', (version, folder) =>
    version === 2 ? quotaV2(root, folder) : quotaV1(root, folder),
  )
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
