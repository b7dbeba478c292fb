// What wraps handlers: order, what next() gives, errors.

import t from 'tap'
import { composeMiddleware, type Middleware } from '../src/middleware.ts'
import { HttpResponse, problem, text } from '../src/response.ts'
import { Conversation, converse } from './support/conversation.ts'

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

t.test('the first in the list is outermost', async (t) => {
  const order: string[] = []
  const named = (name: string): Middleware => {
    return async (_request, next) => {
      order.push(`${name} in`)
      const response = await next()
      order.push(`${name} out`)
      return response
    }
  }
  const handler = composeMiddleware([named('a'), named('b')], () => {
    order.push('handler')
    return text('')
  })
  await converse(GET, { handler })
  t.same(order, ['a in', 'b in', 'handler', 'b out', 'a out'])
})

t.test('none leaves the handler as it is', async (t) => {
  const handler = (): HttpResponse => text('')
  t.equal(composeMiddleware([], handler), handler)
})

for (const [title, answer, body] of [
  ['an HttpResponse', () => text('one'), 'one'],
  ['a plain value', () => ({ status: 200, body: 'two' }), 'two'],
  ['a Response that is whole', () => new Response('three'), Buffer.from('three')],
  ['a Response without a body', () => new Response(null), null],
] as const) {
  t.test(`next() makes an HttpResponse of ${title}`, async (t) => {
    let seen: HttpResponse | null = null
    const handler = composeMiddleware(
      [
        async (_request, next) => {
          seen = await next()
          return seen
        },
      ],
      answer,
    )
    const conversation = await converse(GET, { handler })
    const response = seen as HttpResponse | null
    t.ok(response instanceof HttpResponse)
    t.same(response?.body, body)
    t.equal(conversation.responses()[0]?.body, body === null ? '' : String(body))
  })
}

t.test(
  'a Response that streams goes on streaming, and is let go of when nobody reads',
  async (t) => {
    let isCancelled = false
    let send: (text: string) => void = () => {}
    const stream = new ReadableStream({
      start(controller) {
        send = (text) => controller.enqueue(Buffer.from(text))
      },
      cancel() {
        isCancelled = true
      },
    })
    const handler = composeMiddleware([(_request, next) => next()], () => new Response(stream))
    const conversation = await converse(GET, { handler })
    await conversation.settle()
    t.match(conversation.output, /transfer-encoding: chunked/)
    send('part')
    await conversation.settle()
    t.match(conversation.output, /part/)
    conversation.leave(null)
    await conversation.settle()
    t.ok(isCancelled)
  },
)

t.test('what is thrown inside rejects next(), and can be answered', async (t) => {
  const handler = composeMiddleware(
    [
      async (_request, next) => {
        try {
          return await next()
        } catch (error) {
          return problem(503, { detail: (error as Error).message })
        }
      },
    ],
    () => {
      throw new Error('inside')
    },
  )
  const conversation = await converse(GET, { handler })
  t.match(conversation.responses(), [{ status: 503 }])
  t.match(conversation.output, /application\/problem\+json/)
  t.match(conversation.output, /"title":"Service Unavailable","detail":"inside","status":503/)
})

t.test('next() cannot be called twice', async (t) => {
  const handler = composeMiddleware(
    [
      async (_request, next) => {
        await next()
        return await next()
      },
    ],
    () => text(''),
  )
  const conversation = await converse(GET, { handler })
  t.match(conversation.responses(), [{ status: 500 }])
  t.match(conversation.errors, [{ code: 'RR_NEXT_REPEATED' }])
})

t.test('HttpResponse.with changes what is named, and keeps the rest', async (t) => {
  const response = text('hello', { headers: { 'x-a': '1', 'content-length': '5' } })
  const changed = response.with({ status: 201, headers: { 'X-A': '2', 'x-b': '3' } })
  t.equal(changed.status, 201)
  t.equal(changed.body, 'hello')
  t.equal(changed.headers?.get('x-a'), '2')
  t.equal(changed.headers?.get('x-b'), '3')
  t.equal(changed.headers?.contentLength, 5)
  t.equal(response.headers?.get('x-a'), '1')
  t.equal(response.with({ body: 'longer' }).headers?.contentLength, -1)
  t.throws(() => response.with({ status: 99 }), { code: 'RR_RESPONSE_INVALID' })
  t.throws(() => problem(200), { code: 'RR_RESPONSE_INVALID' })
})

t.test(
  'what is left of a Response that comes after its client has gone is let go of',
  async (t) => {
    const answer = Promise.withResolvers<Response>()
    let isCancelled = false
    const stream = new ReadableStream({
      cancel() {
        isCancelled = true
      },
    })
    const handler = composeMiddleware([(_request, next) => next()], () => answer.promise)
    const conversation = new Conversation({ handler }).send(GET)
    conversation.leave(null)
    answer.resolve(new Response(stream))
    await conversation.settle()
    t.ok(isCancelled)
  },
)
