import type { Transferable } from 'node:worker_threads'
import { type OptionsInput, RrError, resolveOptions } from '@rr/core'
import { computeService } from './compute-service.ts'
import type { ComputeJob } from './messages.ts'

/** The bounds of the pool; the same in every call that gives them. */
export const COMPUTE_OPTIONS = {
  maxThreads: {
    type: 'integer-or-auto',
    default: 'auto',
    minimum: 1,
    maximum: 1024,
    doc: "Threads of the pool, for the whole process; 'auto' is os.availableParallelism().",
  },
  maxQueue: {
    type: 'integer',
    default: 1000,
    minimum: 0,
    maximum: 1_000_000,
    doc: 'Tasks that may wait for a thread, over all workers; more are refused with RR_POOL_BUSY.',
  },
} as const

/** What `computePool()` takes beside the module. */
export type ComputePoolOptions = OptionsInput<typeof COMPUTE_OPTIONS>

/** What `ComputePool.run` takes beside the task. */
export interface ComputeRunOptions {
  /** Drops the task while it waits, and ends its thread while it runs: give `request.signal`. */
  readonly signal?: AbortSignal | undefined
  /** What of the task is handed over instead of copied, such as an ArrayBuffer. */
  readonly transfer?: readonly Transferable[] | undefined
  /** The name that the module exports the function by; default `default`. */
  readonly name?: string | undefined
}

/** Runs functions of one module on other threads. */
export interface ComputePool<Task = unknown, Result = unknown> {
  /**
   * Calls the module's function with a copy of `task` (structured clone) and gives a copy of its
   * result.
   *
   * @throws RrError RR_POOL_BUSY (503, answered with Retry-After) when all threads are taken and the
   *   queue is full; RR_OPTION_INVALID when the pool has other bounds; RR_SERVER_STATE when the server
   *   ends first; the signal's reason when it aborts; what the function throws, as an error with its
   *   name, message, stack and code; a DataCloneError for what cannot be copied
   */
  run(task: Task, options?: ComputeRunOptions): Promise<Result>
}

/** Takes a task to where it runs: in a worker, to the main thread. */
export type ComputeRunner = (job: ComputeJob, signal: AbortSignal | null) => Promise<unknown>

const NEVER: AbortSignal = new AbortController().signal

let runJob: ComputeRunner = async (job, signal) => {
  // As from a worker: the task is taken as it is now, also when it has to wait.
  const { task, transfer } = copyTask(job)
  return (await computeService.run({ ...job, task, transfer }, signal ?? NEVER)).value
}

function copyTask({ task, transfer }: ComputeJob): Pick<ComputeJob, 'task' | 'transfer'> {
  return structuredClone({ task, transfer }, { transfer: transfer as ArrayBuffer[] })
}

/** Sets where this thread's tasks go. For the worker entry, before the application loads. */
export function provideCompute(runner: ComputeRunner): void {
  runJob = runner
}

/**
 * Runs functions that burn CPU on threads of their own, so that the worker goes on serving. All
 * pools of all workers share the threads and the queue of the process, which are made when they are
 * first used. At a drain, tasks under way have until the deadline.
 *
 * @param file the module, TypeScript or JavaScript; it exports a `ComputeTask`
 * @param options bounds; what is left out is as the pool has it already, else the default. The first
 *   task run decides.
 * @throws RrError RR_OPTION_UNKNOWN, RR_OPTION_INVALID
 *
 * @example
 * const primes = computePool<number, number>(new URL('./work.ts', import.meta.url))
 * app.get('/primes/:n', async (request) => {
 *   return json(await primes.run(Number(request.params.n), { signal: request.signal }))
 * })
 */
export function computePool<Task = unknown, Result = unknown>(
  file: URL,
  options: ComputePoolOptions = {},
): ComputePool<Task, Result> {
  if (!(file instanceof URL)) {
    throw new RrError('RR_OPTION_INVALID', 'computePool() takes the URL of a module')
  }
  const { maxThreads, maxQueue } = resolveOptions(COMPUTE_OPTIONS, options, 'computePool()')
  const bounds = {
    maxThreads: maxThreads === 'auto' ? null : maxThreads,
    maxQueue: options.maxQueue === undefined ? null : maxQueue,
  }
  return {
    run(task, { signal, transfer = [], name = 'default' } = {}) {
      const job: ComputeJob = { fileUrl: file.href, name, task, transfer, ...bounds }
      return runJob(job, signal ?? null) as Promise<Result>
    },
  }
}
