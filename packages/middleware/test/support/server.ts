import { once } from 'node:events'
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import { composeMiddleware, type Handler, type Middleware } from '@rr/core'
import { type ListenOptions, listen } from '@rr/listener'
import type { Test } from 'tap'

export interface Answer {
  readonly status: number
  /** Names in lower case; repeats joined by a comma. */
  readonly headers: IncomingMessage['headers']
  /** As it was sent: nothing is decompressed. */
  readonly body: Buffer
}

export interface Question {
  readonly method?: string
  readonly path?: string
  readonly headers?: Readonly<Record<string, string | string[]>>
}

/** A real server for one test, on a port of its own. */
export class TestServer {
  readonly url: string
  /** What the server's `onError` was told. */
  readonly errors: unknown[]

  private constructor(url: string, errors: unknown[]) {
    this.url = url
    this.errors = errors
  }

  static async start(t: Test, app: unknown, options: ListenOptions = {}): Promise<TestServer> {
    const errors: unknown[] = []
    const onError = (error: unknown): void => void errors.push(error)
    const server = await listen(app, { host: '127.0.0.1', port: 0, onError, ...options })
    t.teardown(() => server.stop())
    return new TestServer(server.url, errors)
  }

  /** Serves a handler inside middleware. */
  static compose(
    t: Test,
    middleware: readonly Middleware[],
    handler: Handler,
  ): Promise<TestServer> {
    return TestServer.start(t, composeMiddleware(middleware, handler))
  }

  ask(question: Question = {}): Promise<Answer> {
    return ask(this.url, question)
  }
}

/** Asks and takes the whole answer. */
export async function ask(url: string, question: Question = {}): Promise<Answer> {
  const { response } = await open(url, question)
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  const { statusCode: status = 0, headers } = response
  return { status, headers, body: Buffer.concat(chunks) }
}

/** Asks and leaves the body to the caller. */
export async function open(
  url: string,
  { method = 'GET', path = '/', headers = {} }: Question = {},
): Promise<{ client: ClientRequest; response: IncomingMessage }> {
  const client = httpRequest(new URL(path, url), { method, headers, agent: false })
  client.end()
  // What comes after the head is an error of the response, too.
  client.on('error', () => {})
  const [response] = (await once(client, 'response')) as [IncomingMessage]
  return { client, response }
}
