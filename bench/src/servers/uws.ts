import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BenchServer } from '../model.ts'
import { findExecutables, outputOf } from './executables.ts'
import { PEERS_FOLDER, type Probe, probePeer } from './peers-folder.ts'

const PACKAGE = '@trufflesuite/uws-js-unofficial'
/** An own install of uWebSockets.js, which the harness's own Node is then taken for. */
const OWN_INSTALL = 'RR_BENCH_UWS'

interface NodeProgram {
  readonly program: string
  readonly version: string
}

/** The first Node on the PATH that the package has a binary for: its last ABI is that of Node 20. */
async function findNode(): Promise<NodeProgram | null> {
  for (const program of findExecutables('node')) {
    const output = await outputOf(program, [
      '-p',
      "[process.versions.node, [process.platform, process.arch, process.versions.modules].join('_')].join()",
    ])
    const [version, abi] = output?.trim().split(',') ?? []
    if (version === undefined || abi === undefined) continue
    const binary = join(PEERS_FOLDER, 'node_modules', PACKAGE, 'binaries', `uws_${abi}.node`)
    if (existsSync(binary)) return { program, version }
  }
  return null
}

async function probe(): Promise<Probe> {
  const helpers = fileURLToPath(new URL('../../dist/scenarios/payloads.js', import.meta.url))
  if (!existsSync(helpers)) return { missing: 'the harness is not built; `npx pnpm build` does it' }
  const own = process.env[OWN_INSTALL]
  if (own) return { version: `${own} on Node.js ${process.versions.node}` }
  const installed = probePeer(PACKAGE)
  if ('missing' in installed) return installed
  const node = await findNode()
  if (node === null) {
    return {
      missing: `${PACKAGE} has binaries for Node.js up to 20, and none is on the PATH; ${OWN_INSTALL} may name an install of uWebSockets.js for this Node`,
    }
  }
  return { version: `${installed.version} on Node.js ${node.version}` }
}

/** uWebSockets.js, which is not on npm itself. */
export const UWS: BenchServer = {
  name: 'uws',
  without: {},
  canScale: true,
  probe,
  async command({ port, workers }) {
    const node = process.env[OWN_INSTALL] ? null : await findNode()
    return {
      program: node?.program ?? process.execPath,
      parameters: [join(PEERS_FOLDER, 'uws.mjs')],
      env: { NODE_ENV: 'production', PORT: String(port), WORKERS: String(workers) },
      temporary: [],
    }
  },
}
