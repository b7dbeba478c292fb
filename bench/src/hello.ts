/**
 * CPU time per request of rr against node:http: `Hello, World!`, 64 connections, one request at a
 * time and 16 pipelined, one worker. Server and load run on different CPUs and the servers take
 * turns, so that what else the machine does hits both alike.
 *
 *     node bench/src/hello.ts [rounds] [seconds]
 */
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { processCpuMicroseconds } from './cpu-time.ts'
import { runWrk } from './drivers/wrk.ts'
import { median, spread } from './median.ts'
import { type ServerDefinition, startServer } from './server-process.ts'

const CONNECTIONS = 64
const WARM_UP_SECONDS = 2

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))

const RR: ServerDefinition = {
  name: 'rr',
  command: process.execPath,
  parameters: [
    path('../../packages/rr-serve/bin/rr-serve.js'),
    ...['--port', '0', '--host', '127.0.0.1', '--workers', '1'],
    path('../../docs/examples/hello.ts'),
  ],
}
const NODE_HTTP: ServerDefinition = {
  name: 'node:http',
  command: process.execPath,
  parameters: [path('../servers/node-http.ts')],
}

const SCENARIOS = [
  { name: 'one at a time', script: null },
  { name: '16 pipelined', script: path('../load/pipeline.lua') },
]

const rounds = Number(process.argv[2] ?? 5)
const seconds = Number(process.argv[3] ?? 5)
const [serverCpu, loadCpu] = availableParallelism() > 1 ? [0, 1] : [null, null]

/** CPU microseconds per request. */
async function measure(server: ServerDefinition, script: string | null): Promise<number> {
  const running = await startServer(server, serverCpu ?? null)
  try {
    const load = { url: `${running.url}/`, connections: CONNECTIONS, cpu: loadCpu ?? null, script }
    await runWrk({ ...load, seconds: WARM_UP_SECONDS })
    const before = processCpuMicroseconds(running.pid)
    const { requests, errors } = await runWrk({ ...load, seconds })
    const used = processCpuMicroseconds(running.pid) - before
    if (Object.keys(errors).length > 0) {
      throw new Error(`${server.name}: errors ${JSON.stringify(errors)}`)
    }
    return used / requests
  } finally {
    await running.stop()
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
