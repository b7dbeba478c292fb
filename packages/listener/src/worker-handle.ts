import { type MessagePort, Worker } from 'node:worker_threads'
import type { SharedMemoryStore } from '@rr/core'
import { openMemoryChannel } from './memory-channel.ts'
import type { SupervisorMessage, WorkerMessage, WorkerStart } from './messages.ts'
import { type SerializedError, serializeError } from './serialized-error.ts'
import type { ExitReason } from './server-events.ts'

/** What a worker is started with, but for what is made for each thread. */
export type WorkerOrder = Omit<WorkerStart, 'memory'>

/** How a worker thread ended. */
export interface WorkerExit {
  readonly reason: ExitReason
  readonly exitCode: number
  readonly error: SerializedError | null
}

export interface WorkerHandleListener {
  readonly onMessage: (message: WorkerMessage) => void
  /** Called once; no message follows. */
  readonly onExit: (exit: WorkerExit) => void
}

/** Beside this file, in the same form: compiled, or source when it runs from source. */
const ENTRY_URL = new URL(
  import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js',
  import.meta.url,
)

/** One worker thread, from its start to its end. */
export class WorkerHandle {
  readonly threadId: number
  readonly #worker: Worker
  readonly #memoryHost: MessagePort
  #error: SerializedError | null = null
  #reason: ExitReason | null = null

  /** @throws what `new Worker` throws, such as when `hooksData` cannot be cloned */
  constructor(
    order: WorkerOrder,
    memory: SharedMemoryStore,
    heapMb: number,
    listener: WorkerHandleListener,
  ) {
    const { host, end } = openMemoryChannel(memory)
    this.#memoryHost = host
    const worker = new Worker(ENTRY_URL, {
      name: `rr worker ${order.workerId}`,
      workerData: { ...order, memory: end } satisfies WorkerStart,
      transferList: [end.port],
      ...(heapMb === 0 ? {} : { resourceLimits: { maxOldGenerationSizeMb: heapMb } }),
    })
    this.#worker = worker
    this.threadId = worker.threadId
    worker.on('message', (message: WorkerMessage) => listener.onMessage(message))
    worker.on('error', (error) => this.#onError(error))
    worker.on('exit', (exitCode) => {
      this.#memoryHost.close()
      listener.onExit(this.#describeExit(exitCode))
    })
  }

  post(message: SupervisorMessage): void {
    this.#worker.postMessage(message)
  }

  /** Ends the thread wherever it is, also in an endless loop. */
  terminate(reason: ExitReason): void {
    this.#reason ??= reason
    void this.#worker.terminate()
  }

  /** The first error is what ended the thread; later ones are its consequences. */
  #onError(error: unknown): void {
    if (this.#error !== null) return
    this.#error = serializeError(error)
    this.#reason ??= this.#error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'out-of-memory' : 'crashed'
  }

  #describeExit(exitCode: number): WorkerExit {
    return { reason: this.#reason ?? 'exited', exitCode, error: this.#error }
  }
}
