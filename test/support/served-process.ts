import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'

/** Long enough for a busy machine; a server normally listens within a second. */
const PRINTED_TIMEOUT_MS = 60_000

/** The environment without what the test runner adds to make its children part of the test run. */
export function cleanEnv(changes: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env, ...changes }
  delete env.NODE_OPTIONS
  for (const name of Object.keys(env)) {
    // Nor what a developer has set for rr: tests say themselves what is set.
    if (/^(_?TAP|RR_|PORT$)/.test(name) && !(name in changes)) delete env[name]
  }
  return env
}

/** A program that prints the address it serves. */
export class ServedProcess {
  readonly child: ChildProcess
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  /** Everything it printed so far, on both streams. */
  output = ''
  #onOutput = (): void => {}

  constructor(command: string, args: readonly string[], options: SpawnOptions = {}) {
    this.child = spawn(command, args, {
      env: cleanEnv(),
      ...options,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text
        this.#onOutput()
      })
    }
    this.ended = once(this.child, 'close').then(([code, signal]) => ({ code, signal }))
  }

  /** Resolves with the first `http://host:port` it prints; rejects when it ends without one. */
  async address(): Promise<string> {
    return (await this.printed(/http:\/\/[^\s"'/]+:\d+/))[0]
  }

  /** Resolves with the first match in what it prints; rejects when it ends without one. */
  printed(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      this.#onOutput = () => {
        const found = pattern.exec(this.output)
        if (found !== null) resolve(found)
      }
      this.#onOutput()
      this.ended.then(() => reject(new Error(`ended without ${pattern}:\n${this.output}`)), reject)
      setTimeout(
        () => reject(new Error(`no ${pattern} in time:\n${this.output}`)),
        PRINTED_TIMEOUT_MS,
      ).unref()
    })
  }
}
