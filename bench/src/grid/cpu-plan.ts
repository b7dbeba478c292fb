import { readFileSync } from 'node:fs'

/** Which CPUs the server and the driver are bound to; empty for none in particular. */
export interface CpuPlan {
  readonly server: readonly number[]
  readonly driver: readonly number[]
  /** One sentence for the progress and the results. */
  readonly note: string
}

export interface CpuPlanInput {
  /** CPUs that this process may use, each group being one physical core. */
  readonly cores: readonly (readonly number[])[]
  readonly workers: number
  readonly hasTaskset: boolean
}

/**
 * Shares the cores: one for each worker of the server and the rest for the driver, so that neither
 * takes time from the other. Where that leaves nothing for the driver, both use everything, since
 * fewer cores than workers would measure the scheduler.
 */
export function planCpus({ cores, workers, hasTaskset }: CpuPlanInput): CpuPlan {
  if (!hasTaskset) return unbound('taskset is missing, so nothing is bound to a core')
  const cpus = cores.flat()
  if (cpus.length < 2) return unbound('there is one CPU, which server and driver share')
  if (workers < cores.length) {
    const server = cores.slice(0, workers).map((core) => core[0] as number)
    const driver = cores.slice(workers).flat()
    return { server, driver, note: describe(server, driver, 'on different cores') }
  }
  if (workers < cpus.length) {
    // Hardware threads of one core: better than one CPU for both, and said aloud.
    const order = [...cores.map((core) => core[0] as number), ...cores.flatMap((c) => c.slice(1))]
    const server = order.slice(0, workers)
    const driver = order.slice(workers)
    return { server, driver, note: describe(server, driver, 'which share physical cores') }
  }
  return unbound(
    `${count(workers, 'worker')} and the driver share all ${cpus.length} CPUs: throughput and ` +
      'latency are those of both together; CPU time per request is still that of the server',
  )
}

function unbound(note: string): CpuPlan {
  return { server: [], driver: [], note }
}

function describe(server: readonly number[], driver: readonly number[], how: string): string {
  return `server on CPU ${server.join(', ')}, driver on CPU ${driver.join(', ')}, ${how}`
}

const count = (number: number, noun: string): string =>
  `${number} ${noun}${number === 1 ? '' : 's'}`

/** CPUs that this process may run on, grouped by physical core, ascending. */
export function readCores(): readonly (readonly number[])[] {
  const status = readFileSync('/proc/self/status', 'latin1')
  const allowed = parseCpuList(/^Cpus_allowed_list:\s+(\S+)$/m.exec(status)?.[1] ?? '0')
  const groups = Map.groupBy(allowed, (cpu) => readSiblings(cpu)[0] ?? cpu)
  return [...groups.values()]
}

function readSiblings(cpu: number): readonly number[] {
  try {
    const path = `/sys/devices/system/cpu/cpu${cpu}/topology/thread_siblings_list`
    return parseCpuList(readFileSync(path, 'latin1').trim())
  } catch {
    // Some containers hide the topology: then every CPU counts as a core.
    return [cpu]
  }
}

/** Reads lists such as `0-2,5`. */
export function parseCpuList(list: string): readonly number[] {
  return list.split(',').flatMap((part) => {
    const [first = 0, last = first] = part.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, index) => first + index)
  })
}
