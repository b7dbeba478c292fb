// `currentRequest()`, with the option `requestContext`.

import { AsyncLocalStorage } from 'node:async_hooks'
import t from 'tap'
import { composeMiddleware } from '../src/middleware.ts'
import { currentRequest } from '../src/request-context.ts'
import { stream, text } from '../src/response.ts'
import { Conversation, converse } from './support/conversation.ts'
import { deferred, turns } from './support/turns.ts'

const GET = 'GET /a HTTP/1.1\r\nHost: a\r\n\r\n'
const SECOND = GET.replace('/a', '/b')
const limits = { requestContext: true }

/** Far from any handler. */
const path = (): string | undefined => currentRequest()?.path

t.test(
  'it is there in the handler, in middleware, after awaits, in timers and streams',
  async (t) => {
    const seen: (string | undefined)[] = []
    const done = deferred<void>()
    const see = (): void => void seen.push(path())
    const handler = composeMiddleware(
      [
        async (_request, next) => {
          see()
          const response = await next()
          see()
          return response
        },
      ],
      async () => {
        see()
        await null
        see()
        await new Promise<void>((resolve) => setTimeout(resolve, 0))
        see()
        return stream(
          (async function* () {
            see()
            yield 'a'
            await turns(1)
            see()
            done.resolve()
          })(),
        )
      },
    )
    await converse(GET, { limits, handler })
    await done.promise
    t.same(
      seen,
      Array.from({ length: 7 }, () => '/a'),
    )
  },
)

t.test('a stream that waited for its client goes on in its own context', async (t) => {
  const seen: (string | undefined)[] = []
  const conversation = await converse(GET, {
    limits,
    handler: () =>
      stream(
        (async function* () {
          for (let chunk = 0; chunk < 4; chunk++) {
            seen.push(path())
            yield 'x'.repeat(200_000)
          }
        })(),
      ),
  })
  for (let round = 0; round < 10; round++) await conversation.take().settle()
  t.same(seen, ['/a', '/a', '/a', '/a'])
})

t.test('requests at work at the same time have each their own', async (t) => {
  const answers = [deferred<void>(), deferred<void>()]
  const seen: (string | undefined)[] = []
  const handler = async (): Promise<ReturnType<typeof text>> => {
    await answers[path() === '/a' ? 0 : 1]!.promise
    seen.push(path())
    return text(path() ?? '')
  }
  const conversations = [GET, SECOND].map((sent) =>
    new Conversation({ limits, handler }).send(sent),
  )
  answers[1]!.resolve()
  await conversations[1]!.settle()
  answers[0]!.resolve()
  await conversations[0]!.settle()
  t.same(seen, ['/b', '/a'])
})

t.test('pipelined requests have each their own', async (t) => {
  const conversation = await converse(GET + SECOND, {
    limits,
    handler: async () => {
      await turns(1)
      return text(path() ?? '')
    },
  })
  t.same(
    conversation.responses().map(({ body }) => body),
    ['/a', '/b'],
  )
})

t.test('what a handler stores is not seen by the pipelined request behind it', async (t) => {
  const user = new AsyncLocalStorage<string>()
  const seen: (string | undefined)[] = []
  await converse(GET + SECOND, {
    handler: async (request) => {
      seen.push(user.getStore())
      user.enterWith(request.path)
      await turns(1)
      return text('ok')
    },
  })
  t.same(seen, [undefined, undefined])
})

t.test('there is none outside of a request, and none where the option is off', async (t) => {
  t.equal(currentRequest(), null)
  const conversation = await converse(GET, { handler: () => text(String(currentRequest())) })
  t.equal(conversation.responses()[0]?.body, 'null')
})
