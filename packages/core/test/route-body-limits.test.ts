import t from 'tap'
import { defineApp, resolveApplication } from '../src/application.ts'
import type { RouteBodyLimit } from '../src/handler.ts'
import { text } from '../src/response.ts'
import { Conversation } from './support/conversation.ts'
import { NEXT } from './support/messages.ts'

/** The status that a POST of `length` bytes to `path` is answered with, by both framings. */
async function statuses(
  length: number,
  path: string,
  maxBodyBytes: RouteBodyLimit | null,
): Promise<number[]> {
  const framed = [
    `Content-Length: ${length}\r\n\r\n${'b'.repeat(length)}`,
    `Transfer-Encoding: chunked\r\n\r\n${length.toString(16)}\r\n${'b'.repeat(length)}\r\n0\r\n\r\n`,
  ]
  const all: number[] = []
  for (const rest of framed) {
    const conversation = new Conversation({
      limits: { maxBodyBytes: 100 },
      maxBodyBytes,
      handler: async (request) => text(String((await request.bytes()).length)),
    })
    await conversation.send(`POST ${path} HTTP/1.1\r\nHost: a\r\n${rest}`).settle()
    all.push(...conversation.statuses())
  }
  return all
}

t.test('a dispatcher sets the limit of a body, below and above that of the server', async (t) => {
  const table = new Map([
    ['POST /small', 10],
    ['POST /large', 1000],
    ['POST /none', 0],
  ])
  const limits: RouteBodyLimit = (method, path) => table.get(`${method} ${path}`)
  for (const [path, limit] of [
    ['/small', 10],
    ['/large', 1000],
    ['/other', 100],
  ] as const) {
    t.same(await statuses(limit - 1, path, limits), [200, 200], `${path} at limit-1`)
    t.same(await statuses(limit, path, limits), [200, 200], `${path} at the limit`)
    t.same(await statuses(limit + 1, path, limits), [413, 413], `${path} at limit+1`)
  }
  t.same(await statuses(1, '/none', limits), [413, 413], 'also none at all')
})

t.test('a limit that is none leaves that of the server, and harms nothing', async (t) => {
  const none: readonly unknown[] = [undefined, null, -1, 1.5, Number.NaN, '1000', 2 ** 60]
  for (const value of none) {
    t.same(await statuses(100, '/', () => value as number), [200, 200])
    t.same(await statuses(101, '/', () => value as number), [413, 413])
  }
  const fail = (): number => {
    throw new Error('a broken dispatcher')
  }
  t.same(await statuses(100, '/', fail), [200, 200])
  t.same(await statuses(101, '/', fail), [413, 413])
})

t.test('the limit is asked for once for each message with a body, and no other', async (t) => {
  const asked: string[] = []
  const conversation = new Conversation({
    limits: { maxBodyBytes: 10 },
    maxBodyBytes: (method, path) => {
      asked.push(`${method} ${path}`)
      return path === '/a' ? 20 : undefined
    },
    handler: async (request) => text(await request.text()),
  })
  const post = (path: string, length: number): string =>
    `POST ${path}?q HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n${'b'.repeat(length)}`
  await conversation.sendBytes(post('/a', 20)).settle()
  await conversation.send(NEXT).send(post('/empty', 0)).settle()
  await conversation.send(post('/b', 10)).send(post('/b', 11)).settle()
  t.same(asked, ['POST /a', 'POST /b', 'POST /b'])
  t.same(conversation.statuses(), [200, 200, 200, 200, 413], 'and holds for that message only')
})

t.test('what is over the limit of its route never reaches the handler', async (t) => {
  const conversation = new Conversation({
    maxBodyBytes: () => 5,
    handler: () => t.fail('was called') as never,
  })
  await conversation
    .send('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 6\r\n\r\n')
    .settle()
  t.same(conversation.statuses(), [413], 'nor is it asked to send it')
})

t.test('an application has the limits of its dispatcher', async (t) => {
  class Router {
    readonly limit = 7
    dispatch() {
      return text('')
    }
    maxBodyBytes(): number {
      return this.limit
    }
  }
  t.equal(resolveApplication(new Router()).maxBodyBytes?.('POST', '/'), 7)
  const defined = defineApp({ handler: new Router() })
  t.equal(resolveApplication(defined).maxBodyBytes?.('POST', '/'), 7)
  const without = { dispatch: () => text('') }
  for (const app of [without, () => text(''), { fetch: () => new Response() }]) {
    t.equal(resolveApplication(app).maxBodyBytes, null)
    t.equal(resolveApplication(defineApp({ handler: app })).maxBodyBytes, null)
  }
})
