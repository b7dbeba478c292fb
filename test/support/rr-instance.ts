import { fileURLToPath } from 'node:url'
import { ServedProcess } from './served-process.ts'

const COMMAND = fileURLToPath(new URL('../../packages/rr-serve/bin/rr-serve.js', import.meta.url))
const APP = fileURLToPath(new URL('../fixtures/loss-app.ts', import.meta.url))

/** The command as a service with a place of its own, that can be started there again. */
export class RrInstance {
  readonly port: number
  readonly #args: readonly string[]
  #process: ServedProcess | null = null

  /** @param args more arguments of the command */
  constructor(port: number, args: readonly string[] = []) {
    this.port = port
    this.#args = args
  }

  /** Resolves once it listens. */
  async start(): Promise<void> {
    const address = ['--host', '127.0.0.1', '--port', `${this.port}`, '--workers', '2']
    const args = [COMMAND, ...address, ...this.#args, APP]
    this.#process = new ServedProcess(process.execPath, args)
    await this.#process.address()
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
