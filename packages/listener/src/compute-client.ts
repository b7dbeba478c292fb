import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { RrError } from '@rr/core'
import type { ComputeJob, ComputeReply, ComputeRequest } from './messages.ts'
import { deserializeError } from './serialized-error.ts'

interface Waiting {
  readonly settled: PromiseWithResolvers<unknown>
  /** Stops listening to the caller's signal. */
  readonly forget: () => void
}

/** A worker's way to the compute pool in the main thread. Costs nothing until the first task. */
export class ComputeClient {
  readonly #connect: (port: MessagePort) => void
  readonly #waiting: Map<number, Waiting> = new Map()
  #port: MessagePort | null = null
  #lastId = 0

  /** @param connect gives the other end of a channel to the main thread */
  constructor(connect: (port: MessagePort) => void) {
    this.#connect = connect
  }

  /** Tasks that have not ended. */
  get pending(): number {
    return this.#waiting.size
  }

  /** Runs a task. Rejects with what it throws, why it was refused, or the signal's reason. */
  async run(job: ComputeJob, signal: AbortSignal | null): Promise<unknown> {
    signal?.throwIfAborted()
    const port = this.#openPort()
    const id = ++this.#lastId
    const request: ComputeRequest = { type: 'run', id, job }
    port.postMessage(request, [...job.transfer])
    const onAbort = (): void => {
      const cancel: ComputeRequest = { type: 'cancel', id }
      port.postMessage(cancel)
      this.#take(id)?.settled.reject(signal!.reason)
    }
    signal?.addEventListener('abort', onAbort)
    const settled = Promise.withResolvers<unknown>()
    this.#waiting.set(id, {
      settled,
      forget: () => signal?.removeEventListener('abort', onAbort),
    })
    // Whoever waits for a result keeps the thread, and nobody else.
    port.ref()
    return settled.promise
  }

  #openPort(): MessagePort {
    if (this.#port !== null) return this.#port
    const { port1, port2 } = new MessageChannel()
    this.#port = port1
    this.#connect(port2)
    port1.on('message', (reply: ComputeReply) => this.#onReply(reply))
    port1.on('messageerror', () => port1.close())
    port1.on('close', () => this.#onClose())
    port1.unref()
    return port1
  }

  #onReply(reply: ComputeReply): void {
    const settled = this.#take(reply.id)?.settled
    if (reply.type === 'done') settled?.resolve(reply.value)
    else settled?.reject(deserializeError(reply.error))
  }

  #onClose(): void {
    this.#port = null
    const error = new RrError('RR_SERVER_STATE', 'the way to the compute pool was closed')
    for (const id of [...this.#waiting.keys()]) this.#take(id)?.settled.reject(error)
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) return undefined
    this.#waiting.delete(id)
    waiting.forget()
    if (this.#waiting.size === 0) this.#port?.unref()
    return waiting
  }
}
