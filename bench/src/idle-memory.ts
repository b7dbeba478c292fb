/**
 * Memory of idle keep-alive connections: how much the resident memory of a server grows with each
 * one that has been answered once and stays open, for rr and for node:http in turns.
 *
 *     node bench/src/idle-memory.ts [connections] [rounds]
 */
import { openIdleConnections } from './drivers/idle-connections.ts'
import { startServerRun } from './grid/server-run.ts'
import { settledRss } from './grid/settled-rss.ts'
import { median, spread } from './median.ts'
import type { BenchServer } from './model.ts'
import { SERVERS } from './servers.ts'

/**
 * Open before memory is looked at, and while: they use up what a heap that has just started holds
 * free, into which a server could put its first connections without growing.
 */
const FIRST_SHARE = 0.2
const HOUR_MS = 3_600_000

const connections = Number(process.argv[2] ?? 10_000)
const firstConnections = Math.round(connections * FIRST_SHARE)
const moreConnections = connections - firstConnections
const rounds = Number(process.argv[3] ?? 3)

/** Never aborted here: Ctrl-C reaches the servers too, which are in the same process group. */
const interrupted = new AbortController()

/** Bytes of resident memory a connection. */
async function measure(server: BenchServer): Promise<number> {
  const withTime: Pick<BenchServer, 'name' | 'command'> = {
    name: server.name,
    command: async (where) => {
      const command = await server.command(where)
      return { ...command, env: { ...command.env, KEEP_ALIVE_MS: String(HOUR_MS) } }
    },
  }
  const running = await startServerRun(withTime, {
    workers: 1,
    cpus: [],
    signal: interrupted.signal,
  })
  try {
    const first = await openIdleConnections(running.url, firstConnections)
    const before = await settledRss(running.pid)
    const idle = await openIdleConnections(running.url, moreConnections)
    const after = await settledRss(running.pid)
    if (first.open !== firstConnections || idle.open !== moreConnections) {
      throw new Error(`${server.name} closed idle connections`)
    }
    await Promise.all([first.close(), idle.close()])
    return (after - before) / moreConnections
  } finally {
    await running.end()
  }
}

const figures: Record<string, number[]> = { rr: [], 'node-http': [] }
for (let round = 1; round <= rounds; round++) {
  for (const [name, values] of Object.entries(figures)) {
    const server = SERVERS.find((one) => one.name === name)
    if (server === undefined) throw new Error(`no server ${name}`)
    values.push(await measure(server))
    console.log(`round ${round}: ${name} ${values.at(-1)?.toFixed(0)} bytes a connection`)
  }
}
const { rr = [], 'node-http': node = [] } = figures
const ratios = rr.map((value, index) => value / (node[index] as number))
console.log(
  `${connections} idle connections, ${rounds} rounds: rr ${median(rr).toFixed(0)} bytes each, ` +
    `node:http ${median(node).toFixed(0)}; ratio ${median(ratios).toFixed(3)} (${spread(ratios)})`,
)
