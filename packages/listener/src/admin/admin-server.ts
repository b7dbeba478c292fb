/**
 * The admin server: health, metrics and the live page, on a port of its own.
 *
 * It runs on the main thread and reads shared memory, so that it answers while every worker is
 * stuck. It is built on node:http and not on this project's own: it is no hot path, and what tells
 * of a failure should not share the code that failed.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { bindError } from '../port-guard.ts'
import { type AdminAddress, reachableUrl } from '../server.ts'
import { type AdminPage, adminPages, type PageAnswer } from './admin-pages.ts'
import type { AdminSource } from './admin-source.ts'
import { isLocalHost, isLoopback } from './host-check.ts'

/** Enough for probes, scrapers and some people; what a flood could hold is small. */
export const MAX_ADMIN_CONNECTIONS = 64
const MAX_HEADER_BYTES = 8192
/** For a head, a whole request, and between two of them. A probe has long given up. */
const TIMEOUT_MS = 10_000

const TEXT = 'text/plain; charset=utf-8'
const NO_POLICY = "default-src 'none'; frame-ancestors 'none'"

export class AdminServer {
  readonly #host: string
  readonly #port: number
  readonly #pages: ReadonlyMap<string, AdminPage>
  readonly #server: Server
  #address: AdminAddress | null = null
  #isLoopback = true

  constructor(host: string, port: number, source: AdminSource) {
    this.#host = host
    this.#port = port
    this.#pages = adminPages(source)
    this.#server = createServer(
      {
        maxHeaderSize: MAX_HEADER_BYTES,
        headersTimeout: TIMEOUT_MS,
        requestTimeout: TIMEOUT_MS,
        keepAliveTimeout: TIMEOUT_MS,
        connectionsCheckingInterval: 1000,
        requireHostHeader: true,
      },
      (request, response) => this.#answer(request, response),
    )
    this.#server.maxConnections = MAX_ADMIN_CONNECTIONS
    this.#server.setTimeout(TIMEOUT_MS)
  }

  /** Where it listens; null before. */
  get address(): AdminAddress | null {
    return this.#address
  }

  /** @throws RrError RR_BIND_FAILED */
  start(): Promise<AdminAddress> {
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void =>
        reject(bindError(error as NodeJS.ErrnoException, this.#host, this.#port))
      this.#server.once('error', fail)
      const where = { host: this.#host, port: this.#port, exclusive: true }
      this.#server.listen(where, () => {
        this.#server.off('error', fail)
        // Accepting can fail later on, for want of descriptors; a probe sees that for itself.
        this.#server.on('error', () => {})
        const { address, port } = this.#server.address() as AddressInfo
        this.#isLoopback = isLoopback(address)
        this.#address = { host: address, port, url: reachableUrl(address, port) }
        resolve(this.#address)
      })
    })
  }

  /** Cuts what is open. May be called whether it has been started or not. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    // A body that comes along is not waited for: the connection ends with the answer.
    const hasBody = request.headers['transfer-encoding'] ?? request.headers['content-length']
    if (hasBody !== undefined && hasBody !== '0') response.shouldKeepAlive = false
    let answer: PageAnswer
    try {
      answer = this.#findAnswer(request)
    } catch (error) {
      answer = { status: 500, type: TEXT, body: `${error}\n` }
    }
    const { status, type, body, policy = NO_POLICY } = answer
    response.writeHead(status, {
      'content-type': type,
      'content-length': Buffer.byteLength(body),
      'cache-control': 'no-store',
      'content-security-policy': policy,
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      ...(status === 405 ? { allow: 'GET, HEAD' } : {}),
    })
    response.end(body)
  }

  #findAnswer({ method, url = '', headers }: IncomingMessage): PageAnswer {
    if (this.#isLoopback && !isLocalHost(headers.host)) {
      return plain(421, 'this address answers to localhost and to IP addresses only')
    }
    const [path = '', query = ''] = url.split('?', 2)
    const page = this.#pages.get(path)
    if (page === undefined) return plain(404, 'not found')
    if (method !== 'GET' && method !== 'HEAD') return plain(405, 'only GET and HEAD')
    return page({ accept: headers.accept ?? '', query: new URLSearchParams(query) })
  }
}

function plain(status: number, text: string): PageAnswer {
  return { status, type: TEXT, body: `${text}\n` }
}
