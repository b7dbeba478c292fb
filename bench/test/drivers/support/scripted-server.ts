/**
 * A server whose answers, delays and faults are known. It runs on a thread of its own, so that a
 * stall of it stalls nothing else. What it does with a request is said by the path:
 *
 * - /ok, /chunked, /bodiless: 200 with `ok`, with a length or in chunks; 204
 * - /status/N: that status with `ok`;  /delay/MS: `ok` after so long
 * - /stall/N/MS: `ok`, but the Nth request to it stalls the whole server for so long
 * - /echo: the body's length;  /early: 413 before the body is read
 * - /never: no answer;  /reset: half an answer, then a reset;  /garbage: no HTTP
 * - /events/N: N server-sent events with a comment before each, then the end
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'

export interface ScriptedServer {
  readonly port: number
  /** What has come in so far. */
  counts(): Promise<ServerCounts>
  close(): Promise<void>
}

export interface ServerCounts {
  readonly requests: number
  readonly connections: number
  readonly continues: number
  /** Connections on which bytes came, but no whole request. */
  readonly partial: number
  /** Method, target and body length of the first requests. */
  readonly first: readonly string[]
}

export async function startScriptedServer(): Promise<ScriptedServer> {
  const worker = new Worker(new URL(import.meta.url))
  const [port] = (await once(worker, 'message')) as [number]
  return {
    port,
    async counts() {
      worker.postMessage('counts')
      const [counts] = (await once(worker, 'message')) as [ServerCounts]
      return counts
    },
    async close() {
      await worker.terminate()
    },
  }
}

const MAX_FIRST = 64
const served = new WeakSet<object>()
const counts = { requests: 0, connections: 0, continues: 0 }
const first: string[] = []
const seen = new Map<string, number>()
let partial = 0

function serve(): void {
  const server = createServer({ keepAliveTimeout: 60_000 }, onRequest)
  server.on('checkContinue', (request, response) => {
    counts.continues++
    response.writeContinue()
    onRequest(request, response)
  })
  server.on('connection', (socket) => {
    counts.connections++
    socket.on('close', () => {
      if (socket.bytesRead > 0 && !served.has(socket)) partial++
    })
  })
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1024 }, () => {
    parentPort?.postMessage((server.address() as AddressInfo).port)
  })
  parentPort?.on('message', () => parentPort?.postMessage({ ...counts, partial, first }))
}

async function onRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [, kind = '', one = '', two = ''] = (request.url ?? '').split('/')
  const { socket } = request
  served.add(socket)
  counts.requests++
  if (kind === 'early') {
    response.writeHead(413, { connection: 'close' }).end('ok')
    return
  }
  let bodyBytes = 0
  for await (const bytes of request) bodyBytes += (bytes as Buffer).length
  if (first.length < MAX_FIRST) first.push(`${request.method} ${request.url} ${bodyBytes}`)
  const isKnown = FAULTS[kind]?.(response) ?? false
  if (isKnown) return
  if (kind === 'stall') stall(request.url ?? '', Number(one), Number(two))
  if (kind === 'delay') await new Promise((resolve) => setTimeout(resolve, Number(one)))
  if (kind === 'events') return sendEvents(response, Number(one))
  if (kind === 'status') response.statusCode = Number(one)
  if (kind === 'bodiless') response.writeHead(204).end()
  else if (kind === 'chunked') sendChunked(response)
  else if (kind === 'echo') response.end(String(bodyBytes))
  else response.setHeader('content-length', 2).end('ok')
}

const FAULTS: Readonly<Record<string, (response: ServerResponse) => boolean>> = {
  never: () => true,
  garbage: ({ socket }) => socket?.end('garbage of no protocol\r\n\r\n') !== undefined,
  reset: ({ socket }) =>
    socket?.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\no', () =>
      socket.resetAndDestroy(),
    ) !== undefined,
}

function sendChunked(response: ServerResponse): void {
  response.write('o')
  response.end('k')
}

function stall(key: string, at: number, ms: number): void {
  const count = (seen.get(key) ?? 0) + 1
  seen.set(key, count)
  if (count === at) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

function sendEvents(response: ServerResponse, count: number): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  for (let i = 0; i < count; i++) response.write(`: comment\n\ndata: ${i}\n\n`)
  response.end()
}

if (!isMainThread && parentPort !== null) serve()
