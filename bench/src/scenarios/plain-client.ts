/**
 * A client without load: one request on a connection of its own, with node:http, which none of
 * the drivers is built on.
 */
import { type ClientRequest, type IncomingMessage, request as openRequest } from 'node:http'
import type { RequestSpec } from '../model.ts'

export interface PlainAnswer {
  readonly status: number
  /** Values of a field that occurs more than once are joined by `, `. */
  header(name: string): string | null
  readonly body: Uint8Array
  /** True when the server asked for the body by an interim answer 100. */
  readonly sawContinue: boolean
}

/** How much of an answer to wait for, where it has no end. */
export interface PlainOptions {
  readonly timeoutMs: number
  /** Stop reading after that many bytes; the answer may end before. */
  readonly maxBodyBytes: number
}

/** How a chunked body is cut: several chunks, the last one shorter. */
const CHUNK_BYTES = 300
/** A client sends the body in the end, also to a server that never asks (RFC 9110 §10.1.1). */
const CONTINUE_WAIT_MS = 1000

export function sendPlain(
  url: string,
  spec: RequestSpec,
  { timeoutMs, maxBodyBytes }: PlainOptions,
): Promise<PlainAnswer> {
  return new Promise((resolve, reject) => {
    let sawContinue = false
    const request = openRequest(new URL(url), {
      method: spec.method,
      path: spec.target,
      headers: fieldsOf(spec),
      // No agent: no connection outlives its request.
      agent: false,
    })
    const timer = setTimeout(() => request.destroy(new Error('timed out')), timeoutMs)
    const sendUnasked = setTimeout(() => {
      if (spec.bodyMode === 'expect-continue' && !sawContinue) request.end(spec.body)
    }, CONTINUE_WAIT_MS)
    const settle = (done: () => void): void => {
      clearTimeout(timer)
      clearTimeout(sendUnasked)
      request.destroy()
      done()
    }
    request.on('error', (error) => settle(() => reject(error)))
    request.on('continue', () => {
      sawContinue = true
      request.end(spec.body)
    })
    request.on('response', (response) => {
      collect(response, maxBodyBytes).then(
        (body) => settle(() => resolve(toAnswer(response, body, sawContinue))),
        (error: unknown) => settle(() => reject(error)),
      )
    })
    sendBody(request, spec)
  })
}

function fieldsOf(spec: RequestSpec): Record<string, string> {
  const fields = Object.fromEntries(spec.headers)
  if (spec.body === null) return fields
  if (spec.bodyMode === 'chunked') return { ...fields, 'transfer-encoding': 'chunked' }
  const sized = { ...fields, 'content-length': String(spec.body.length) }
  return spec.bodyMode === 'expect-continue' ? { ...sized, expect: '100-continue' } : sized
}

function sendBody(request: ClientRequest, { body, bodyMode }: RequestSpec): void {
  if (body === null) request.end()
  else if (bodyMode === 'length') request.end(body)
  else if (bodyMode === 'expect-continue') request.flushHeaders()
  else {
    for (let at = 0; at < body.length; at += CHUNK_BYTES) {
      request.write(body.subarray(at, at + CHUNK_BYTES))
    }
    request.end()
  }
}

async function collect(response: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response) {
    const bytes = chunk as Buffer
    chunks.push(bytes)
    length += bytes.length
    if (length >= maxBytes) break
  }
  return Buffer.concat(chunks)
}

function toAnswer(response: IncomingMessage, body: Uint8Array, sawContinue: boolean): PlainAnswer {
  return {
    status: response.statusCode ?? 0,
    header: (name) => response.headersDistinct[name]?.join(', ') ?? null,
    body,
    sawContinue,
  }
}
