// Bodies of answers that middleware holds, or that it never gives on: nothing of them may end the
// process or stay open.

import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { defineApp, resolveApplication } from '../src/application.ts'
import { answerErrors, type ErrorHandler } from '../src/error-handler.ts'
import { errorResponse } from '../src/error-response.ts'
import type { Handler } from '../src/handler.ts'
import { composeMiddleware, type Middleware } from '../src/middleware.ts'
import { HttpResponse, type ResponseValue, type StreamBody, stream, text } from '../src/response.ts'
import { converse } from './support/conversation.ts'
import { NEXT } from './support/messages.ts'
import { deferred } from './support/turns.ts'

const FORMS: Readonly<Record<string, (body: StreamBody) => HttpResponse | ResponseValue>> = {
  'stream()': (body) => stream(body),
  'an HttpResponse': (body) => new HttpResponse(200, null, body),
  'a plain value': (body) => ({ status: 200, body }),
  'with({ body })': (body) => text('').with({ body }),
}

function openFile(): { body: StreamBody; closed: Promise<void> } {
  const body = createReadStream(fileURLToPath(import.meta.url))
  return { body, closed: new Promise((resolve) => body.on('close', resolve)) }
}

for (const [form, answer] of Object.entries(FORMS)) {
  t.test(`a file that is not there ends no process while middleware waits: ${form}`, async (t) => {
    const waits: Middleware = async (_request, next) => {
      const response = await next()
      const { body } = response
      if (body instanceof Readable) await new Promise((resolve) => body.on('close', resolve))
      return response
    }
    const handler = composeMiddleware([waits], () => answer(createReadStream('/no/such/file')))
    const conversation = await converse(NEXT, { handler })
    while (conversation.errors.length === 0) await conversation.settle()
    t.match(conversation.errors, [{ code: 'ENOENT' }])
  })

  t.test(`middleware that throws after next() leaves nothing open: ${form}`, async () => {
    const { body, closed } = openFile()
    await converse(NEXT, { handler: composeMiddleware([throws, passes], () => answer(body)) })
    await closed
  })
}

const failure = new Error('after')
const throws: Middleware = async (_request, next) => {
  await next()
  throw failure
}
const passes: Middleware = (_request, next) => next()
const sorry: ErrorHandler = () => text('sorry', { status: 503 })

const APPS: Readonly<Record<string, (handler: Handler) => Handler>> = {
  'the default answer': (handler) => composeMiddleware([throws], handler),
  answerErrors: (handler) => composeMiddleware([answerErrors(sorry), throws], handler),
  'an error handler': (handler) =>
    resolveApplication(defineApp({ handler, middleware: [throws], errorHandler: sorry })).handler,
  'an error handler that throws': (handler) => {
    const errorHandler: ErrorHandler = (error) => {
      throw error
    }
    return resolveApplication(defineApp({ handler, middleware: [throws], errorHandler })).handler
  },
}

for (const [title, wrap] of Object.entries(APPS)) {
  t.test(`a stream is cancelled when ${title} takes its place`, async (t) => {
    const cancelled = deferred<void>()
    const body = new ReadableStream<Uint8Array>({ cancel: () => cancelled.resolve() })
    const conversation = await converse(NEXT, { handler: wrap(() => stream(body)) })
    t.match(conversation.responses(), [{ status: /^50[03]$/ }])
    await cancelled.promise
  })
}

t.test('it is cancelled too when the client has left meanwhile', async (t) => {
  const { body, closed } = openFile()
  const gate = deferred<void>()
  const late: Middleware = async (_request, next) => {
    await next()
    await gate.promise
    throw failure
  }
  const conversation = await converse(NEXT, {
    handler: composeMiddleware([late], () => stream(body)),
  })
  conversation.leave()
  gate.resolve()
  await closed
  t.same(conversation.responses(), [])
})

t.test('an error handler may answer with the body of the answer that was refused', async (t) => {
  const refuses: Middleware = async (_request, next) => {
    throw await next()
  }
  const handler = composeMiddleware(
    [answerErrors((thrown) => (thrown instanceof HttpResponse ? thrown : errorResponse(thrown)))],
    composeMiddleware([refuses], () => stream(Readable.from(['kept']))),
  )
  const conversation = await converse(NEXT, { handler })
  await conversation.settle()
  t.match(conversation.responses(), [{ status: 200, body: 'kept', complete: true }])
})

t.test('a plain value that cannot be sent leaves nothing open inside middleware', async (t) => {
  const { body, closed } = openFile()
  const handler = composeMiddleware([passes], () => ({
    status: 200,
    headers: { 'x-name': 'a\nb' },
    body,
  }))
  const conversation = await converse(NEXT, { handler })
  await closed
  t.match(conversation.errors, [{ code: 'RR_HEADER_INVALID' }])
})
