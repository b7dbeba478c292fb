import type { AccessEntry, HttpRequest, RefusalObserver, RequestLog } from '@rr/core'
import { RrError } from '@rr/core'
import type { WarningCode } from './server-events.ts'

/** What `createWorkerHooks` is told. */
export interface WorkerHooksContext {
  /** 1 to `workers`. */
  readonly workerId: number
  /** How many workers the server has. */
  readonly workers: number
  /** A copy of the option `workerHooksData`. */
  readonly data: unknown
}

/** What happens in one worker, told in that worker. */
export type WorkerEvent =
  | { readonly type: 'listening'; readonly port: number }
  | { readonly type: 'drain-started'; readonly connections: number }
  | { readonly type: 'drain-ended'; readonly remaining: number }
  | { readonly type: 'warning'; readonly code: WarningCode; readonly message: string }

/**
 * What a module named by the option `workerHooks` gives to each worker, so that errors and requests
 * are logged in the thread where they happen. One that throws, or whose promise rejects, is a
 * warning RR_HOOK_FAILED, once for each; promises are not waited for but that of `close`.
 */
export interface WorkerHooks {
  /** A handler failed; null when rr itself did. Without it the main thread gets `handler-error`. */
  readonly onError?: (error: unknown, request: HttpRequest | null) => void
  /** Called after each answer. Costs on every request. */
  readonly onAccess?: (entry: AccessEntry) => void
  /** Called for each request and connection that is refused, by whatever limit or rule. */
  readonly onRefusal?: RefusalObserver
  /** Called besides the main thread's events. */
  readonly onEvent?: (event: WorkerEvent) => void
  /** What `request.log` logs to; without it lines from `warn` on go to stderr, in JSON. */
  readonly log?: RequestLog
  /** Called last, before the thread ends by itself. */
  readonly close?: () => void | Promise<void>
}

/**
 * What the module exports as `createWorkerHooks`; called once in each worker, before the application
 * is imported. When it throws, the worker has failed to start.
 *
 * @example
 * export const createWorkerHooks: CreateWorkerHooks = ({ workerId }) => ({
 *   onError: (error, request) => console.error(workerId, request?.path, error),
 * })
 */
export type CreateWorkerHooks = (context: WorkerHooksContext) => WorkerHooks | Promise<WorkerHooks>

/** Imports a hooks module and calls its `createWorkerHooks`. */
export async function loadWorkerHooks(
  url: string,
  context: WorkerHooksContext,
): Promise<WorkerHooks> {
  const module = (await import(url)) as { createWorkerHooks?: unknown }
  if (typeof module.createWorkerHooks !== 'function') {
    throw new RrError('RR_OPTION_INVALID', `workerHooks: ${url} exports no createWorkerHooks`)
  }
  return (module.createWorkerHooks as CreateWorkerHooks)(context)
}
