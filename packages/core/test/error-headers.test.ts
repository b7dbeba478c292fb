// Headers that middleware adds to the answer made for an error that passed through it.

import t from 'tap'
import { takeLateErrors } from '../src/error-handler.ts'
import { changeErrorHeaders, hasErrorHeaders } from '../src/error-headers.ts'
import { HttpError } from '../src/errors.ts'
import type { HandlerResult } from '../src/handler.ts'
import { HeaderBlock } from '../src/header-block.ts'
import { composeMiddleware, type Middleware } from '../src/middleware.ts'
import { text } from '../src/response.ts'
import { Conversation, converse } from './support/conversation.ts'

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

const marking = (name: string): Middleware => {
  return async (request, next) => {
    try {
      return await next()
    } catch (error) {
      changeErrorHeaders(request, (headers) => {
        return new HeaderBlock([...(headers?.pairs ?? []), ['x-mark', name]])
      })
      throw error
    }
  }
}

const failing = (): never => {
  throw new HttpError(404, 'none')
}

t.test('the answer to an error has them, those of the innermost first', async (t) => {
  const handler = composeMiddleware([marking('outer'), marking('inner')], failing)
  const conversation = await converse(GET + GET, { handler })
  const [first, second] = conversation.responses()
  t.match(first, { status: 404, body: /"detail":"none"/ })
  t.same(first?.headers.get('x-mark'), ['inner', 'outer'])
  t.same(second?.headers.get('x-mark'), ['inner', 'outer'])
  t.same(first?.headers.get('content-type'), ['application/problem+json'])
})

for (const [title, answer] of [
  ['a response value', () => text('answered')],
  ['a Response', () => new Response('answered')],
] as [string, () => HandlerResult][]) {
  t.test(`so has ${title} with which an error handler further out answers`, async (t) => {
    const catching: Middleware = async (_request, next) => {
      try {
        return await next()
      } catch {
        return answer()
      }
    }
    const handler = composeMiddleware([catching, marking('inside')], failing)
    const [response] = (await converse(GET, { handler })).responses()
    t.match(response, { status: 200, body: 'answered' })
    t.same(response?.headers.get('x-mark'), ['inside'])
  })
}

t.test('an answer without an error has none of an earlier one', async (t) => {
  let calls = 0
  const handler = composeMiddleware([marking('a')], () => (++calls === 1 ? failing() : text('ok')))
  const [, second] = (await converse(GET + GET, { handler })).responses()
  t.equal(second?.headers.has('x-mark'), false)
})

t.test('a change that throws leaves the answer as it is, and is reported', async (t) => {
  const handler = composeMiddleware(
    [
      async (request, next) => {
        changeErrorHeaders(request, () => {
          throw new Error('from the change')
        })
        return next()
      },
    ],
    failing,
  )
  const conversation = await converse(GET, { handler })
  t.same(conversation.statuses(), [404])
  t.match(conversation.errors, [{ message: 'from the change' }])
})

t.test('a client that has left takes nothing with it to the next answer', async (t) => {
  let fail: (error: Error) => void = () => {}
  const handler = composeMiddleware([marking('late')], () => {
    return new Promise((_resolve, reject) => {
      fail = reject
    })
  })
  const conversation = new Conversation({ handler }).send(GET)
  conversation.leave()
  fail(new HttpError(404))
  await conversation.settle()
  const [response] = (await converse(GET)).responses()
  t.equal(response?.headers.has('x-mark'), false)
})

t.test('what fails after it was answered leaves none behind', async (t) => {
  const late = Promise.withResolvers<boolean>()
  const first: Middleware = async (request, next) => {
    next().catch(() => {
      takeLateErrors(request)
      late.resolve(hasErrorHeaders(request))
    })
    return text('first')
  }
  const fails = Promise.withResolvers<never>()
  const handler = composeMiddleware([first, marking('late')], () => fails.promise)
  t.same((await converse(GET, { handler })).statuses(), [200])
  fails.reject(new HttpError(404))
  t.equal(await late.promise, false)
})
