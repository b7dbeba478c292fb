import { once } from 'node:events'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { Pacer } from './pacer.ts'

/** What is streamed, and who is slow. */
export interface Transfer {
  readonly name: string
  /** @throws Error when the server did not send or receive as many bytes */
  run(url: string, bytes: number): Promise<void>
}

const CHUNK = Buffer.alloc(65_536, 'u')

/** Both ways, with the side slow that makes the server hold what it must not. */
export const TRANSFERS: readonly Transfer[] = [
  { name: 'down, the client reads slowly', run: download },
  {
    name: 'up, the handler reads slowly',
    run: (url, bytes) => upload(url, '/up-slowly', bytes, null),
  },
  {
    name: 'up, the client writes slowly',
    run: (url, bytes) => upload(url, '/up', bytes, new Pacer()),
  },
]

/** A handler that keeps the whole body: its growth shows that the measurement sees such things. */
export const KEEPING: Transfer = {
  name: 'up, the handler keeps all of it',
  run: (url, bytes) => upload(url, '/keep', bytes, null),
}

async function download(url: string, bytes: number): Promise<void> {
  const sent = request(`${url}/down/${bytes}`).end()
  const response = await responseTo(sent)
  const pacer = new Pacer()
  let received = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    received += chunk.length
    await pacer.passed(chunk.length)
  }
  check(received, bytes)
}

async function upload(
  url: string,
  path: string,
  bytes: number,
  pacer: Pacer | null,
): Promise<void> {
  const headers = { 'content-length': bytes }
  const sent = request(`${url}${path}`, { method: 'POST', headers })
  const answered = responseTo(sent)
  // Looked at below; a server that fails before is no rejection that nobody handles.
  answered.catch(() => {})
  for (let left = bytes; left > 0; left -= CHUNK.length) {
    const chunk = CHUNK.subarray(0, Math.min(left, CHUNK.length))
    if (!sent.write(chunk)) await Promise.race([once(sent, 'drain'), answered])
    await pacer?.passed(chunk.length)
  }
  sent.end()
  let text = ''
  for await (const part of (await answered).setEncoding('utf8')) text += part
  check(Number(text), bytes)
}

async function responseTo(sent: ClientRequest): Promise<IncomingMessage> {
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  if (response.statusCode !== 200) throw new Error(`answered ${response.statusCode}`)
  return response
}

function check(received: number, bytes: number): void {
  if (received !== bytes) throw new Error(`${received} bytes arrived, not ${bytes}`)
}
