// Time limits of handlers.

import { connect } from 'node:net'
import {
  answerErrors,
  composeMiddleware,
  HttpError,
  type HttpRequest,
  type Middleware,
  resolveApplication,
  stream,
  text,
} from '@rr/core'
import t from 'tap'
import { timeout } from '../src/timeout.ts'
import { TestServer } from './support/server.ts'

const aborted = (signal: AbortSignal): Promise<unknown> =>
  new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(signal.reason), { once: true })
    if (signal.aborted) resolve(signal.reason)
  })

const never = (): Promise<never> => new Promise(() => {})

t.test('an answer in time, and an error in time, pass', async (t) => {
  const server = await TestServer.compose(t, [timeout(10_000)], ({ path }) => {
    if (path === '/error') throw new HttpError(404, 'none')
    return text('in time')
  })
  t.match(await server.ask(), { status: 200, body: Buffer.from('in time') })
  const failed = await server.ask({ path: '/error' })
  t.equal(failed.status, 404)
  t.match(JSON.parse(failed.body.toString()), { detail: 'none' })
})

for (const status of [503, 504] as const) {
  t.test(`past it ${status}, as a problem`, async (t) => {
    const server = await TestServer.compose(t, [timeout(5, { status })], never)
    const answer = await server.ask()
    t.equal(answer.status, status)
    t.equal(answer.headers['content-type'], 'application/problem+json')
    t.match(JSON.parse(answer.body.toString()), {
      status,
      title: /./,
      detail: 'there was no answer within 5 ms',
    })
  })
}

t.test('the handler is told by a signal', async (t) => {
  const reasons: unknown[] = []
  const late: unknown[] = []
  const server = await TestServer.compose(
    t,
    [timeout(5, { onLateError: (error) => late.push(error) })],
    async (request) => {
      const reason = await aborted(request.signal)
      reasons.push(reason)
      throw reason
    },
  )
  t.equal((await server.ask()).status, 503)
  t.match(reasons, [{ name: 'TimeoutError' }])
  t.ok(reasons[0] instanceof DOMException)
  await new Promise((resolve) => setImmediate(resolve))
  t.same(late, [], 'who stops for that reason has not failed')
})

t.test('a signal that is asked for too late has aborted', async (t) => {
  let held: HttpRequest | null = null
  const server = await TestServer.compose(t, [timeout(5)], (request) => {
    held = request
    return never()
  })
  t.equal((await server.ask()).status, 503)
  const signal = (held as unknown as HttpRequest).signal
  t.ok(signal.aborted)
  t.equal(signal.reason.name, 'TimeoutError')
  t.equal((held as unknown as HttpRequest).signal, signal)
})

t.test('the signal aborts when the client goes, with its reason', async (t) => {
  const reason = Promise.withResolvers<unknown>()
  const called = Promise.withResolvers<void>()
  const server = await TestServer.compose(t, [timeout(60_000)], async (request) => {
    called.resolve()
    reason.resolve(await aborted(request.signal))
    return text('too late')
  })
  const socket = connect({ port: Number(new URL(server.url).port), host: '127.0.0.1' })
  socket.on('error', () => {})
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await called.promise
  socket.end()
  t.match(await reason.promise, { code: 'RR_REQUEST_ABORTED' })
  socket.destroy()
})

t.test('a web-standard application is told by the signal of its own request', async (t) => {
  const reason = Promise.withResolvers<unknown>()
  const app = resolveApplication({
    fetch: async (request: Request) => {
      reason.resolve(await aborted(request.signal))
      return new Response('too late')
    },
  })
  const server = await TestServer.compose(t, [timeout(5)], app.handler)
  t.equal((await server.ask()).status, 503)
  t.match(await reason.promise, { name: 'TimeoutError' })
})

t.test('an answer that comes too late is let go of', async (t) => {
  const cancelled = Promise.withResolvers<void>()
  const answer = Promise.withResolvers<Response>()
  const server = await TestServer.compose(t, [timeout(5)], () => answer.promise)
  t.equal((await server.ask()).status, 503)
  answer.resolve(new Response(new ReadableStream({ cancel: () => cancelled.resolve() })))
  await cancelled.promise
  t.same(server.errors, [])
})

t.test('an error that comes too late is reported, not left unhandled', async (t) => {
  const late = Promise.withResolvers<[unknown, HttpRequest]>()
  const onLateError = (error: unknown, request: HttpRequest): void => late.resolve([error, request])
  const answer = Promise.withResolvers<never>()
  const server = await TestServer.compose(t, [timeout(5, { onLateError })], () => answer.promise)
  t.equal((await server.ask({ path: '/slow' })).status, 503)
  answer.reject(new Error('too late'))
  t.match(await late.promise, [{ message: 'too late' }, { path: '/slow' }])
})

t.test('so is one that an error handler inside has answered too late', async (t) => {
  const late = Promise.withResolvers<unknown>()
  const answer = Promise.withResolvers<never>()
  const middleware = [timeout(5, { onLateError: late.resolve }), answerErrors()]
  const server = await TestServer.compose(t, middleware, () => answer.promise)
  t.equal((await server.ask()).status, 503)
  answer.reject(new Error('too late'))
  t.match(await late.promise, { message: 'too late' })
  t.same(server.errors, [])
})

t.test('by default it is reported on the console', async (t) => {
  const logged = Promise.withResolvers<unknown[]>()
  const { error } = console
  console.error = (...parts) => logged.resolve(parts)
  t.teardown(() => {
    console.error = error
  })
  const answer = Promise.withResolvers<never>()
  const server = await TestServer.compose(t, [timeout(5)], () => answer.promise)
  await server.ask()
  answer.reject(new Error('too late'))
  t.match((await logged.promise)[1], { message: 'too late' })
})

t.test('so is what the function that is told throws itself', async (t) => {
  const logged = Promise.withResolvers<unknown[]>()
  const { error } = console
  console.error = (...parts) => logged.resolve(parts)
  t.teardown(() => {
    console.error = error
  })
  const onLateError = (): void => {
    throw new Error('from the report')
  }
  const answer = Promise.withResolvers<never>()
  const server = await TestServer.compose(t, [timeout(5, { onLateError })], () => answer.promise)
  await server.ask()
  answer.reject(new Error('too late'))
  t.match((await logged.promise)[1], { message: 'from the report' })
})

t.test('limits within limits: the shorter one answers, and stops what is inside', async (t) => {
  for (const [outer, inner, status] of [
    [5, 60_000, 503],
    [60_000, 5, 504],
  ] as const) {
    const reason = Promise.withResolvers<unknown>()
    const server = await TestServer.compose(
      t,
      [timeout(outer), timeout(inner, { status: 504 })],
      async (request) => {
        reason.resolve(await aborted(request.signal))
        return text('')
      },
    )
    t.equal((await server.ask()).status, status)
    t.match(await reason.promise, { name: 'TimeoutError' })
  }
})

t.test('a stream may take longer than the limit', async (t) => {
  const limit = composeMiddleware([timeout(20)], (request) => {
    async function* chunks(): AsyncGenerator<string> {
      yield 'begun '
      await Promise.race([
        aborted(request.signal),
        new Promise((resolve) => setTimeout(resolve, 60)),
      ])
      yield request.signal.aborted ? 'stopped' : 'ended'
    }
    return { status: 200, body: chunks() }
  })
  const server = await TestServer.start(t, limit)
  t.equal((await server.ask()).body.toString(), 'begun ended')
})

t.test('a stream whose answer fails after the time was up is let go of', async (t) => {
  const cancelled = Promise.withResolvers<void>()
  const isUp = Promise.withResolvers<void>()
  const fails: Middleware = async (request, next) => {
    await next()
    await aborted(request.signal)
    await isUp.promise
    throw new HttpError(409, 'late')
  }
  const server = await TestServer.compose(t, [timeout(20, { onLateError: () => {} }), fails], () =>
    stream(new ReadableStream<Uint8Array>({ cancel: () => cancelled.resolve() })),
  )
  t.equal((await server.ask()).status, 503)
  isUp.resolve()
  await cancelled.promise
})

t.test('options that cannot be are refused when it is made', async (t) => {
  const invalid = { code: 'RR_OPTION_INVALID' }
  for (const ms of [0, -1, 1.5, 86_400_001, Number.NaN, '5', Number.POSITIVE_INFINITY]) {
    t.throws(() => timeout(ms as number), invalid)
  }
  t.ok(timeout(1))
  t.ok(timeout(86_400_000))
  t.throws(() => timeout(undefined as unknown as number), invalid)
  t.throws(() => timeout(5, { status: 500 } as object), invalid)
  t.throws(() => timeout(5, { onLateError: 1 } as object), invalid)
  t.throws(() => timeout(5, { stauts: 504 } as object), {
    code: 'RR_OPTION_UNKNOWN',
    message: "timeout(): unknown option 'stauts'; did you mean 'status'?",
  })
})
