import { once } from 'node:events'
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'

/** A request; each goes over a connection of its own. */
export interface Question {
  /** Default POST where there is a body, else GET. */
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** Sends the body in chunks, so that nobody is told its length. */
  readonly isChunked?: boolean
}

/** An answer that has come whole. */
export interface Answer {
  readonly status: number
  /** Names in lower case; repeats joined by a comma, but those of Set-Cookie. */
  readonly headers: IncomingMessage['headers']
  readonly trailers: IncomingMessage['trailers']
  /** Statuses of the interim answers before it. */
  readonly interim: readonly number[]
  /** As it was sent: nothing is decompressed. */
  readonly body: Buffer
  readonly text: string
}

/** Asks, and leaves the answer to the caller. */
export function begin(url: string, question: Question = {}): ClientRequest {
  const { body, isChunked = false, headers = {} } = question
  const { method = body === undefined ? 'GET' : 'POST' } = question
  const client = httpRequest(url, { method, headers, agent: false })
  // Who waits for an answer is told by once(); afterwards errors are those of the response.
  client.on('error', () => {})
  if (isChunked) client.write(body ?? '')
  client.end(isChunked ? undefined : body)
  return client
}

/** Asks, and takes the head of the answer. */
export async function open(
  url: string,
  question?: Question,
): Promise<{ client: ClientRequest; response: IncomingMessage }> {
  const client = begin(url, question)
  const [response] = (await once(client, 'response')) as [IncomingMessage]
  return { client, response }
}

/** Asks, and takes the whole answer. */
export async function ask(url: string, question?: Question): Promise<Answer> {
  const client = begin(url, question)
  const interim: number[] = []
  client.on('information', ({ statusCode }) => interim.push(statusCode))
  const [response] = (await once(client, 'response')) as [IncomingMessage]
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  const body = Buffer.concat(chunks)
  const { statusCode: status = 0, headers, trailers } = response
  return { status, headers, trailers, interim, body, text: body.toString() }
}

/** Reads until what has come matches, and goes on reading; rejects when it ends before. */
export function readUntil(response: IncomingMessage, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    response.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      if (pattern.test(text)) resolve(text)
    })
    response.on('end', () => reject(new Error(`ended within ${JSON.stringify(text)}`)))
    response.on('error', reject)
  })
}
