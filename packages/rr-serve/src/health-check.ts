import { get as getHttp } from 'node:http'
import { get as getHttps } from 'node:https'
import { httpUrl } from '@rr/listener'
import type { HealthCheckCommand } from './command.ts'

/** Long enough for a server that is busy, shorter than what containers and probes wait. */
const TIME_LIMIT_MS = 3000

/** What was asked, and whether it means that the server is ready. */
export interface HealthTarget {
  readonly url: string
  /** True where the answer is a readiness check's own; else any answer below 500 will do. */
  readonly isReadiness: boolean
}

export interface Health {
  readonly isReady: boolean
  /** Why, in one line. */
  readonly text: string
}

/** Asks, prints why in a line, and sets the exit code: 0 when ready, else 1. */
export async function checkHealth(command: HealthCheckCommand): Promise<void> {
  const { isReady, text } = await askHealth(healthTarget(command))
  const stream = isReady ? process.stdout : process.stderr
  stream.write(`rr-serve: ${text}\n`)
  process.exitCode = isReady ? 0 : 1
}

/**
 * The admin server's readiness where it has a port; else the main port, which answers requests once
 * all workers listen and refuses connections from the beginning of a drain.
 */
export function healthTarget({
  url,
  options,
}: Pick<HealthCheckCommand, 'url' | 'options'>): HealthTarget {
  if (url !== null) return { url, isReadiness: new URL(url).pathname === '/readyz' }
  const { adminPort, adminHost, host, port } = options
  if (typeof adminPort === 'number' && adminPort > 0) {
    const address = reachable(String(adminHost ?? '127.0.0.1'))
    return { url: `${httpUrl(address, adminPort)}/readyz`, isReadiness: true }
  }
  return { url: `${httpUrl(reachable(String(host)), Number(port))}/`, isReadiness: false }
}

/** Resolves in any case, after 3 s at the latest. */
export function askHealth(
  target: HealthTarget,
  timeLimitMs: number = TIME_LIMIT_MS,
): Promise<Health> {
  const { url, isReadiness } = target
  const get = url.startsWith('https:') ? getHttps : getHttp
  return new Promise((resolve) => {
    const say = (isReady: boolean, text: string): void => {
      clearTimeout(timer)
      resolve({ isReady, text })
    }
    // A certificate names the public host; this asks the same server from within.
    const options = { agent: false, rejectUnauthorized: false } as const
    const request = get(url, options, (response) => {
      const { statusCode = 0 } = response
      const isReady = isReadiness ? statusCode >= 200 && statusCode < 300 : statusCode < 500
      say(isReady, `${isReady ? 'ready' : 'not ready'}: ${url} answered ${statusCode}`)
      request.destroy()
    })
    // Of the whole exchange: a timeout of the socket begins anew with each byte.
    const timer = setTimeout(() => {
      say(false, `not ready: ${url} did not answer within ${timeLimitMs} ms`)
      request.destroy()
    }, timeLimitMs)
    request.once('error', (error: NodeJS.ErrnoException) =>
      say(false, `not ready: ${url} cannot be asked: ${error.code ?? error.message}`),
    )
  })
}

/** Wildcard addresses are none to connect to. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  return host === '::' ? '::1' : host
}
