import type { RequestSpec } from '../model.ts'

/** Up to here a body goes out in one write with its head; a larger one is streamed. */
const MAX_WHOLE_BODY_BYTES = 16 * 1024
/** A chunked body has about this many chunks ... */
const CHUNKS_PER_BODY = 16
/** ... of at least and at most so many bytes: what programs that stream do send. */
const MIN_CHUNK_BYTES = 256
const MAX_CHUNK_BYTES = 64 * 1024

/** A request as it goes out. */
export interface WireRequest {
  /** What is sent at once, as latin1: the head and, where it is small and not held back, the body. */
  readonly text: string
  /** What is sent after it in pieces, under back-pressure; with its chunk framing, if any. */
  readonly rest: Buffer | null
  /** The rest goes out only after a 100 (RFC 9110 §10.1.1). */
  readonly awaitsContinue: boolean
  /** Its answer has no body whatever its fields say. */
  readonly isHead: boolean
}

/** @param closes true to ask the server to close the connection after its answer */
export function encodeRequest(request: RequestSpec, host: string, closes: boolean): WireRequest {
  const { method, target, headers, body, bodyMode } = request
  let head = `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\n`
  for (const [name, value] of headers) head += `${name}: ${value}\r\n`
  const hasConnection = headers.some(([name]) => name.toLowerCase() === 'connection')
  if (closes && !hasConnection) head += 'Connection: close\r\n'
  if (body !== null) {
    head +=
      bodyMode === 'chunked'
        ? 'Transfer-Encoding: chunked\r\n'
        : `Content-Length: ${body.byteLength}\r\n`
    if (bodyMode === 'expect-continue') head += 'Expect: 100-continue\r\n'
  }
  head += '\r\n'
  const isHead = method === 'HEAD'
  if (body === null) return { text: head, rest: null, awaitsContinue: false, isHead }
  const bytes = bodyMode === 'chunked' ? frameChunks(body) : asBuffer(body)
  if (bodyMode === 'expect-continue') {
    return { text: head, rest: bytes, awaitsContinue: true, isHead }
  }
  if (bytes.length > MAX_WHOLE_BODY_BYTES) {
    return { text: head, rest: bytes, awaitsContinue: false, isHead }
  }
  // Through a Buffer, so that the string is flat: one that is a tree of parts is flattened again
  // and again, once for each write.
  const text = Buffer.concat([Buffer.from(head, 'latin1'), bytes]).toString('latin1')
  return { text, rest: null, awaitsContinue: false, isHead }
}

/** The whole request as one piece, for programs that take it ready-made. */
export function requestBytes(wire: WireRequest): Buffer {
  const head = Buffer.from(wire.text, 'latin1')
  return wire.rest === null ? head : Buffer.concat([head, wire.rest])
}

function frameChunks(body: Uint8Array): Buffer {
  const size = Math.ceil(body.byteLength / CHUNKS_PER_BODY)
  const chunkBytes = Math.min(MAX_CHUNK_BYTES, Math.max(MIN_CHUNK_BYTES, size))
  const parts: Uint8Array[] = []
  for (let at = 0; at < body.byteLength; at += chunkBytes) {
    const chunk = body.subarray(at, at + chunkBytes)
    parts.push(Buffer.from(`${chunk.byteLength.toString(16)}\r\n`), chunk, Buffer.from('\r\n'))
  }
  parts.push(Buffer.from('0\r\n\r\n'))
  return Buffer.concat(parts)
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
