import t from 'tap'
import { HttpError, RrError } from '../src/errors.ts'
import type { Handler } from '../src/handler.ts'
import type { AccessEntry } from '../src/http-service-options.ts'
import { HttpResponse, stream, text } from '../src/response.ts'
import { Conversation, converse } from './support/conversation.ts'
import { CHUNKED, GET, NEXT, POST } from './support/messages.ts'
import { deferred, turns } from './support/turns.ts'

/** The same behaviour now, and in a promise. */
function nowAndLater(behave: () => unknown): readonly (readonly [string, Handler])[] {
  return [
    ['at once', behave as Handler],
    ['in a promise', (async () => behave()) as Handler],
    [
      'later',
      (async () => {
        await turns(2)
        return behave()
      }) as Handler,
    ],
  ]
}

function fails(error: unknown): () => never {
  return () => {
    throw error
  }
}

t.test(
  'a handler that throws is answered 500, and what it threw goes to onError only',
  async (t) => {
    const secret = new Error('the password is tr0ub4dor')
    const thrown: readonly unknown[] = [
      secret,
      new HttpError(500, 'the password is tr0ub4dor'),
      new HttpError(503, 'the password is tr0ub4dor'),
      new RrError('RR_SERVER_STATE', 'the password is tr0ub4dor'),
      new TypeError('the password is tr0ub4dor', { cause: secret }),
      'the password is tr0ub4dor',
      undefined,
      null,
      0,
      { status: 404, message: 'the password is tr0ub4dor' },
    ]
    for (const error of thrown) {
      for (const [when, handler] of nowAndLater(fails(error))) {
        const conversation = await converse(NEXT + NEXT, { handler })
        await conversation.settle()
        const status = error instanceof HttpError ? error.status : 500
        t.same(conversation.statuses(), [status, status], `${String(error)}, ${when}`)
        t.same(conversation.errors, [error, error])
        t.notMatch(conversation.output, /tr0ub4dor|at .*:\d+/)
        t.match(JSON.parse(conversation.responses()[0]?.body ?? ''), { status })
        t.ok(conversation.isOpen, 'the connection is none the worse')
      }
    }
  },
)

t.test('HttpError answers with its status and message, and is not logged below 500', async (t) => {
  for (const status of [400, 404, 418, 499]) {
    for (const [when, handler] of nowAndLater(fails(new HttpError(status, 'no such <user>: é€')))) {
      const conversation = await converse(NEXT, { handler })
      await conversation.settle()
      const [response] = conversation.responses()
      t.equal(response?.status, status, when)
      t.same(response?.headers.get('content-type'), ['application/problem+json'])
      const body = Buffer.from(response?.body ?? '', 'latin1').toString()
      t.match(JSON.parse(body), { status, detail: 'no such <user>: é€' })
      t.same(conversation.errors, [])
    }
  }
  const conversation = await converse(NEXT, { handler: fails(new HttpError(404)) })
  t.equal(
    conversation.responses()[0]?.body,
    '{"title":"Not Found","status":404}',
    'without a message, no detail',
  )
  for (const status of [399, 600, 200, 404.5, Number.NaN]) {
    t.throws(() => new HttpError(status), RangeError)
  }
})

t.test('a handler that answers with something else is answered 500', async (t) => {
  const results: readonly unknown[] = [
    undefined,
    null,
    true,
    42,
    'text',
    [],
    {},
    () => text(''),
    { body: 'no status' },
    { status: '200' },
    { status: 199 },
    { status: 100 },
    { status: 600 },
    { status: 200.5 },
    { status: Number.NaN },
    { status: 200, body: 42 },
    { status: 200, body: true },
    { status: 200, body: {} },
    { status: 200, body: ['a'] },
    { status: 200, body: new ArrayBuffer(1) },
    { status: 200, headers: 'x: y' },
    { status: 200, headers: 5 },
    { status: 200, headers: { x: 5 } },
    { status: 200, headers: { x: null } },
    { status: 200, headers: { x: ['a', 5] } },
    { status: 200, headers: { x: {} } },
    { status: 200, headers: ['x: y'] },
    { status: 200, headers: [['x']] },
    { status: 200, headers: [5] },
    text(5 as never),
    new HttpResponse(200, null, {} as never),
  ]
  for (const [index, result] of results.entries()) {
    for (const [when, handler] of nowAndLater(() => result)) {
      const conversation = await converse(NEXT + NEXT, { handler })
      await conversation.settle()
      t.same(conversation.statuses(), [500, 500], `result ${index}, ${when}`)
      t.equal(conversation.errors.length, 2)
    }
  }
})

t.test(
  'RFC 9110 §5.5: headers that would break out of their line are an error before anything is sent',
  async (t) => {
    const fields: readonly (readonly [string, string])[] = [
      ['x', 'a\r\nb: c'],
      ['x', 'a\rb'],
      ['x', 'a\nb'],
      ['x', 'a\0b'],
      ['x', 'a\x01b'],
      ['x', 'a\x7fb'],
      ['x', 'a\r\n\r\n<script>'],
      ['x', 'a\u010d\u010ab'],
      ['x', 'a\u560d\u560ab'],
      ['x', '\u20ac'],
      ['x\r\ny', 'a'],
      ['x\n', 'a'],
      ['x\0', 'a'],
      ['x:', 'a'],
      ['x y', 'a'],
      [' x', 'a'],
      ['', 'a'],
      ['\u0130', 'a'],
      ['content-length', '5, 6'],
      ['content-length', '-5'],
      ['content-length', '5\r\nx: y'],
      ['content-length', ''],
      ['content-length', '0x5'],
      ['content-length', '9999999999999999999'],
      ['connection', 'close\r\nx: y'],
      ['transfer-encoding', 'chunked\r\nx: y'],
    ]
    for (const [name, value] of fields) {
      const ways: readonly (readonly [string, Handler])[] = [
        ['a helper', () => text('', { headers: { [name]: value } })],
        ['a literal', () => ({ status: 200, headers: { [name]: value } })],
        [
          'a list',
          () => ({
            status: 200,
            headers: [
              ['x-first', 'y'],
              [name, value],
            ],
          }),
        ],
        ['a list in a value', () => ({ status: 200, headers: { [name]: ['y', value] } })],
        ['a map', () => ({ status: 200, headers: new Map([[name, value]]) })],
        ['a Response', () => new Response('', { headers: { [name]: value } })],
        ['later', async () => text('', { headers: { [name]: value } })],
      ]
      for (const [way, handler] of ways) {
        // The web's own Headers drop space at both ends of a value, and the length of a Response
        // is checked with its body.
        const conversation = await converse(NEXT, { handler })
        const [response] = conversation.responses()
        t.equal(response?.status, 500, `${way}: ${JSON.stringify([name, value])}`)
        t.equal(conversation.errors.length, 1)
        t.notOk(response?.headers.has('x'))
        t.notOk(response?.headers.has('x-first'))
      }
    }
  },
)

t.test(
  'RFC 9110 §8.6: a Content-Length that is not that of the body is an error before anything is sent',
  async (t) => {
    for (const length of ['0', '4', '6', '999999']) {
      const headers = { 'content-length': length }
      for (const input of [NEXT, `HEAD${NEXT.slice(3)}`]) {
        for (const body of ['hello', Buffer.from('hello')]) {
          const conversation = await converse(input, {
            handler: () => ({ status: 200, headers, body }),
          })
          t.same(conversation.statuses(), [500])
          t.match(conversation.errors, [{ code: 'RR_RESPONSE_LENGTH' }])
        }
      }
    }
    const conversation = await converse(NEXT, {
      handler: () => ({ status: 200, headers: { 'content-length': '7' }, body: 'héllo\u{10}' }),
    })
    t.same(conversation.statuses(), [200], 'which counts bytes')
  },
)

t.test('an answer that comes too late harms nobody', async (t) => {
  const cases: readonly (readonly [string, () => unknown])[] = [
    ['an answer', () => text('late')],
    ['a failure of the client', fails(new HttpError(404))],
    ['an aborted wait', fails(new DOMException('gone', 'AbortError'))],
  ]
  for (const [title, behave] of cases) {
    const answer = deferred<void>()
    const conversation = await converse(NEXT + NEXT, {
      handler: (async () => {
        await answer.promise
        return behave()
      }) as Handler,
    })
    conversation.leave()
    answer.resolve()
    await conversation.settle()
    t.equal(conversation.output, '', title)
    t.same([conversation.started, conversation.finished], [1, 1])
    t.same(conversation.errors, [])
  }
  const answer = deferred<never>()
  const conversation = await converse(NEXT, { handler: () => answer.promise })
  conversation.leave()
  const error = new Error('a failure of the handler')
  answer.reject(error)
  await conversation.settle()
  t.same(conversation.errors, [error], 'is logged all the same')
})

t.test('an answer given twice is given once, and never to the next request', async (t) => {
  const second = deferred<void>()
  const conversation = new Conversation({
    handler: ({ path }) => {
      if (path === '/second') return second.promise.then(() => text('second'))
      const twice = {
        // biome-ignore lint/suspicious/noThenProperty: a promise that is none
        then: (resolve: (value: unknown) => void, reject: (error: unknown) => void) => {
          resolve(text('first'))
          setImmediate(() => {
            resolve(text('again'))
            reject(new HttpError(404, 'again'))
          })
        },
      }
      return twice as never
    },
  })
  await conversation.send(`${NEXT}GET /second HTTP/1.1\r\nHost: a\r\n\r\n`).settle()
  second.resolve()
  await conversation.settle()
  t.same(
    conversation.responses().map(({ body }) => body),
    ['first', 'second'],
  )
})

t.test('a handler that gives up when the client closes its side has not failed', async (t) => {
  const giveUp = (signal: AbortSignal): Promise<never> =>
    new Promise((_, reject) => {
      const onAbort = (): void => reject(signal.reason)
      if (signal.aborted) onAbort()
      else signal.addEventListener('abort', onAbort)
    })
  const handlers: readonly (readonly [string, Handler])[] = [
    ['with the reason of the signal', ({ signal }) => giveUp(signal)],
    [
      'with an AbortError',
      ({ signal }) =>
        giveUp(signal).catch(() => Promise.reject(new DOMException('', 'AbortError'))),
    ],
    [
      'with the reason of a signal that it asks for late',
      async (request) => {
        await turns(3)
        return await giveUp(request.signal)
      },
    ],
  ]
  for (const [title, handler] of handlers) {
    const conversation = new Conversation({ handler })
    await conversation.send(NEXT).finish().settle()
    await conversation.settle()
    t.same(conversation.errors, [], title)
    t.ok((conversation.statuses()[0] ?? 0) >= 400)
    t.same([conversation.started, conversation.finished], [1, 1])
  }
})

t.test('a body that breaks while the handler works', async (t) => {
  const broken: readonly (readonly [string, string, number, string])[] = [
    ['a bad chunk', `${CHUNKED}5\r\nhelloXX`, 400, 'RR_REQUEST_MALFORMED'],
    ['a forbidden trailer', `${CHUNKED}0\r\nHost: a\r\n\r\n`, 400, 'RR_REQUEST_MALFORMED'],
    ['a body too large', `${CHUNKED}7fffffff\r\n${'b'.repeat(101)}`, 413, 'RR_BODY_TOO_LARGE'],
    [
      'too many trailers',
      `${CHUNKED}0\r\n${'A:b\r\n'.repeat(101)}\r\n`,
      431,
      'RR_HEADERS_TOO_LARGE',
    ],
  ]
  for (const [title, input, status, code] of broken) {
    const answer = deferred<void>()
    const caught: unknown[] = []
    let signal: AbortSignal | null = null
    const conversation = await converse(`${input}${NEXT}`, {
      limits: { maxBodyBytes: 100 },
      handler: async (request) => {
        signal = request.signal
        await request.text().catch((error: unknown) => caught.push(error))
        await answer.promise
        return text('late')
      },
    })
    t.same(conversation.statuses(), [status], `${title}: the client is answered at once`)
    t.match(caught, [{ code, status }], 'the reader learns why')
    t.match(
      (signal as AbortSignal | null)?.reason,
      { code },
      'and so does who waits for the signal',
    )
    answer.resolve()
    await conversation.settle()
    t.same(conversation.statuses(), [status], 'the late answer is dropped')
    t.same(conversation.errors, [], 'and is no error')
    t.ok(conversation.transport.isEnded)
  }
})

t.test('onAccess', async (t) => {
  await t.test('tells of each answer', async (t) => {
    const entries: AccessEntry[] = []
    const onAccess = (entry: AccessEntry): void => void entries.push(entry)
    await converse(`${NEXT}HEAD${NEXT.slice(3)}`, { onAccess, handler: () => text('héllo') })
    t.match(entries, [
      { status: 200, bodyBytes: 6, request: { path: '/next', method: 'GET' } },
      { status: 200, bodyBytes: 0, request: { method: 'HEAD' } },
    ])
    t.ok(entries.every(({ durationMs }) => durationMs >= 0 && durationMs < 10_000))
  })

  await t.test('tells of refused bodies and of clients that left', async (t) => {
    const entries: AccessEntry[] = []
    const onAccess = (entry: AccessEntry): void => void entries.push(entry)
    const handler: Handler = async (request) => text(await request.text())
    await converse(`${CHUNKED}x`, { onAccess, handler })
    const gone = await converse(`${POST}Content-Length: 5\r\n\r\n`, { onAccess, handler })
    gone.leave()
    t.match(entries, [{ status: 400 }, { status: 0, bodyBytes: 0 }])
    t.equal(entries.length, 2)
    await converse(`${GET}A : b\r\n\r\n`, { onAccess, handler })
    t.equal(entries.length, 2, 'but not of what never became a request')

    const second = await converse(`${NEXT}${POST}Content-Length: 5\r\n\r\n`, { onAccess, handler })
    second.leave()
    t.match(entries.slice(2), [{ status: 200 }, { status: 0, bodyBytes: 0 }])
    const body = new ReadableStream({ start: (controller) => controller.enqueue('begun') })
    const begun = await converse(NEXT, { onAccess, handler: () => stream(body) })
    begun.leave()
    t.match(entries.slice(4), [{ status: 200, bodyBytes: 5 }])
  })

  await t.test('may throw: the connection goes on', async (t) => {
    const error = new Error('the log is full')
    for (const handler of [() => text('ok'), async () => text('ok')] as const) {
      const conversation = new Conversation({ handler, onAccess: fails(error) })
      await conversation.send(NEXT + NEXT).settle()
      t.same(conversation.statuses(), [200, 200])
      t.same(conversation.errors, [error, error])
      t.ok(conversation.isOpen)
    }
  })
})
