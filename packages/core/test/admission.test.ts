import t, { type Test } from 'tap'
import type { HttpRequest } from '../src/request.ts'
import { stream, text } from '../src/response.ts'
import { Conversation, type ConversationOptions, converse } from './support/conversation.ts'
import { CountingAdmission } from './support/counting-admission.ts'
import { CHUNKED, GET, NEXT, POST, request } from './support/messages.ts'
import { deferred } from './support/turns.ts'

const full = (): CountingAdmission => new CountingAdmission(0)

t.test('a request without a slot is answered 503 before its handler', async (t) => {
  const handler = () => t.fail('called') as never
  const conversation = await converse(NEXT, { admission: full(), handler })
  const [response] = conversation.responses()
  t.match(response, {
    status: 503,
    body: 'Service Unavailable: the server has too much to do\n',
    complete: true,
  })
  t.same(response?.headers.get('retry-after'), ['1'])
  t.same(response?.headers.get('connection'), undefined, 'and the connection stays')
  t.same([conversation.started, conversation.finished], [0, 0], 'it never was in hand')
  t.same(conversation.causes, ['requests-in-flight'])
})

t.test('once there is a slot the same connection is served again', async (t) => {
  const admission = full()
  const conversation = await converse(NEXT + NEXT, { admission })
  admission.max = 1
  await conversation.send(NEXT + NEXT).settle()
  t.same(conversation.statuses(), [503, 503, 200, 200])
  t.same([admission.held, admission.admitted, admission.lowest], [0, 2, 0])
})

t.test('what a refused request does to its connection', async (t) => {
  const limits = { maxDiscardBytes: 100 }
  const body = (length: number): string => `Content-Length: ${length}\r\n\r\n${'b'.repeat(length)}`
  const chunk = (length: number): string => `${length.toString(16)}\r\n${'b'.repeat(length)}\r\n`
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['no body', NEXT, true],
    ['a body of the length that is thrown away', `${POST}${body(100)}`, true],
    ['a longer one', `${POST}${body(101)}`, false],
    ['a short chunked body', `${CHUNKED}${chunk(20)}0\r\n\r\n`, true],
    ['a long one', `${CHUNKED}${chunk(60)}${chunk(60)}0\r\n\r\n`, false],
    [
      'a body that waits for 100 (Continue)',
      `${POST}Expect: 100-continue\r\nContent-Length: 5\r\n\r\n`,
      false,
    ],
    ['HTTP/1.0', request('GET / HTTP/1.0'), false],
    ['HTTP/1.0 with keep-alive', request('GET / HTTP/1.0', 'Connection: keep-alive'), true],
    ['Connection: close', `${GET}Connection: close\r\n\r\n`, false],
  ]
  for (const [name, input, stays] of cases) {
    const admission = full()
    const conversation = await converse(input, { admission, limits })
    t.same(conversation.statuses(), [503], name)
    t.equal(conversation.transport.isEnded || conversation.isClosed, !stays, `${name}: stays`)
    if (!stays) continue
    admission.max = 1
    await conversation.send(NEXT).settle()
    t.same(conversation.statuses(), [503, 200], `${name}: then the next is served`)
  }
})

t.test('an answer to HEAD has no body', async (t) => {
  const head = 'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n'
  const conversation = await converse(head, { admission: full() })
  const [response] = conversation.responses('HEAD')
  t.match(response, { status: 503, body: '' })
})

t.test('a request of an exempt route is served, and holds no slot', async (t) => {
  const admission = full()
  const conversation = await converse(
    'GET /health HTTP/1.1\r\nHost: a\r\n\r\nGET /throws HTTP/1.1\r\nHost: a\r\n\r\n' + NEXT,
    {
      admission,
      routeLimits: (_, path) => {
        if (path === '/throws') throw new Error('a broken dispatcher')
        return path === '/health' ? { shed: false } : undefined
      },
    },
  )
  t.same(conversation.methods, ['GET'])
  t.same(conversation.transport.output.toString().match(/HTTP\/1.1 \d+/g), [
    'HTTP/1.1 200',
    'HTTP/1.1 503',
    'HTTP/1.1 503',
  ])
  t.same([admission.held, admission.lowest], [0, 0])
})

/** Runs one request to its end, in some way, and checks that its slot came back once. */
async function ends(
  t: Test,
  name: string,
  options: ConversationOptions,
  run: (conversation: Conversation) => Promise<unknown>,
): Promise<void> {
  const admission = new CountingAdmission(1)
  const conversation = new Conversation({ ...options, admission })
  await run(conversation)
  await conversation.settle()
  t.same([admission.held, admission.admitted, admission.lowest], [0, 1, 0], name)
  t.equal(conversation.finished, 1, `${name}: finished`)
}

t.test('a slot comes back once, however the request ends', async (t) => {
  const send = (conversation: Conversation) => conversation.send(NEXT).settle()
  const boom = (): never => {
    throw new Error('boom')
  }
  await ends(t, 'answered at once', {}, send)
  await ends(t, 'answered later', { handler: async () => text('ok') }, send)
  await ends(t, 'a standard Response', { handler: () => new Response('ok') }, send)
  await ends(t, 'a promise of one', { handler: async () => new Response('ok') }, send)
  await ends(t, 'a stream', { handler: () => stream(new Blob(['ok']).stream()) }, send)
  await ends(t, 'a handler that throws', { handler: boom }, send)
  await ends(t, 'a handler that rejects', { handler: async () => boom() }, send)
  await ends(t, 'an answer that is none', { handler: () => 5 as never }, send)
  // biome-ignore lint/suspicious/noThenProperty: a promise that is none
  const thenable = { then: boom } as never
  await ends(t, 'a thenable that throws', { handler: () => thenable }, send)
  const twice = {
    // biome-ignore lint/suspicious/noThenProperty: a promise that settles synchronously, twice
    then(resolve: (value: unknown) => void) {
      resolve(text('ok'))
      resolve(text('again'))
    },
  }
  await ends(t, 'a thenable that answers twice', { handler: () => twice as never }, send)
  await ends(t, 'HTTP/1.0', {}, (conversation) =>
    conversation.send(request('GET / HTTP/1.0')).settle(),
  )
})

t.test('a slot comes back when what ends the request is no answer', async (t) => {
  const reads = { handler: async (got: HttpRequest) => text(await got.text()) }
  await ends(t, 'a body that is too slow', reads, async (conversation) => {
    await conversation.send(`${POST}Content-Length: 5\r\n\r\n`).settle()
    conversation.advance(400_000)
  })
  const small = { ...reads, limits: { maxBodyBytes: 5 } }
  await ends(t, 'a body that is too large', small, async (conversation) => {
    await conversation.send(`${CHUNKED}6\r\nbbbbbb\r\n`).settle()
  })
  await ends(t, 'a client that leaves while it sends', reads, async (conversation) => {
    await conversation.send(`${POST}Content-Length: 5\r\n\r\n`).settle()
    conversation.leave()
  })
  const endless = () => stream(new ReadableStream({ pull: (to) => to.enqueue(Buffer.alloc(9999)) }))
  await ends(
    t,
    'a client that leaves while it is sent to',
    { handler: endless },
    async (client) => {
      client.transport.isClientReading = false
      await client.send(NEXT).settle()
      client.leave()
    },
  )
  await ends(t, 'a client that reads nothing', { handler: endless }, async (client) => {
    client.transport.isClientReading = false
    await client.send(NEXT).settle()
    client.advance(60_000)
  })
  let count = 0
  const breaks = () =>
    stream(
      new ReadableStream({
        pull(to) {
          if (count++ > 3) throw new Error('the stream breaks')
          to.enqueue(Buffer.from('part'))
        },
      }),
    )
  await ends(t, 'a stream that breaks', { handler: breaks }, (client) => client.send(NEXT).settle())
})

t.test('a handler that runs on after its client has left holds its slot', async (t) => {
  for (const outcome of ['answers', 'throws'] as const) {
    const admission = new CountingAdmission(1)
    const gate = deferred<void>()
    const conversation = new Conversation({
      admission,
      handler: async () => {
        await gate.promise
        if (outcome === 'throws') throw new Error('late')
        return text('late')
      },
    })
    await conversation.send(NEXT).settle()
    await conversation.leave().settle()
    t.equal(conversation.finished, 1, 'the exchange is over')
    t.equal(admission.held, 1, 'its slot is not free')
    gate.resolve()
    await conversation.settle()
    t.same([admission.held, admission.lowest], [0, 0], `until it ${outcome}`)
  }
})

t.test('pipelined requests take their slots one after the other', async (t) => {
  const admission = new CountingAdmission(1)
  const conversation = new Conversation({ admission, handler: async () => text('ok') })
  await conversation.send(NEXT.repeat(50)).settle()
  t.same(conversation.statuses(), Array(50).fill(200))
  t.same([admission.held, admission.admitted, admission.lowest], [0, 50, 0])
})

t.test('ten thousand pipelined requests are refused within a bound of memory', async (t) => {
  const admission = full()
  const conversation = new Conversation({ admission })
  conversation.transport.isClientReading = false
  const piece = NEXT.repeat(100)
  for (let count = 0; count < 100; count++) conversation.send(piece)
  await conversation.settle()
  const unread = conversation.transport.bufferedBytes
  t.ok(unread < 400_000, `${unread} bytes wait for a client that reads nothing`)
  t.ok(conversation.transport.isPaused, 'which is not read from any more')
  const refused = conversation.causes.length
  await conversation.advance(60_000).settle()
  t.ok(conversation.transport.isDestroyed, 'and is cut after sendTimeoutMs')
  t.ok(refused < 10_000, `${refused} were refused`)
})

t.test('the same by a client that reads: every one is answered, in order', async (t) => {
  const admission = full()
  const conversation = new Conversation({ admission })
  for (let count = 0; count < 100; count++) await conversation.send(NEXT.repeat(100)).settle()
  t.equal(conversation.causes.length, 10_000)
  t.equal(conversation.output.split('HTTP/1.1 503').length - 1, 10_000)
  admission.max = 1
  await conversation.send(NEXT).settle()
  t.match(
    conversation.output.slice(-500),
    /HTTP\/1\.1 503 [\s\S]*HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nok$/,
  )
})

t.test('a body trickled under refusal has the same time limits as any', async (t) => {
  const conversation = new Conversation({ admission: full() })
  await conversation.send(`${POST}Content-Length: 1000\r\n\r\n`).settle()
  for (let second = 0; second < 10 && conversation.isOpen; second++) {
    await conversation.advance(1000).send('b').settle()
  }
  t.ok(conversation.transport.isEnded, 'minBytesPerSecond')
  t.same(conversation.statuses(), [503])
  t.same(conversation.causes, ['requests-in-flight'], 'counted once')
})
