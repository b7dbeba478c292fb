import { connect } from 'node:net'

/** An answer as it came over the wire, latin1; the body without any framing undone. */
export interface RawAnswer {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
  /** Everything that was received. */
  readonly text: string
}

/**
 * Sends a GET (or other method) whose target is exactly `target`, byte by byte what is given, and
 * reads until the server closes.
 */
export async function rawRequest(
  port: number,
  target: string,
  { method = 'GET', headers = '' }: { method?: string; headers?: string } = {},
): Promise<RawAnswer> {
  const socket = connect({ port, host: '127.0.0.1' })
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.on('error', () => {})
  socket.write(
    `${method} ${target} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n${headers}\r\n`,
    'latin1',
  )
  // Not once(): it rejects on a reset, and what came before counts.
  await new Promise((resolve) => socket.on('close', resolve))
  return parseAnswer(Buffer.concat(chunks).toString('latin1'))
}

export function parseAnswer(text: string): RawAnswer {
  const end = text.indexOf('\r\n\r\n')
  const head = text.slice(0, Math.max(end, 0)).split('\r\n')
  const headers = new Map<string, string>()
  for (const line of head.slice(1)) {
    const colon = line.indexOf(':')
    headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim())
  }
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head[0] ?? '')?.[1] ?? 0)
  return { status, headers, body: end < 0 ? '' : text.slice(end + 4), text }
}
