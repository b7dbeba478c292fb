import { join } from 'node:path'
import type { BenchServer } from '../model.ts'
import { findExecutables, outputOf } from './executables.ts'
import { NOT_INSTALLED, PEERS_FOLDER, resolveFromPeer } from './peers-folder.ts'

/**
 * The package of each platform that holds the runtime's binary. It is started directly: the
 * package named after the runtime holds a Node program that would stay in memory beside it.
 */
const BUN_BINARIES: Readonly<Record<string, string>> = {
  'linux-x64': '@oven/bun-linux-x64/bin/bun',
  'linux-arm64': '@oven/bun-linux-aarch64/bin/bun',
  'darwin-x64': '@oven/bun-darwin-x64/bin/bun',
  'darwin-arm64': '@oven/bun-darwin-aarch64/bin/bun',
}
const DENO_BINARIES: Readonly<Record<string, string>> = {
  'linux-x64': '@deno/linux-x64-glibc/deno',
  'linux-arm64': '@deno/linux-arm64-glibc/deno',
  'darwin-x64': '@deno/darwin-x64/deno',
  'darwin-arm64': '@deno/darwin-arm64/deno',
}
const PLATFORM = `${process.platform}-${process.arch}`

/** From the peers' folder, else from the PATH. */
function findRuntime(name: string, binaries: Readonly<Record<string, string>>): string | null {
  const binary = binaries[PLATFORM]
  const installed = binary === undefined ? null : resolveFromPeer(name, binary)
  return installed ?? findExecutables(name)[0] ?? null
}

async function probeRuntime(
  program: string | null,
): Promise<{ version: string } | { missing: string }> {
  if (program === null) return NOT_INSTALLED
  const version = /\d+\.\d+\.\d+/.exec((await outputOf(program, ['--version'])) ?? '')?.[0]
  return version === undefined ? { missing: `${program} --version failed` } : { version }
}

function must(program: string | null): string {
  if (program === null) throw new Error('not installed')
  return program
}

const findBun = (): string | null => findRuntime('bun', BUN_BINARIES)
const findDeno = (): string | null => findRuntime('deno', DENO_BINARIES)

const BUN: BenchServer = {
  name: 'bun',
  without: {},
  canScale: true,
  probe: () => probeRuntime(findBun()),
  async command({ port, workers }) {
    return {
      program: must(findBun()),
      parameters: [join(PEERS_FOLDER, 'bun.ts')],
      env: { NODE_ENV: 'production', PORT: String(port), WORKERS: String(workers) },
      temporary: [],
    }
  },
}

const DENO: BenchServer = {
  name: 'deno',
  without: {},
  canScale: true,
  probe: () => probeRuntime(findDeno()),
  async command({ port, workers }) {
    return {
      program: must(findDeno()),
      parameters: [
        ...['serve', '--no-config', '--host', '127.0.0.1', '--port', String(port)],
        ...(workers > 1 ? ['--parallel'] : []),
        join(PEERS_FOLDER, 'deno.ts'),
      ],
      // `--parallel` takes its number of threads from the variable.
      env: { DENO_JOBS: String(workers), DENO_NO_UPDATE_CHECK: '1', NO_COLOR: '1' },
      temporary: [],
    }
  },
}

/** Runtimes of their own. */
export const RUNTIME_SERVERS: readonly BenchServer[] = [BUN, DENO]
