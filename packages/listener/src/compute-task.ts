/**
 * What piscina's threads run: imports the application's module and calls its function. Piscina could
 * do so itself, but it swallows the errors of a first attempt to load, takes paths only, and loses an
 * error's name and code.
 */
import type { Transferable } from 'node:worker_threads'
import { type SerializedError, serializeError } from './serialized-error.ts'

/** What a function of a compute pool's module is given beside the task. */
export interface ComputeContext {
  /**
   * Hands these over with the result instead of copying them: an ArrayBuffer of megabytes then
   * costs nothing to send, and is empty here afterwards.
   */
  readonly transfer: (...objects: readonly Transferable[]) => void
}

/** A function that a compute pool calls: the default export of its module, or one by name. */
export type ComputeTask<Task = unknown, Result = unknown> = (
  task: Task,
  context: ComputeContext,
) => Result | Promise<Result>

/** A task as a thread gets it. */
export interface ComputeWork {
  readonly fileUrl: string
  readonly name: string
  readonly task: unknown
}

/** How a task has ended, as it leaves the thread. */
export interface ComputeOutcome {
  readonly error: SerializedError | null
  readonly value: unknown
  readonly transfer: readonly Transferable[]
}

export default async function runTask({ fileUrl, name, task }: ComputeWork): Promise<unknown> {
  const transfer: Transferable[] = []
  try {
    const module = (await import(fileUrl)) as Record<string, unknown>
    const run = module[name]
    if (typeof run !== 'function') throw new TypeError(`${fileUrl} exports no function '${name}'`)
    const context: ComputeContext = { transfer: (...objects) => void transfer.push(...objects) }
    const value: unknown = await (run as ComputeTask)(task, context)
    const outcome: ComputeOutcome = { error: null, value, transfer }
    return transfer.length === 0 ? outcome : await movable(outcome)
  } catch (error) {
    return { error: serializeError(error), value: null, transfer: [] } satisfies ComputeOutcome
  }
}

/** Piscina's form of a result with a transfer list; loaded by the tasks that have one. */
async function movable(outcome: ComputeOutcome): Promise<unknown> {
  const { move, transferableSymbol, valueSymbol } = await import('piscina')
  return move({ [transferableSymbol]: outcome.transfer, [valueSymbol]: outcome } as never)
}
