import type { ServerInfo, ServerStatus } from './server-info.ts'

/** How a drain went. */
export type DrainResult =
  | { readonly drained: true }
  /** `remaining` connections were open at the deadline, or lost with their worker, and are cut. */
  | { readonly drained: false; readonly remaining: number }

export interface DrainOptions {
  /** Time for open connections to finish; the server's `drainTimeoutMs` by default. */
  readonly timeoutMs?: number | undefined
}

/** A server that listens. */
export interface Server {
  /** The address that it is bound to. */
  readonly host: string
  readonly port: number
  /** An address at which a client on this machine reaches it, without a slash at the end. */
  readonly url: string
  /** Resolves once nothing of the server is left, however it ended. Never rejects. */
  readonly closed: Promise<DrainResult>
  status(): ServerStatus
  info(): ServerInfo
  /**
   * Stops accepting, answers what has been asked with `Connection: close`, closes idle connections
   * after a grace, and cuts what is open at the deadline. Calls share one drain: a later one can
   * bring its deadline forward.
   *
   * @throws RrError RR_OPTION_UNKNOWN or RR_OPTION_INVALID
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

export function urlOf(host: string, port: number): string {
  const reachable = REACHABLE[host] ?? host
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`
}
