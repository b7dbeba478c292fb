import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { createServer } from 'node:net'
import type { BenchServer } from '../model.ts'
import { killProcesses, type ProcessIdentity, sampleProcessTree } from './process-tree.ts'

/** Watt and others that compile at start need seconds on a busy machine. */
const START_TIMEOUT_MS = 30_000

/** What a server gets to end by itself before it is killed. */
const END_TIMEOUT_MS = 5_000

/** How much of a server's output is kept to explain a failed start. */
const KEPT_OUTPUT_CHARACTERS = 4_000

/** A server process made for one run. */
export interface ServerRun {
  readonly url: string
  readonly pid: number
  /** True until its first process has ended. */
  isRunning(): boolean
  /** Ends the whole process tree and removes the files made for this run. */
  end(): Promise<void>
}

export interface StartOptions {
  readonly workers: number
  readonly cpus: readonly number[]
  readonly signal: AbortSignal
}

/**
 * Starts a server on a free port and waits until it says that it listens.
 *
 * It stays in this process group: what kills the harness with its group reaches the servers too.
 *
 * @throws Error with the server's last output when it ends or says nothing in time; the signal's
 *   reason when that comes first
 */
export async function startServerRun(
  server: Pick<BenchServer, 'name' | 'command'>,
  { workers, cpus, signal }: StartOptions,
): Promise<ServerRun> {
  signal.throwIfAborted()
  const command = await server.command({ port: await findFreePort(), workers })
  const removeFiles = (): void => {
    for (const path of command.temporary) rmSync(path, { recursive: true, force: true })
  }
  const bound = cpus.length === 0 ? [] : ['taskset', '-c', cpus.join(',')]
  const [program = '', ...parameters] = [...bound, command.program, ...command.parameters]
  const child = spawn(program, parameters, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...command.env },
  })
  const output = keepOutput(child)
  const end = async (): Promise<void> => {
    await endTree(child)
    removeFiles()
  }
  try {
    const url = await readAddress(child, output, signal)
    return { url, pid: child.pid ?? 0, isRunning: () => isRunning(child), end }
  } catch (error) {
    await end()
    throw signal.aborted ? signal.reason : describeStart(server.name, error, output.text)
  }
}

interface KeptOutput {
  text: string
}

function keepOutput(child: ChildProcess): KeptOutput {
  const output: KeptOutput = { text: '' }
  const keep = (chunk: string): void => {
    output.text = (output.text + chunk).slice(-KEPT_OUTPUT_CHARACTERS)
  }
  child.stdout?.setEncoding('utf8').on('data', keep)
  child.stderr?.setEncoding('utf8').on('data', keep)
  return output
}

function readAddress(
  child: ChildProcess,
  output: KeptOutput,
  signal: AbortSignal,
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const seconds = START_TIMEOUT_MS / 1000
  const timer = setTimeout(() => reject(new Error(`silent for ${seconds} s`)), START_TIMEOUT_MS)
  const onAbort = (): void => reject(signal.reason)
  signal.addEventListener('abort', onAbort)
  child.once('error', reject)
  child.once('exit', (code, by) => reject(new Error(`ended with ${by ?? `code ${code}`}`)))
  child.stdout?.on('data', () => {
    // A line end must follow: a port that arrives in two pieces would be read as a shorter one.
    const address = /http:\/\/(?:127\.0\.0\.1|localhost|0\.0\.0\.0):(\d+)\/?(?=\D)/.exec(
      output.text,
    )
    if (address !== null) resolve(`http://127.0.0.1:${address[1]}`)
  })
  return promise.finally(() => {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  })
}

function describeStart(name: string, error: unknown, output: string): Error {
  const reason = error instanceof Error ? error.message : String(error)
  const lines = output.trim().split('\n')
  // Below an uncaught error stand its trace and the version of Node, which explain nothing.
  const line = lines.find((text) => /\w*error\b.*:/i.test(text)) ?? lines.at(-1) ?? ''
  return new Error(`${name} did not start: ${reason}${line === '' ? '' : ` (${line.trim()})`}`)
}

const isRunning = (child: ChildProcess): boolean =>
  child.pid !== undefined && child.exitCode === null && child.signalCode === null

async function endTree(child: ChildProcess): Promise<void> {
  // Taken before the signal: children of a process that has ended are no longer found from it.
  const members: readonly ProcessIdentity[] =
    child.pid === undefined ? [] : sampleProcessTree(child.pid).members
  if (isRunning(child)) {
    const exited = once(child, 'exit')
    child.kill('SIGTERM')
    const timer = setTimeout(() => killProcesses(members), END_TIMEOUT_MS)
    await exited
    clearTimeout(timer)
  }
  killProcesses(members)
  child.stdout?.destroy()
  child.stderr?.destroy()
}

async function findFreePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
