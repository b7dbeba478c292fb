import { setTimeout as delay } from 'node:timers/promises'
import type { BenchServer, LoadDriver, LoadPlan, LoadResult, Scenario } from '../model.ts'
import type { CpuPlan } from './cpu-plan.ts'
import { chooseDriver } from './driver-choice.ts'
import { watchDisturbance } from './machine-load.ts'
import { sampleProcessTree } from './process-tree.ts'
import type { GridOptions, MeasuredRun } from './result-file.ts'
import { startServerRun } from './server-run.ts'

/** What one run is to measure. */
export interface RunRequest {
  readonly scenario: Scenario
  readonly server: BenchServer
  readonly rate: number | null
}

/** A driver that takes this much longer than it was asked to is stuck. */
const DRIVER_GRACE_MS = 30_000

export interface MeasureContext {
  readonly drivers: readonly LoadDriver[]
  readonly cpus: CpuPlan
  readonly options: GridOptions
}

/**
 * One run: a fresh server process, warm-up in the closed loop, then the load that counts.
 *
 * @throws Error when the server does not start or ends, the driver fails, or none can do it
 */
export async function measureRun(
  { scenario, server, rate }: RunRequest,
  { drivers, cpus, options }: MeasureContext,
  signal: AbortSignal,
): Promise<MeasuredRun> {
  const { workers, seconds, warmUpSeconds, driver: preferred } = options
  const run = await startServerRun(server, { workers, cpus: cpus.server, signal })
  try {
    const drive = (plan: { rate: number | null; seconds: number }): Promise<LoadResult> => {
      const whole = { url: run.url, scenario, cpus: cpus.driver, ...plan }
      return driveLoad(drivers, whole, preferred, signal)
    }
    if (warmUpSeconds > 0) await drive({ rate: null, seconds: warmUpSeconds })
    const disturbance = watchDisturbance()
    const before = sampleProcessTree(run.pid)
    const load = await drive({ rate, seconds })
    const after = sampleProcessTree(run.pid, before.members)
    if (!run.isRunning()) throw new Error(`${server.name} ended under load`)
    return {
      load,
      serverCpuMicroseconds: after.cpuMicroseconds - before.cpuMicroseconds,
      serverPeakRssBytes: after.peakRssBytes,
      serverProcesses: after.members.length,
      disturbance: disturbance(),
    }
  } finally {
    await run.end()
  }
}

async function driveLoad(
  drivers: readonly LoadDriver[],
  plan: LoadPlan,
  preferred: string,
  signal: AbortSignal,
): Promise<LoadResult> {
  const driver = chooseDriver(drivers, plan, preferred)
  if (driver === null) {
    const kind = plan.rate === null ? 'in the closed loop' : 'at a constant rate'
    throw new Error(`no driver can put on ${plan.scenario.name} ${kind}`)
  }
  return before(driver.run(plan), plan.seconds * 2000 + DRIVER_GRACE_MS, driver.name, signal)
}

/** The promise's value, or a rejection when the signal or the deadline comes first. */
async function before<T>(
  promise: Promise<T>,
  timeoutMs: number,
  name: string,
  signal: AbortSignal,
): Promise<T> {
  signal.throwIfAborted()
  const settled = new AbortController()
  const aborted = Promise.withResolvers<never>()
  const onAbort = (): void => aborted.reject(signal.reason)
  signal.addEventListener('abort', onAbort)
  const late = delay(timeoutMs, undefined, { signal: settled.signal }).then(
    () => Promise.reject(new Error(`${name} did not end`)),
    // The race is over, so this outcome reaches nobody.
    () => Promise.reject(new Error('cancelled')),
  )
  late.catch(() => undefined)
  promise.catch(() => undefined)
  try {
    return await Promise.race([promise, late, aborted.promise])
  } finally {
    settled.abort()
    signal.removeEventListener('abort', onAbort)
  }
}
