/**
 * A soak: one worker of rr at half of its peak with the mixed workload, and how its resident
 * memory goes. Flat is a slope near 0 once the first tenth of the time is over.
 *
 *     node bench/src/soak.ts [minutes]
 */
import { availableParallelism } from 'node:os'
import { createInRepoDriver } from './drivers/index.ts'
import { leastSquaresSlope } from './grid/least-squares.ts'
import { sampleProcessTree } from './grid/process-tree.ts'
import { startServerRun } from './grid/server-run.ts'
import type { BenchServer, Scenario } from './model.ts'
import { SCENARIOS } from './scenarios/index.ts'
import { SERVERS } from './servers.ts'

const LONGEST_PEAK_SECONDS = 5
const SAMPLE_MS = 1_000
const MEBIBYTE = 1024 * 1024

const [serverCpus, driverCpus] = availableParallelism() > 1 ? [[0], [1]] : [[], []]
const minutes = Number(process.argv[2] ?? 10)
const server = SERVERS.find(({ name }) => name === 'rr') as BenchServer
const scenario = SCENARIOS.find(({ name }) => name === 'mixed_workload') as Scenario
const driver = createInRepoDriver()

/** Never aborted here: Ctrl-C reaches the server too, which is in the same process group. */
const interrupted = new AbortController()

const running = await startServerRun(server, {
  workers: 1,
  cpus: serverCpus,
  signal: interrupted.signal,
})
try {
  const plan = { url: running.url, scenario, cpus: driverCpus }
  const peakSeconds = Math.min(LONGEST_PEAK_SECONDS, minutes * 60)
  const peak = await driver.run({ ...plan, seconds: peakSeconds, rate: null })
  const rate = Math.floor(peak.requests / peak.seconds / 2)
  console.log(`peak ${rate * 2} requests a second; ${minutes} minutes at ${rate}`)

  const samples: [minutes: number, mebibytes: number][] = []
  const startMs = performance.now()
  const timer = setInterval(() => {
    const atMinutes = (performance.now() - startMs) / 60_000
    samples.push([atMinutes, sampleProcessTree(running.pid).rssBytes / MEBIBYTE])
  }, SAMPLE_MS)
  const load = await driver.run({ ...plan, seconds: minutes * 60, rate })
  clearInterval(timer)

  const counted = samples.filter(([atMinutes]) => atMinutes > minutes / 10)
  const sizes = counted.map(([, mebibytes]) => mebibytes)
  const errors = Object.values(load.errors).reduce((sum, count) => sum + count, 0)
  console.log(
    `${load.requests} requests, ${errors} errors${load.isSaturated ? ', rate not kept' : ''}\n` +
      `resident memory after the first tenth: ${sizes[0]?.toFixed(1)} MiB at first, ` +
      `${sizes.at(-1)?.toFixed(1)} at last, ${Math.min(...sizes).toFixed(1)} to ` +
      `${Math.max(...sizes).toFixed(1)}; slope ${leastSquaresSlope(counted).toFixed(3)} MiB a minute`,
  )
} finally {
  await running.end()
}
