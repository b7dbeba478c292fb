/**
 * CPU time per request of rr against node:http, and against the floor that node:net sets for both:
 * `Hello, World!`, 64 connections, one request at a time and 16 pipelined, one worker. Server and load
 * run on different CPUs and the servers take turns, so that what else the machine does hits all alike.
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

/** A program that takes PORT and WORKERS. */
const program = (name: string, file: string): HelloServer => ({
  name,
  command: async ({ port, workers }) => ({
    program: process.execPath,
    parameters: [path(file)],
    env: { PORT: String(port), WORKERS: String(workers) },
    temporary: [],
  }),
})
const NODE_HTTP = program('node:http', '../servers/node-http.ts')
const NET_FLOOR = program('node:net floor', '../servers/net-floor.ts')
const SERVERS = [RR, NODE_HTTP, NET_FLOOR]

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
  const figures = SERVERS.map((server) => ({ server, values: [] as number[] }))
  for (let round = 1; round <= rounds; round++) {
    for (const { server, values } of figures) values.push(await measure(server, script))
    const last = figures.map(({ server, values }) => `${server.name} ${values.at(-1)?.toFixed(2)}`)
    console.log(`${name}, round ${round}: ${last.join(', ')} us of CPU per request`)
  }
  const node = figures.find(({ server }) => server === NODE_HTTP)?.values ?? []
  for (const { server, values } of figures) {
    const ratios = values.map((value, index) => value / (node[index] as number))
    console.log(
      `${name}: ${server.name} ${median(values).toFixed(2)} us, ` +
        `of node:http ${median(ratios).toFixed(3)} (${spread(ratios)})`,
    )
  }
}
