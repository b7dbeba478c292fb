/**
 * What it costs a handler of rr to read one header and one query parameter: CPU time per request
 * of one that reads them, less that of one that does not, for the same request, in turns.
 *
 *     node bench/src/reading-cost.ts [rounds] [seconds]
 */
import { runWrk } from './drivers/wrk.ts'
import { sampleProcessTree } from './grid/process-tree.ts'
import { type ServerRun, startServerRun } from './grid/server-run.ts'
import { median, spread } from './median.ts'
import type { BenchServer } from './model.ts'
import { SERVERS } from './servers.ts'

const CONNECTIONS = 64
/** As long as each other, so that the requests are too. */
const TARGETS = ['/?name=value', '/read?n=value'] as const

const rounds = Number(process.argv[2] ?? 10)
const seconds = Number(process.argv[3] ?? 2)
const server = SERVERS.find(({ name }) => name === 'rr') as BenchServer

/** Never aborted here: Ctrl-C reaches the servers too, which are in the same process group. */
const interrupted = new AbortController()

/** CPU microseconds per request. */
async function measure({ url, pid }: ServerRun, target: string): Promise<number> {
  const before = sampleProcessTree(pid).cpuMicroseconds
  const load = { url: `${url}${target}`, connections: CONNECTIONS, cpu: 1, script: null }
  const { requests, errors } = await runWrk({ ...load, seconds })
  if (Object.keys(errors).length > 0) throw new Error(`errors ${JSON.stringify(errors)}`)
  return (sampleProcessTree(pid).cpuMicroseconds - before) / requests
}

// In one process: two of them differ by more than what is looked for.
const running = await startServerRun(server, { workers: 1, cpus: [0], signal: interrupted.signal })
try {
  for (const target of TARGETS) await measure(running, target)
  const differences: number[] = []
  for (let round = 1; round <= rounds; round++) {
    const plain = await measure(running, TARGETS[0])
    const reading = await measure(running, TARGETS[1])
    differences.push(reading - plain)
    console.log(
      `round ${round}: ${plain.toFixed(2)} us without, ${reading.toFixed(2)} us with reading`,
    )
  }
  console.log(`reading costs ${median(differences).toFixed(2)} us (${spread(differences)})`)
} finally {
  await running.end()
}
