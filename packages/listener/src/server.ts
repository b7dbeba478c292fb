import { httpUrl } from './http-url.ts'
import type { ServerInfo, ServerStatus } from './server-info.ts'

/** How a drain went. */
export type DrainResult =
  | { readonly drained: true }
  /**
   * `remaining` connections were cut at the deadline with a request or an answer under way, or were
   * lost with their worker.
   */
  | { readonly drained: false; readonly remaining: number }

/** What `drain()` takes. */
export interface DrainOptions {
  /** Milliseconds for open connections to finish, from 0; `drainTimeoutMs` of the server by default. */
  readonly timeoutMs?: number | undefined
  /**
   * Milliseconds for which connections are still accepted while `/readyz` already says no;
   * `drainDelayMs` of the server by default. A later call with less cuts the wait short. `listen()`
   * has no admin server and waits for nothing.
   */
  readonly delayMs?: number | undefined
}

/** What `notifyDrain()` takes. */
export interface NotifyDrainOptions {
  /** Milliseconds until open answers would be cut, from 0; `drainTimeoutMs` of the server by default. */
  readonly timeoutMs?: number | undefined
}

/** Where the admin server is. */
export interface AdminAddress {
  readonly host: string
  readonly port: number
  /** Without a slash at the end. */
  readonly url: string
}

/** What `reload()` takes. */
export interface ReloadOptions {
  /** As for `drain()`, for the connections of each worker that is replaced. */
  readonly timeoutMs?: number | undefined
  /**
   * Milliseconds in which each new worker must listen, from 1; default 300000. One that does not is
   * ended, and the reload fails.
   */
  readonly startTimeoutMs?: number | undefined
}

/** How a reload went. */
export interface ReloadResult {
  /** How many workers were replaced: all. */
  readonly replaced: number
  /** Connections of the old ones that were cut at the deadline with work under way. */
  readonly remaining: number
}

/** What `reloadRoutes()` takes. */
export interface ReloadRoutesOptions {
  /** Milliseconds in which all workers must have loaded the new routes, from 1; default 30000. */
  readonly timeoutMs?: number | undefined
}

/** A server that listens. */
export interface Server {
  /** The address that it is bound to: what a host name given stands for. */
  readonly host: string
  /** The port that it is bound to, also where port 0 was asked for. */
  readonly port: number
  /** An address at which a client on this machine reaches it, without a slash at the end. */
  readonly url: string
  /** The admin server; null where the option `adminPort` asks for none, and of `listen()`. */
  readonly admin: AdminAddress | null
  /** Resolves once nothing of the server is left, however it ended. Never rejects. */
  readonly closed: Promise<DrainResult>
  /**
   * Where the server is in its life: `starting`, `accepting`, `draining` or `stopped`. Never waits,
   * never throws, and answers after the end as well.
   */
  status(): ServerStatus
  /**
   * Counts of now, over all workers and for each: connections, requests, rejections by cause, bytes,
   * and how each worker is. Read from memory that the workers share, so it answers while they are
   * stuck, costs them nothing, and after the end tells the last counts.
   *
   * @example
   * const { connections, inFlight, rejections } = server.info()
   */
  info(): ServerInfo
  /**
   * Stops accepting, answers what has been asked with `Connection: close`, closes idle connections
   * after a grace, and cuts what is open at the deadline. A client that has been answered and does
   * not close its side is waited for only briefly, and does not count. Calls share one drain: a
   * later one can bring its deadline forward.
   *
   * @throws RrError RR_OPTION_UNKNOWN or RR_OPTION_INVALID
   *
   * @example
   * const result = await server.drain({ timeoutMs: 30_000 })
   * if (!result.drained) console.warn(`${result.remaining} connections were cut`)
   */
  drain(options?: DrainOptions): Promise<DrainResult>
  /**
   * Replaces every worker by one with fresh code, one after the other: the new one is up and
   * listening first, then the old one accepts no more and finishes what it has, as in a drain. No
   * connection is refused or reset for it; see the README for systems where that takes a setting.
   * While a reload runs, further calls share the next one. With `listen()` there is nothing to
   * replace.
   *
   * @returns once every old worker has ended; an old one that stands in a native call, which nothing
   *   can end, is waited for until five seconds past its deadline, and is a warning
   *   RR_WORKER_TERMINATED
   * @throws RrError RR_RELOAD_FAILED when a new worker can't start, or the one that is to be replaced
   *   still has such a thread from an earlier reload, with the reason as cause: it and those after
   *   it are not replaced and serve on; RR_SERVER_STATE unless the server is accepting,
   *   and with `listen()`; RR_OPTION_UNKNOWN, RR_OPTION_INVALID
   *
   * @example
   * process.on('SIGHUP', () => server.reload().catch((error) => console.error(error)))
   */
  reload(options?: ReloadOptions): Promise<ReloadResult>
  /**
   * Tells whoever is answering (`request.drainSignal`, `request.onDrain`, `sse` with `drain`), in all
   * workers, that a drain is to be expected: for long answers to go elsewhere before it begins.
   * Nothing stops: new connections are taken, and connections stay open. May be called again with
   * another deadline. A notice whose deadline passes without a drain is forgotten. While the server
   * drains, or after, it does nothing.
   *
   * @throws RrError RR_OPTION_UNKNOWN or RR_OPTION_INVALID
   *
   * @example
   * server.notifyDrain({ timeoutMs: 20_000 })
   */
  notifyDrain(options?: NotifyDrainOptions): void
  /** Cuts all connections now. The application's teardown still runs, but has only a second. */
  stop(): Promise<void>
}

/** What `serve()` gives. */
export interface WorkerServer extends Server {
  /**
   * Loads the routes anew and changes to them in all workers at once: requests that begin after that
   * get the new ones, requests under way finish on the old ones, and no connection is closed. When a
   * worker cannot load them, none changes. Calls made meanwhile follow one after the other; a worker
   * that is replaced meanwhile has the new routes too.
   *
   * Imported anew is the module that `defineApp` was given as `routes`, or the application's whole
   * module where it has neither `setup` nor `teardown`; NOT what that module imports, which Node.js
   * keeps, and old copies are kept in memory as well.
   *
   * @throws RrError RR_RELOAD_FAILED when a worker could not load them or did not in time, with the
   *   error as cause, or when the application has a life cycle but no `routes`; RR_SERVER_STATE
   *   unless the server accepts; RR_OPTION_UNKNOWN or RR_OPTION_INVALID
   *
   * @example
   * await server.reloadRoutes()
   */
  reloadRoutes(options?: ReloadRoutesOptions): Promise<void>
}

/** What `listen()` gives. */
export interface InProcessServer extends Server {
  /**
   * Changes to other routes: requests that begin after that get the new ones, requests under way
   * finish on the old ones, and no connection is closed.
   *
   * @param app a router, a handler function or an object with `fetch` takes the place of what the
   *   application had, inside the middleware and error handler that it has from `defineApp`; what
   *   `defineApp` returns brings its own, and may have no `setup` or `teardown`. Left out, the
   *   module that `defineApp` was given as `routes` is imported anew
   * @throws RrError RR_APPLICATION_INVALID; RR_RELOAD_FAILED when the module could not be loaded, with
   *   the error as cause, or the application has none; RR_SERVER_STATE unless the server accepts
   *
   * @example
   * await server.reloadRoutes(newRouter)
   */
  reloadRoutes(app?: unknown): Promise<void>
}

export function drainResult(remaining: number): DrainResult {
  return remaining === 0 ? { drained: true } : { drained: false, remaining }
}

/** Wildcard addresses are none that a client can use everywhere. */
const REACHABLE: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }

export function reachableUrl(host: string, port: number): string {
  return httpUrl(REACHABLE[host] ?? host, port)
}
