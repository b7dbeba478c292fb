import { AsyncLocalStorage } from 'node:async_hooks'
import type { HttpRequest } from './request.ts'

const storage = new AsyncLocalStorage<HttpRequest>()

/**
 * Calls a function outside of every context that an application has made: a pipelined request begins
 * within what ended the one before, and is not to see its stores, or to become its child in a trace.
 */
export const outsideRequests: (run: () => void) => void = AsyncLocalStorage.snapshot()

/**
 * The request that the running code works for, with the option `requestContext`; null outside of
 * any, and always where the option is off. It holds across promises, timers and the answer's body.
 * Listeners of events and of abort signals run in the context of who tells them: bind those with
 * `AsyncLocalStorage.bind`.
 *
 * @example
 * function charge(amount: number): void {
 *   currentRequest()?.log.info({ amount }, 'charged')
 * }
 */
export function currentRequest(): HttpRequest | null {
  return storage.getStore() ?? null
}

/** Calls a function in whose context, and that of all it starts, the request is the current one. */
export function runInRequest(request: HttpRequest, run: () => void): void {
  storage.run(request, run)
}
