/**
 * CPU time per request of rr against node:http: `Hello, World!`, 64 connections, one request at a
 * time and 16 pipelined, one worker. Server and load run on different CPUs and the servers take
 * turns, so that what else the machine does hits both alike.
 *
 *     node bench/src/hello.ts [rounds] [seconds]
 */
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { runWrk } from './drivers/wrk.ts'
import { sampleProcessTree } from './grid/process-tree.ts'
import { startServerRun } from './grid/server-run.ts'
import { median, spread } from './median.ts'
import type { BenchServer } from './model.ts'

const CONNECTIONS = 64
const WARM_UP_SECONDS = 2

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))

type HelloServer = Pick<BenchServer, 'name' | 'command'>

/** The example as a user starts it; the grid's own program carries all its scenarios. */
const RR: HelloServer = {
  name: 'rr',
  command: async ({ port, workers }) => ({
    program: process.execPath,
    parameters: [
      path('../../packages/rr-serve/bin/rr-serve.js'),
      ...['--host', '127.0.0.1', '--port', String(port), '--workers', String(workers)],
      path('../../docs/examples/hello.ts'),
    ],
    env: {},
    temporary: [],
  }),
}
const NODE_HTTP: HelloServer = {
  name: 'node:http',
  command: async ({ port, workers }) => ({
    program: process.execPath,
    parameters: [path('../servers/node-http.ts')],
    env: { PORT: String(port), WORKERS: String(workers) },
    temporary: [],
  }),
}

const SCENARIOS = [
  { name: 'one at a time', script: null },
  { name: '16 pipelined', script: path('../load/pipeline.lua') },
]

const rounds = Number(process.argv[2] ?? 5)
const seconds = Number(process.argv[3] ?? 5)
const [serverCpu, loadCpu] = availableParallelism() > 1 ? [0, 1] : [null, null]

/** Never aborted here: Ctrl-C reaches the servers too, which are in the same process group. */
const interrupted = new AbortController()

/** CPU microseconds per request. */
async function measure(server: HelloServer, script: string | null): Promise<number> {
  const running = await startServerRun(server, {
    workers: 1,
    cpus: typeof serverCpu === 'number' ? [serverCpu] : [],
    signal: interrupted.signal,
  })
  try {
    const load = { url: `${running.url}/`, connections: CONNECTIONS, cpu: loadCpu ?? null, script }
    await runWrk({ ...load, seconds: WARM_UP_SECONDS })
    const before = sampleProcessTree(running.pid).cpuMicroseconds
    const { requests, errors } = await runWrk({ ...load, seconds })
    const used = sampleProcessTree(running.pid).cpuMicroseconds - before
    if (Object.keys(errors).length > 0) {
      throw new Error(`${server.name}: errors ${JSON.stringify(errors)}`)
    }
    return used / requests
  } finally {
    await running.end()
  }
}

console.log(
  `Node ${process.version}, ${CONNECTIONS} connections, ${rounds} rounds of ${seconds} s; ` +
    `server on CPU ${serverCpu ?? 'any'}, wrk on CPU ${loadCpu ?? 'any'}`,
)
for (const { name, script } of SCENARIOS) {
  const rr: number[] = []
  const node: number[] = []
  for (let round = 1; round <= rounds; round++) {
    rr.push(await measure(RR, script))
    node.push(await measure(NODE_HTTP, script))
    console.log(
      `${name}, round ${round}: rr ${rr.at(-1)?.toFixed(2)} us, ` +
        `node:http ${node.at(-1)?.toFixed(2)} us of CPU per request`,
    )
  }
  const ratios = rr.map((value, index) => value / (node[index] as number))
  console.log(
    `${name}: rr ${median(rr).toFixed(2)} us, node:http ${median(node).toFixed(2)} us; ` +
      `ratio ${median(ratios).toFixed(3)} (${spread(ratios)})`,
  )
}
