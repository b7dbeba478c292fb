import { fileURLToPath } from 'node:url'
import { ServedProcess } from './served-process.ts'

const COMMAND = fileURLToPath(new URL('../../packages/rr-serve/bin/rr-serve.js', import.meta.url))
const APP = fileURLToPath(new URL('../fixtures/loss-app.ts', import.meta.url))

export interface RrPlace {
  /** Default 127.0.0.1; Linux has all of 127.0.0.0/8 on loopback. */
  readonly host?: string
  readonly port: number
  /** More arguments of the command. */
  readonly args?: readonly string[] | undefined
}

/** The command as a service with a place of its own, that can be started there again. */
export class RrInstance {
  readonly host: string
  readonly port: number
  readonly #args: readonly string[]
  #process: ServedProcess | null = null

  constructor({ host = '127.0.0.1', port, args = [] }: RrPlace) {
    this.host = host
    this.port = port
    this.#args = args
  }

  /** As proxies name it. */
  get authority(): string {
    return `${this.host}:${this.port}`
  }

  /** Resolves once it listens. */
  async start(): Promise<void> {
    const address = ['--host', this.host, '--port', `${this.port}`, '--workers', '2']
    const args = [COMMAND, ...address, ...this.#args, APP]
    this.#process = new ServedProcess(process.execPath, args)
    // The admin server says where it is, too, and earlier.
    await this.#process.printed(/listening on http/)
  }

  /** Null where nothing runs. */
  get pid(): number | null {
    return this.#process?.child.pid ?? null
  }

  /** Sends SIGTERM and resolves with the exit code; null where nothing runs. */
  async stop(): Promise<number | null> {
    const running = this.#process
    if (running === null) return null
    this.#process = null
    running.child.kill('SIGTERM')
    const { code } = await running.ended
    return code
  }
}
