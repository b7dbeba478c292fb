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

/** Where the admin server is. */
export interface AdminAddress {
  readonly host: string
  readonly port: number
  /** Without a slash at the end. */
  readonly url: string
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
  /** Cuts all connections now. The application's teardown still runs, but has only a second. */
  stop(): Promise<void>
}

export function drainResult(remaining: number): DrainResult {
  return remaining === 0 ? { drained: true } : { drained: false, remaining }
}

/** Wildcard addresses are none that a client can use everywhere. */
const REACHABLE: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }

export function reachableUrl(host: string, port: number): string {
  return httpUrl(REACHABLE[host] ?? host, port)
}
