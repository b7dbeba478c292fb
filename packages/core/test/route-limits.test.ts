import t from 'tap'
import { defineApp, resolveApplication } from '../src/application.ts'
import type { HttpOptionsInput } from '../src/http-options.ts'
import { text } from '../src/response.ts'
import type { RouteLimits } from '../src/route-limits.ts'
import { Conversation } from './support/conversation.ts'
import { NEXT } from './support/messages.ts'

type RouteBodyLimit = (method: string, path: string) => number | undefined

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
      routeLimits:
        maxBodyBytes && ((method, path) => ({ maxBodyBytes: maxBodyBytes(method, path) })),
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
    routeLimits: (method, path) => {
      asked.push(`${method} ${path}`)
      return path === '/a' ? { maxBodyBytes: 20 } : undefined
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
    routeLimits: () => ({ maxBodyBytes: 5 }),
    handler: () => t.fail('was called') as never,
  })
  await conversation
    .send('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 6\r\n\r\n')
    .settle()
  t.same(conversation.statuses(), [413], 'nor is it asked to send it')
})

t.test('an application has the limits of its dispatcher', async (t) => {
  class Router {
    readonly limits = { maxBodyBytes: 7 }
    dispatch() {
      return text('')
    }
    routeLimits(): RouteLimits {
      return this.limits
    }
  }
  t.strictSame(resolveApplication(new Router()).routeLimits?.('POST', '/'), { maxBodyBytes: 7 })
  const defined = defineApp({ handler: new Router() })
  t.strictSame(resolveApplication(defined).routeLimits?.('POST', '/'), { maxBodyBytes: 7 })
  const without = { dispatch: () => text('') }
  for (const app of [without, () => text(''), { fetch: () => new Response() }]) {
    t.equal(resolveApplication(app).routeLimits, null)
    t.equal(resolveApplication(defineApp({ handler: app })).routeLimits, null)
  }
  const own = () => ({ shed: false })
  const both = defineApp({ handler: new Router(), routeLimits: own })
  t.equal(resolveApplication(both).routeLimits, own, 'and what is defined comes first')
  t.throws(() => resolveApplication(defineApp({ handler: without, routeLimits: {} as never })), {
    code: 'RR_APPLICATION_INVALID',
  })
})

const SLOW_POST = 'POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n'

function upload(routeLimits: RouteLimits, limits: HttpOptionsInput): Conversation {
  const server = { requestTimeoutMs: 60_000, minBytesPerSecond: 0, ...limits }
  return new Conversation({
    limits: server,
    routeLimits: (_, path) => (path === '/slow' ? routeLimits : undefined),
    handler: async (request) => text(String((await request.bytes()).length)),
  })
}

t.test("a route's requestTimeoutMs, lower and higher than the server's", async (t) => {
  for (const [requestTimeoutMs, ofServerMs] of [
    [10_000, 20_000],
    [30_000, 20_000],
  ] as const) {
    const conversation = upload({ requestTimeoutMs }, { requestTimeoutMs: ofServerMs })
    // From the first byte of the head, which comes before anybody knows the route.
    conversation.send(SLOW_POST.slice(0, 5)).advance(1000).send(SLOW_POST.slice(5))
    await conversation.advance(requestTimeoutMs - 1001).settle()
    t.same(conversation.statuses(), [], `${requestTimeoutMs} ms: one before`)
    await conversation.advance(1).settle()
    t.same(conversation.statuses(), [408], `${requestTimeoutMs} ms`)
  }
})

t.test("a route's limits end with its request", async (t) => {
  const conversation = upload({ requestTimeoutMs: 1000 }, { requestTimeoutMs: 5000 })
  await conversation.send(SLOW_POST).send('b'.repeat(1000)).settle()
  conversation.send(SLOW_POST.replace('/slow', '/other'))
  await conversation.advance(4999).settle()
  t.same(conversation.statuses(), [200])
  await conversation.advance(1).settle()
  t.same(conversation.statuses(), [200, 408])
})

t.test("a route's minBytesPerSecond and minRateGraceMs", async (t) => {
  const conversation = upload({ minBytesPerSecond: 100, minRateGraceMs: 2000 }, {})
  conversation.send(SLOW_POST).send('b'.repeat(100))
  await conversation.advance(2000).settle()
  t.same(conversation.statuses(), [])
  await conversation.advance(1).settle()
  t.same(conversation.statuses(), [408])
  const unchecked = upload({ minBytesPerSecond: 0 }, { minBytesPerSecond: 100 })
  await unchecked.send(SLOW_POST).advance(59_999).send('b'.repeat(1000)).settle()
  t.same(unchecked.statuses(), [200], '0 turns the check off for the route')
})

t.test('sendTimeoutMs of a request is for its answer, and no later one', async (t) => {
  const conversation = new Conversation({
    limits: { sendTimeoutMs: 5000 },
    handler: (request) => {
      if (request.path === '/own') request.sendTimeoutMs = 1000
      return text('x'.repeat(300_000))
    },
  })
  conversation.transport.isClientReading = false
  conversation.send('GET /other HTTP/1.1\r\nHost: a\r\n\r\n').advance(4999).take()
  conversation.send('GET /own HTTP/1.1\r\nHost: a\r\n\r\n').advance(999)
  t.ok(conversation.isOpen)
  conversation.take().send('GET /other HTTP/1.1\r\nHost: a\r\n\r\n').advance(4999)
  t.ok(conversation.isOpen, "and then the server's holds again")
  conversation.take().send('GET /own HTTP/1.1\r\nHost: a\r\n\r\n').advance(1000)
  t.notOk(conversation.isOpen)
})

t.test('sendTimeoutMs of a request takes what the option takes', async (t) => {
  const conversation = new Conversation({
    handler: (request) => {
      for (const ms of [0, -1, 1.5, 3_600_001, Number.NaN, '5' as never]) {
        t.throws(() => {
          request.sendTimeoutMs = ms
        }, RangeError)
      }
      t.equal(request.sendTimeoutMs, 60_000)
      request.sendTimeoutMs = 3_600_000
      return text(String(request.sendTimeoutMs))
    },
  })
  await conversation.send(NEXT).settle()
  t.equal(conversation.responses()[0]?.body.toString(), '3600000')
  t.same(conversation.errors, [])
})
