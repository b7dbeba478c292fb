import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** A server to measure. */
export interface ServerDefinition {
  readonly name: string
  readonly command: string
  readonly parameters: readonly string[]
}

/** A server that is running. */
export interface RunningServer {
  readonly url: string
  readonly pid: number
  stop(): Promise<void>
}

/**
 * Starts a server and waits for the line on stdout that holds its address.
 *
 * @param cpu the CPU that the process is bound to, or null for none
 */
export async function startServer(
  { name, command, parameters }: ServerDefinition,
  cpu: number | null,
): Promise<RunningServer> {
  const [program = '', ...rest] =
    cpu === null ? [command, ...parameters] : ['taskset', '-c', String(cpu), command, ...parameters]
  const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'inherit'] })
  const url = await readAddress(child)
  if (url === null || child.pid === undefined) throw new Error(`${name} did not start`)
  return { url, pid: child.pid, stop: () => stop(child) }
}

async function readAddress(child: ChildProcess): Promise<string | null> {
  if (child.stdout === null) return null
  for await (const line of createInterface({ input: child.stdout })) {
    const address = /http:\/\/[\w.[\]:]+:\d+/.exec(line)?.[0]
    if (address !== undefined) {
      child.stdout.resume()
      return address.replace('0.0.0.0', '127.0.0.1')
    }
  }
  return null
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  await exited
}
