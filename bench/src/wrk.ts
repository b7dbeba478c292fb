import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** What wrk counted in one run. */
export interface WrkResult {
  readonly requests: number
  readonly requestsPerSecond: number
  /** Socket errors and answers that were not 2xx or 3xx: a run with any of them is not a result. */
  readonly errors: number
}

/** How to put load on a server. */
export interface WrkRun {
  readonly url: string
  readonly connections: number
  readonly seconds: number
  /** The CPU that wrk is bound to, or null for none. */
  readonly cpu: number | null
  /** A Lua script, or null. */
  readonly script: string | null
}

/** Runs wrk with one thread. */
export async function runWrk(run: WrkRun): Promise<WrkResult> {
  const wrk = ['wrk', '-t1', `-c${run.connections}`, `-d${run.seconds}s`]
  if (run.script !== null) wrk.push('-s', run.script)
  wrk.push(run.url)
  const [command = '', ...parameters] =
    run.cpu === null ? wrk : ['taskset', '-c', String(run.cpu), ...wrk]
  const { stdout } = await promisify(execFile)(command, parameters)
  return parseWrk(stdout)
}

/** Reads the text that wrk prints. */
export function parseWrk(output: string): WrkResult {
  const requests = /(\d+) requests in /.exec(output)?.[1]
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(output)?.[1]
  if (requests === undefined || rate === undefined) throw new Error(`unexpected output: ${output}`)
  const sockets = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(
    output,
  )
  const refused = /Non-2xx or 3xx responses: (\d+)/.exec(output)?.[1]
  const socketErrors = sockets?.slice(1).reduce((sum, count) => sum + Number(count), 0) ?? 0
  return {
    requests: Number(requests),
    requestsPerSecond: Number(rate),
    errors: socketErrors + Number(refused ?? 0),
  }
}
