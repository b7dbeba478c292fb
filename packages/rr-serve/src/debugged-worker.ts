import { isIP } from 'node:net'
import { RrError } from '@rr/core'

const DEFAULT_HOST = '127.0.0.1'
/** Node's own default for a debugger. */
const DEFAULT_PORT = 9229

/** Which worker a debugger is opened on, and where it listens. */
export interface DebuggedWorker {
  readonly workerId: number
  readonly host: string
  readonly port: number
}

/**
 * Reads `N`, `N:port` or `N:host:port`; an IPv6 address stands in brackets.
 *
 * @returns null for the empty text, which asks for none
 * @throws RrError RR_OPTION_INVALID
 */
export function parseDebuggedWorker(text: string): DebuggedWorker | null {
  if (text === '') return null
  const match = /^(\d{1,4})(?::(?:(\[[\da-f:.]+\]|[^:[\]]+):)?(\d{1,5}))?$/i.exec(text)
  const workerId = Number(match?.[1])
  const port = match?.[3] === undefined ? DEFAULT_PORT : Number(match[3])
  if (match === null || workerId < 1 || port > 65_535) {
    throw new RrError(
      'RR_OPTION_INVALID',
      `--inspect-worker takes the number of a worker, and where to listen, as in 2, 2:9230 or 2:127.0.0.1:9230, not '${text}'`,
    )
  }
  const host = match[2]?.replace(/^\[|\]$/g, '') ?? DEFAULT_HOST
  return { workerId, host, port }
}

/** True for an address that only this machine reaches. A name may stand for any. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost' || host === '::1') return true
  return isIP(host) === 4 && host.startsWith('127.')
}
