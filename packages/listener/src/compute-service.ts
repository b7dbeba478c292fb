import { availableParallelism } from 'node:os'
import { RrError } from '@rr/core'
import type { Piscina } from 'piscina'
import type { ComputeOutcome, ComputeWork } from './compute-task.ts'
import { describeThrown } from './hook-guard.ts'
import type { ComputeJob } from './messages.ts'
import { deserializeError } from './serialized-error.ts'

/** Counts of the compute pool: now, and since the start of the process. */
export interface ComputeCounts {
  /** Tasks that wait for a thread now. */
  readonly queued: number
  /** Tasks on a thread now, or for which one is being started. */
  readonly running: number
  /** Tasks that have ended by themselves, with a result or an error. */
  readonly completed: number
  /** Tasks dropped or stopped because nobody waited for them any more. */
  readonly cancelled: number
  /** Tasks refused because the queue was full. */
  readonly rejected: number
}

/** How a task has ended well. */
export interface ComputeResult {
  readonly value: unknown
  /** What of `value` can be handed on without a copy. */
  readonly transfer: ComputeOutcome['transfer']
}

const DEFAULT_MAX_QUEUE = 1000

/** Long enough not to start threads anew in a short pause, short enough to hold none in a long one. */
const IDLE_THREAD_MS = 10_000

/** Beside this file, in the same form. */
const TASK_URL = new URL(
  import.meta.url.endsWith('.ts') ? './compute-task.ts' : './compute-task.js',
  import.meta.url,
)

interface Entry {
  readonly job: ComputeJob
  readonly signal: AbortSignal
  readonly settled: PromiseWithResolvers<ComputeResult>
  readonly onAbort: () => void
}

/**
 * The compute pool of the process, in the main thread: what waits, and what runs on piscina's
 * threads.
 *
 * The queue is here and not piscina's: piscina starts no thread for tasks that wait in its queue
 * after it has ended the last one for an aborted task. It gets a task only when a thread is free.
 */
export class ComputeService {
  readonly #queue: Set<Entry> = new Set()
  readonly #running: Set<Entry> = new Set()
  readonly #listeners: Set<(message: string) => void> = new Set()
  #bounds: { readonly maxThreads: number; readonly maxQueue: number } | null = null
  #pool: Promise<Piscina> | null = null
  #keepAlive: NodeJS.Timeout | null = null
  #completed = 0
  #cancelled = 0
  #rejected = 0
  readonly #taskUrl: URL

  /** @param taskUrl what the threads run; tests give one that cannot be loaded */
  constructor(taskUrl: URL = TASK_URL) {
    this.#taskUrl = taskUrl
  }

  /** Tasks that have not ended. */
  get pending(): number {
    return this.#queue.size + this.#running.size
  }

  counts(): ComputeCounts {
    return {
      queued: this.#queue.size,
      running: this.#running.size,
      completed: this.#completed,
      cancelled: this.#cancelled,
      rejected: this.#rejected,
    }
  }

  /**
   * Keeps the pool for a server. The last one that lets go ends it with all its threads.
   *
   * @param onFault told of threads that fail outside of any task
   * @returns what lets go; resolves when the threads have ended
   */
  retain(onFault: (message: string) => void): () => Promise<void> {
    // A function of its own for each call: the same one twice would count once.
    const listener = (message: string): void => onFault(message)
    this.#listeners.add(listener)
    return async () => {
      if (this.#listeners.delete(listener) && this.#listeners.size === 0) await this.#close()
    }
  }

  /**
   * Runs a task, or queues it.
   *
   * @param signal drops a task that waits and ends the thread of one that runs
   * @throws RrError RR_POOL_BUSY, RR_OPTION_INVALID; what the task throws; the signal's reason
   */
  async run(job: ComputeJob, signal: AbortSignal): Promise<ComputeResult> {
    signal.throwIfAborted()
    const { maxThreads, maxQueue } = this.#agreeOnBounds(job)
    if (this.#running.size >= maxThreads && this.#queue.size >= maxQueue) {
      this.#rejected++
      throw new RrError(
        'RR_POOL_BUSY',
        `the compute pool has ${maxThreads} tasks running and ${maxQueue} waiting`,
      )
    }
    const entry: Entry = {
      job,
      signal,
      settled: Promise.withResolvers(),
      onAbort: () => this.#cancel(entry),
    }
    signal.addEventListener('abort', entry.onAbort)
    this.#queue.add(entry)
    this.#startNext()
    return entry.settled.promise
  }

  /** The first task decides; later ones may not ask for something else. */
  #agreeOnBounds(job: ComputeJob): { readonly maxThreads: number; readonly maxQueue: number } {
    this.#bounds ??= {
      maxThreads: job.maxThreads ?? availableParallelism(),
      maxQueue: job.maxQueue ?? DEFAULT_MAX_QUEUE,
    }
    for (const name of ['maxThreads', 'maxQueue'] as const) {
      const wanted = job[name]
      if (wanted !== null && wanted !== this.#bounds[name]) {
        throw new RrError(
          'RR_OPTION_INVALID',
          `computePool(): ${name} is ${wanted}, but the process has one pool, whose ${name} ` +
            `is ${this.#bounds[name]}`,
        )
      }
    }
    return this.#bounds
  }

  #startNext(): void {
    if (this.#bounds === null) return
    for (const entry of this.#queue) {
      if (this.#running.size >= this.#bounds.maxThreads) break
      this.#queue.delete(entry)
      this.#running.add(entry)
      void this.#execute(entry, this.#bounds.maxThreads)
    }
    // Piscina's threads do not keep the process while they start.
    if (this.#running.size === 0 && this.#keepAlive !== null) {
      clearInterval(this.#keepAlive)
      this.#keepAlive = null
    } else if (this.#running.size > 0) {
      this.#keepAlive ??= setInterval(() => {}, 2 ** 30)
    }
  }

  async #execute(entry: Entry, maxThreads: number): Promise<void> {
    const { fileUrl, name, task, transfer } = entry.job
    let end: () => void
    try {
      this.#pool ??= this.#createPool(maxThreads)
      const pool = await this.#pool
      if (!this.#running.has(entry)) return
      const work: ComputeWork = { fileUrl, name, task }
      const options = { signal: entry.signal, transferList: [...transfer] as never }
      const outcome = (await pool.run(work, options)) as ComputeOutcome
      end = () => settle(entry, outcome)
    } catch (error) {
      end = () => entry.settled.reject(explain(error))
    }
    if (!this.#running.delete(entry)) return
    this.#completed++
    entry.signal.removeEventListener('abort', entry.onAbort)
    end()
    this.#startNext()
  }

  #cancel(entry: Entry): void {
    this.#drop(entry, entry.signal.reason)
    this.#cancelled++
    this.#startNext()
  }

  #drop(entry: Entry, reason: unknown): void {
    this.#queue.delete(entry)
    this.#running.delete(entry)
    entry.signal.removeEventListener('abort', entry.onAbort)
    entry.settled.reject(reason)
  }

  async #createPool(maxThreads: number): Promise<Piscina> {
    // Loaded by the first task: most servers have none.
    const { Piscina } = await import('piscina')
    const pool = new Piscina({
      filename: this.#taskUrl.href,
      minThreads: 0,
      maxThreads,
      idleTimeout: IDLE_THREAD_MS,
      recordTiming: false,
      // Otherwise a thread sleeps between tasks, and what one left to finish stands still.
      atomics: 'disabled',
    })
    pool.on('error', (error: unknown) => this.#onFault(pool, error))
    return pool
  }

  /** Without a listener, an error of a thread that has no task would end the process. */
  #onFault(pool: Piscina, error: unknown): void {
    const message = `a thread of the compute pool failed: ${describeThrown(error)}`
    for (const listener of this.#listeners) listener(message)
    // Threads that cannot start leave their tasks waiting for ever: those fail, with the pool.
    if (pool.threads.length > 0 || this.#running.size === 0) return
    this.#pool = null
    void pool.destroy()
    const failure = new RrError('RR_WORKER_FAILED', message, { cause: error })
    for (const entry of [...this.#running]) {
      this.#completed++
      this.#drop(entry, failure)
    }
    this.#startNext()
  }

  async #close(): Promise<void> {
    const pool = this.#pool
    this.#pool = null
    this.#bounds = null
    const reason = new RrError(
      'RR_SERVER_STATE',
      'the server has ended, and the compute pool with it',
    )
    for (const entry of [...this.#queue, ...this.#running]) {
      this.#cancelled++
      this.#drop(entry, reason)
    }
    this.#startNext()
    if (this.#keepAlive !== null) clearInterval(this.#keepAlive)
    this.#keepAlive = null
    await pool?.then(
      (created) => created.destroy(),
      () => {},
    )
  }
}

function settle({ settled }: Entry, { error, value, transfer }: ComputeOutcome): void {
  if (error === null) settled.resolve({ value, transfer })
  else settled.reject(deserializeError(error))
}

/** The error of a result that cannot be copied ends its thread, and loses its message on the way. */
function explain(error: unknown): unknown {
  if (!(error instanceof Error) || error.message !== '') return error
  return new TypeError('the result of the task could not be copied (structured clone)', {
    cause: error,
  })
}

/** The one of this process; used in the main thread only. */
export const computeService: ComputeService = new ComputeService()
