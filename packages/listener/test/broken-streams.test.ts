import { once } from 'node:events'
import { get } from 'node:http'
import { stream } from '@rr/core'
import t, { type Test } from 'tap'
import { listen } from '../src/listen.ts'
import type { Server } from '../src/server.ts'
import { RawClient } from './support/raw-client.ts'
import { until } from './support/until.ts'

/** A body whose producer fails once the test has seen its first part. */
class Broken {
  readonly errors: unknown[] = []
  readonly #gate = Promise.withResolvers<void>()

  async *body(): AsyncGenerator<string> {
    yield 'first'
    await this.#gate.promise
    throw new Error('the source is gone')
  }

  fail(): void {
    this.#gate.resolve()
  }

  async serve(t: Test, headers: Record<string, string> = {}): Promise<Server> {
    const server = await listen(() => stream(this.body(), { headers }), {
      host: '127.0.0.1',
      port: 0,
      onError: (error) => void this.errors.push(error),
    })
    t.teardown(() => server.stop())
    return server
  }
}

const HTTP11 = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
const HTTP10 = 'GET / HTTP/1.0\r\n\r\n'

const FRAMINGS = [
  ['chunked', HTTP11, {}],
  ['with a Content-Length', HTTP11, { 'content-length': '10' }],
  ['HTTP/1.0, where the end of the connection is that of the body', HTTP10, {}],
] as const

for (const [title, request, headers] of FRAMINGS) {
  t.test(`an error in the middle of a body resets the connection: ${title}`, async (t) => {
    const broken = new Broken()
    const server = await broken.serve(t, headers)
    const client = await RawClient.connect(server.port)
    t.teardown(() => client.close())
    client.send(request)
    await client.expect(/first/)
    broken.fail()
    t.equal(await client.ended(), 'ECONNRESET', 'not a regular end')
    t.notMatch(client.received, '0\r\n\r\n')
    t.match(broken.errors, [{ message: 'the source is gone' }])
  })
}

t.test('clients can tell a broken body from a whole one', async (t) => {
  for (const [title, , headers] of FRAMINGS.slice(0, 2)) {
    const broken = new Broken()
    const server = await broken.serve(t, headers)
    const response = await fetch(server.url)
    const body = response.text()
    broken.fail()
    await t.rejects(body, TypeError, `fetch: ${title}`)
  }
})

for (const [title, request, headers] of FRAMINGS) {
  t.test(`a body that a drain cuts is no whole one: ${title}`, async (t) => {
    const server = await new Broken().serve(t, headers)
    const client = await RawClient.connect(server.port)
    t.teardown(() => client.close())
    client.send(request)
    await client.expect(/first/)
    t.match(await server.drain({ timeoutMs: 1 }), { drained: false, remaining: 1 })
    t.equal(await client.ended(), 'ECONNRESET', 'not a regular end')
  })
}

t.test('trailers and early hints reach a client of node:http', async (t) => {
  const server = await listen(
    (request: { earlyHints(headers: Record<string, string>): boolean }) => {
      request.earlyHints({ link: '</a.css>; rel=preload' })
      return stream(ReadableStream.from(['whole']), { trailers: () => ({ 'x-sum': 'abc' }) })
    },
    { host: '127.0.0.1', port: 0 },
  )
  t.teardown(() => server.stop())
  const hints: unknown[] = []
  const request = get(server.url, { headers: { te: 'trailers' } })
  request.on('information', ({ statusCode, headers }) => hints.push([statusCode, headers.link]))
  const [response] = await once(request, 'response')
  response.resume()
  await until(() => response.complete, 'the whole answer')
  t.same(hints, [[103, '</a.css>; rel=preload']])
  t.same(response.trailers, { 'x-sum': 'abc' })
})
