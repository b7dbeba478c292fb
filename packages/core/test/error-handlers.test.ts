// What answers for errors: the default, and the application's own.

import t from 'tap'
import { type ApplicationDefinition, defineApp, resolveApplication } from '../src/application.ts'
import { answerErrors, catchErrors } from '../src/error-handler.ts'
import { errorResponse } from '../src/error-response.ts'
import { HttpError, RrError } from '../src/errors.ts'
import { composeMiddleware, type Middleware } from '../src/middleware.ts'
import { problem, text } from '../src/response.ts'
import { type Conversation, converse, Conversation as Talk } from './support/conversation.ts'
import { NEXT } from './support/messages.ts'
import { deferred, turns } from './support/turns.ts'

function serve(definition: ApplicationDefinition): Promise<Conversation> {
  return converse(NEXT, { handler: resolveApplication(defineApp(definition)).handler })
}

const failure = new Error('the password is tr0ub4dor')

const FAILING = {
  'a function that throws': () => {
    throw failure
  },
  'a function that rejects': async () => {
    await turns(2)
    throw failure
  },
  'a router': {
    dispatch: () => {
      throw failure
    },
  },
  'a fetch application': {
    fetch: async () => {
      throw failure
    },
  },
} as const

for (const [form, handler] of Object.entries(FAILING)) {
  t.test(`errorHandler answers for ${form}, and the log hears of it once`, async (t) => {
    const seen: unknown[] = []
    const conversation = await serve({
      handler,
      errorHandler: (error, request) => {
        seen.push(error, request.path)
        return text('sorry', { status: 503 })
      },
    })
    t.match(conversation.responses(), [{ status: 503, body: 'sorry' }])
    t.same(seen, [failure, '/next'])
    t.same(conversation.errors, [failure])
  })
}

t.test('errorHandler hears of what middleware throws, and not of what it catches', async (t) => {
  const throws: Middleware = () => {
    throw failure
  }
  const catches: Middleware = (_request, next) => next().catch(() => text('caught'))
  const errorHandler = (): ReturnType<typeof text> => text('handled')
  const handler = (): ReturnType<typeof text> => text('')
  const uncaught = await serve({ handler, middleware: [throws], errorHandler })
  t.equal(uncaught.responses()[0]?.body, 'handled')
  const caught = await serve({ handler, middleware: [catches, throws], errorHandler })
  t.equal(caught.responses()[0]?.body, 'caught')
  t.same(caught.errors, [])
})

t.test('an errorHandler that throws leaves the answer to the default', async (t) => {
  const second = new Error('the handler of errors fails')
  const cases: readonly (readonly [unknown, number, unknown[]])[] = [
    [failure, 500, [failure]],
    [second, 500, [failure, second]],
    [new HttpError(404, 'mapped'), 404, [failure]],
  ]
  for (const [thrown, status, errors] of cases) {
    for (const errorHandler of [
      () => {
        throw thrown
      },
      async () => {
        throw thrown
      },
    ]) {
      const conversation = await serve({ handler: FAILING['a function that throws'], errorHandler })
      t.same(conversation.statuses(), [status])
      t.same(conversation.errors, errors)
      t.notMatch(conversation.output, /tr0ub4dor/)
    }
  }
})

t.test('an errorHandler that answers with no response is answered 500', async (t) => {
  const conversation = await serve({
    handler: FAILING['a function that throws'],
    errorHandler: () => undefined as never,
  })
  t.same(conversation.statuses(), [500])
  t.match(conversation.errors, [failure, { code: 'RR_RESPONSE_INVALID' }])
})

t.test('errors below 500 and clients that left are nothing for the log', async (t) => {
  const conversation = await serve({
    handler: () => {
      throw new HttpError(404)
    },
    errorHandler: errorResponse,
  })
  t.same(conversation.statuses(), [404])
  t.same(conversation.errors, [])

  const abort = deferred<void>()
  const left = new Talk({
    handler: catchErrors(
      async () => {
        await abort.promise
        throw new DOMException('gone', 'AbortError')
      },
      () => problem(500),
    ),
  })
  left.send(NEXT).finish()
  abort.resolve()
  await left.settle()
  t.same(left.errors, [])
})

t.test('the inner of two error handlers goes first, and may pass on', async (t) => {
  const inner = catchErrors(FAILING['a function that throws'], (error) => {
    throw error
  })
  const outer = catchErrors(inner, () => text('outer'))
  const conversation = await converse(NEXT, { handler: outer })
  t.equal(conversation.responses()[0]?.body, 'outer')
  t.same(conversation.errors, [failure])
})

t.test('middleware outside of an error handler works on its answer', async (t) => {
  const handler = composeMiddleware(
    [async (_request, next) => (await next()).with({ headers: { 'x-outer': '1' } })],
    catchErrors(FAILING['a function that rejects'], errorResponse),
  )
  const conversation = await converse(NEXT, { handler })
  t.same(conversation.responses()[0]?.headers.get('x-outer'), ['1'])
  t.same(conversation.errors, [failure])
})

t.test(
  'answerErrors lets the middleware outside of it work on what answers an error',
  async (t) => {
    const outer: Middleware = async (_request, next) =>
      (await next()).with({ headers: { 'x-outer': '1' } })
    const forms = Object.values(FAILING)
    for (const handler of [...forms, () => undefined as never]) {
      const conversation = await serve({ handler, middleware: [outer, answerErrors()] })
      const [response] = conversation.responses()
      t.equal(response?.status, 500)
      t.same(response?.headers.get('x-outer'), ['1'])
      t.equal(conversation.errors.length, 1, 'and the log hears of it once')
    }
    const own = answerErrors(() => text('own', { status: 409 }))
    const conversation = await serve({ handler: forms[0] as never, middleware: [outer, own] })
    t.match(conversation.responses(), [{ status: 409, body: 'own' }])
  },
)

t.test('RFC 9457: errorResponse says what a client may know, and never throws', async (t) => {
  const circular: Record<string, unknown> = {}
  circular['self'] = circular
  const hostile = new Proxy(new HttpError(404), {
    get: () => {
      throw new Error('do not look')
    },
  })
  const bodies: readonly (readonly [unknown, unknown])[] = [
    [
      new RrError('RR_BODY_TOO_LARGE', 'over 5 bytes'),
      {
        title: 'Payload Too Large',
        status: 413,
        detail: 'over 5 bytes',
        code: 'RR_BODY_TOO_LARGE',
      },
    ],
    [
      new RrError('RR_BODY_USED', 'secret'),
      { title: 'Internal Server Error', status: 500, code: 'RR_BODY_USED' },
    ],
    [new HttpError(418, 'teapot'), { title: "I'm a Teapot", status: 418, detail: 'teapot' }],
    [
      new HttpError(422, 'no', { details: { errors: [1], status: 200 } }),
      { title: 'Unprocessable Entity', status: 422, detail: 'no', errors: [1] },
    ],
    [
      new HttpError(503, 'secret', { details: { secret: 1 } }),
      { title: 'Service Unavailable', status: 503 },
    ],
    [new HttpError(499, 'x'), { status: 499, detail: 'x' }],
    [
      new HttpError(400, '', { details: circular }),
      { title: 'Internal Server Error', status: 500 },
    ],
    [hostile, { title: 'Internal Server Error', status: 500 }],
    [undefined, { title: 'Internal Server Error', status: 500 }],
    [failure, { title: 'Internal Server Error', status: 500 }],
  ]
  for (const [error, body] of bodies) {
    const response = errorResponse(error)
    t.same(JSON.parse(response.body as string), body)
    t.equal(response.headers?.get('content-type'), 'application/problem+json')
  }
})

t.test(
  'middleware of defineApp wraps every form of application, the first outermost',
  async (t) => {
    const mark = (name: string): Middleware => {
      return async (_request, next) => {
        const response = await next()
        const inner = response.headers?.get('x-order') ?? 'handler'
        return response.with({ headers: { 'x-order': `${inner} ${name}` } })
      }
    }
    const forms = [
      () => text('ok'),
      { dispatch: () => text('ok') },
      { fetch: () => new Response('ok') },
    ] as const
    for (const handler of forms) {
      const conversation = await serve({ handler, middleware: [mark('a'), mark('b')] })
      const [response] = conversation.responses()
      t.equal(response?.body, 'ok')
      t.same(response?.headers.get('x-order'), ['handler b a'])
    }
  },
)

t.test('an application without middleware and errorHandler is not wrapped', async (t) => {
  const handler = (): ReturnType<typeof text> => text('')
  t.equal(resolveApplication(defineApp({ handler })).handler, handler)
  t.equal(resolveApplication(defineApp({ handler, middleware: [] })).handler, handler)
})

t.test('what is no middleware or errorHandler is refused at start', async (t) => {
  const handler = (): ReturnType<typeof text> => text('')
  for (const bad of [{ middleware: 5 }, { middleware: [5] }, { errorHandler: 'x' }]) {
    t.throws(() => resolveApplication(defineApp({ handler, ...bad } as never)), {
      code: 'RR_APPLICATION_INVALID',
    })
  }
})
