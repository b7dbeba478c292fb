import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { BenchServer } from '../model.ts'
import {
  PEERS_FOLDER,
  type Probe,
  probePeer,
  ROOT_FOLDER,
  SERVERS_FOLDER,
  versionIn,
} from './peers-folder.ts'

/** More than the 20 MiB of `large_post_streaming`; the default of rr-serve is 1 MiB. */
const RR_MAX_BODY = '32MiB'

const PRODUCTION = { NODE_ENV: 'production' }

const RR: BenchServer = {
  name: 'rr',
  without: {},
  canScale: true,
  async probe() {
    const folder = join(ROOT_FOLDER, 'packages', 'rr-serve')
    if (!existsSync(join(folder, 'dist'))) return { missing: 'not built; `npx pnpm build` does it' }
    return { version: onThisNode(versionIn(folder)) }
  },
  async command({ port, workers }) {
    return {
      program: process.execPath,
      parameters: [
        join(ROOT_FOLDER, 'packages', 'rr-serve', 'bin', 'rr-serve.js'),
        ...['--host', '127.0.0.1', '--port', String(port), '--workers', String(workers)],
        ...['--max-body', RR_MAX_BODY],
        join(SERVERS_FOLDER, 'rr.ts'),
      ],
      env: PRODUCTION,
      temporary: [],
    }
  },
}

/** A program on this Node that takes PORT and WORKERS and runs its workers by node:cluster. */
function onCluster(name: string, program: string, probe: () => Probe): BenchServer {
  return {
    name,
    without: {},
    canScale: true,
    probe: async () => probe(),
    async command({ port, workers }) {
      return {
        program: process.execPath,
        parameters: [program],
        env: { ...PRODUCTION, PORT: String(port), WORKERS: String(workers) },
        temporary: [],
      }
    },
  }
}

const onThisNode = (version: string): string => `${version} on Node.js ${process.versions.node}`

function probeOnThisNode(name: string): Probe {
  const probed = probePeer(name)
  return 'version' in probed ? { version: onThisNode(probed.version) } : probed
}

const NODE_HTTP = onCluster('node-http', join(SERVERS_FOLDER, 'node-http.ts'), () => ({
  version: process.versions.node,
}))

const FASTIFY = onCluster('fastify', join(PEERS_FOLDER, 'fastify.ts'), () =>
  probeOnThisNode('fastify'),
)

const HONO = onCluster('hono', join(PEERS_FOLDER, 'hono.ts'), () => {
  const adapter = probeOnThisNode('@hono/node-server')
  const hono = probePeer('hono')
  if ('missing' in adapter || 'missing' in hono) return adapter
  return { version: `${hono.version}, adapter ${adapter.version}` }
})

/** The handler of node:http in Watt's worker threads. */
const WATT: BenchServer = {
  name: 'watt',
  without: {},
  canScale: true,
  probe: async () => probeOnThisNode('wattpm'),
  async command({ port, workers }) {
    return {
      program: process.execPath,
      parameters: [
        join(PEERS_FOLDER, 'node_modules', 'wattpm', 'bin', 'cli.js'),
        ...['start', join(PEERS_FOLDER, 'watt')],
      ],
      env: { ...PRODUCTION, PORT: String(port), WORKERS: String(workers) },
      temporary: [],
    }
  },
}

/** Servers that run on the Node that the harness runs on. */
export const NODE_SERVERS: readonly BenchServer[] = [RR, NODE_HTTP, FASTIFY, HONO, WATT]
