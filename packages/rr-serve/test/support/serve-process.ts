import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'

export const BIN: string = fileURLToPath(new URL('../../bin/rr-serve.js', import.meta.url))

/** The environment without what would reach into the command: the test runner's, and rr's own. */
export function cleanEnv(changes: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(_?TAP|RR_|PORT$|NODE_OPTIONS$|NO_COLOR$|FORCE_COLOR$)/.test(name),
  )
  return { ...Object.fromEntries(kept), ...changes }
}

export interface ServeProcessOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly stdio?: StdioOptions
}

/** A line of the log. */
export interface LogRecord {
  readonly level: number
  readonly time: number
  readonly worker: number
  readonly msg: string
  readonly [field: string]: unknown
}

/** The real command in a process of its own, which ends with the test. */
export class ServeProcess {
  readonly child: ChildProcess
  /** Resolves with the exit code once both streams are closed; with null after a signal. */
  readonly exit: Promise<number | null>
  stdout = ''
  stderr = ''
  readonly #waiting = new Set<() => void>()

  constructor(t: Test, args: readonly string[], options: ServeProcessOptions = {}) {
    const { env, cwd, stdio = ['ignore', 'pipe', 'pipe'] } = options
    this.child = spawn(process.execPath, [BIN, ...args], { env: cleanEnv(env), cwd, stdio })
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
      this.#onOutput()
    })
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
      this.#onOutput()
    })
    this.exit = once(this.child, 'close').then(([code]) => {
      this.#onOutput()
      return code as number | null
    })
    t.teardown(() => this.child.kill('SIGKILL'))
  }

  /** Resolves with the first match in what was printed; rejects when the process ends without. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    let ended = false
    void this.exit.then(() => (ended = true))
    for (;;) {
      const match = pattern.exec(this.stdout) ?? pattern.exec(this.stderr)
      if (match !== null) return match
      if (ended) throw new Error(`ended without ${pattern}:\n${this.stdout}\n${this.stderr}`)
      await new Promise<void>((resolve) => this.#waiting.add(resolve))
    }
  }

  /** The port, once all workers listen. */
  async port(): Promise<number> {
    return Number((await this.printed(/listening on http:\/\/\S+:(\d+)/))[1])
  }

  async url(): Promise<string> {
    return `http://127.0.0.1:${await this.port()}`
  }

  /** Sends a signal and resolves with the exit code. */
  stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.child.kill(signal)
    return this.exit
  }

  /** The log so far, when it is in JSON. */
  records(): LogRecord[] {
    return parseLog(this.stdout)
  }

  #onOutput(): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const resolve of waiting) resolve()
  }
}

/** Throws where a line is not a whole JSON object. */
export function parseLog(text: string): LogRecord[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LogRecord)
}
