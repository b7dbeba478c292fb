import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, release, totalmem, type } from 'node:os'
import { promisify } from 'node:util'
import { readCores } from './cpu-plan.ts'
import type { MachineFacts, ResultFile } from './result-file.ts'

/** Kernel settings that change what a load test on loopback gives. */
const SYSCTLS = [
  'net.core.somaxconn',
  'net.core.netdev_max_backlog',
  'net.core.rmem_max',
  'net.core.wmem_max',
  'net.ipv4.tcp_max_syn_backlog',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_wmem',
  'net.ipv4.tcp_tw_reuse',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_congestion_control',
  'kernel.sched_autogroup_enabled',
]

export function readMachineFacts(): MachineFacts {
  const cpuInfo = readOr('/proc/cpuinfo', '')
  return {
    cpuModel: cpus()[0]?.model.trim() ?? 'unknown',
    cpuCount: availableParallelism(),
    physicalCoreCount: readCores().length,
    memoryBytes: totalmem(),
    kernel: `${type()} ${release()}`,
    isVirtual: /^flags\s*:.*\bhypervisor\b/m.test(cpuInfo),
    frequencyGovernor:
      readOr('/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor', '').trim() || null,
    maxOpenFiles: /^Max open files\s+(\S+)/m.exec(readOr('/proc/self/limits', ''))?.[1] ?? '?',
    sysctls: readSysctls(),
  }
}

function readSysctls(): Readonly<Record<string, string>> {
  const values: Record<string, string> = {}
  for (const name of SYSCTLS) {
    const value = readOr(`/proc/sys/${name.replaceAll('.', '/')}`, '').trim()
    if (value !== '') values[name] = value.replaceAll(/\s+/g, ' ')
  }
  return values
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return otherwise
  }
}

/** The commit that is measured; null outside of a git work tree. */
export async function readCommit(folder: string): Promise<ResultFile['commit']> {
  try {
    const git = async (...parameters: string[]): Promise<string> =>
      (await promisify(execFile)('git', ['-C', folder, ...parameters])).stdout.trim()
    const hash = await git('rev-parse', 'HEAD')
    return { hash, isDirty: (await git('status', '--porcelain')) !== '' }
  } catch {
    return null
  }
}

export async function hasTaskset(): Promise<boolean> {
  try {
    await promisify(execFile)('taskset', ['--version'])
    return true
  } catch {
    return false
  }
}
