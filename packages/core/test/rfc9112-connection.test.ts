import t from 'tap'
import type { Handler } from '../src/handler.ts'
import { text } from '../src/response.ts'
import { runCases } from './support/cases.ts'
import { Conversation, converse } from './support/conversation.ts'
import { GET, NEXT, request } from './support/messages.ts'
import { deferred, turns } from './support/turns.ts'

/** The Connection field of each answer, or an empty string. */
function connectionFields(conversation: Conversation): string[] {
  return conversation.responses().map(({ headers }) => headers.get('connection')?.join() ?? '')
}

t.test('RFC 9112 §9.3 Persistence', (t) => {
  const kept = { handler: () => text('ok') }
  runCases(
    t,
    [
      [
        'HTTP/1.1 persists',
        NEXT + NEXT,
        [200, 200],
        'open',
        { check: (t, conversation) => t.same(connectionFields(conversation), ['', '']) },
      ],
      [
        'HTTP/1.1 with close does not, and says so',
        `${GET}Connection: close\r\n\r\n${NEXT}`,
        200,
        'closed',
        { check: (t, conversation) => t.same(connectionFields(conversation), ['close']) },
      ],
      [
        'close is case-insensitive and may be in a list',
        `${GET}Connection: a, CLOSE\r\n\r\n${NEXT}`,
        200,
        'closed',
      ],
      [
        'close may be in a second field',
        `${GET}Connection: a\r\nConnection: close\r\n\r\n${NEXT}`,
        200,
        'closed',
      ],
      [
        'close goes before keep-alive',
        `${GET}Connection: keep-alive, close\r\n\r\n${NEXT}`,
        200,
        'closed',
      ],
      [
        'a longer option is not close',
        `${GET}Connection: closed, xclose\r\n\r\n${NEXT}`,
        [200, 200],
        'open',
      ],
      [
        'HTTP/1.0 does not persist, and says so',
        request('GET / HTTP/1.0') + NEXT,
        200,
        'closed',
        { check: (t, conversation) => t.same(connectionFields(conversation), ['close']) },
      ],
      [
        'HTTP/1.0 with keep-alive does, and says so',
        request('GET / HTTP/1.0', 'Connection: Keep-Alive') + request('GET / HTTP/1.0'),
        [200, 200],
        'closed',
        {
          check: (t, conversation) =>
            t.same(connectionFields(conversation), ['keep-alive', 'close']),
        },
      ],
      [
        'HTTP/1.0 with keep-alive and close does not',
        request('GET / HTTP/1.0', 'Connection: keep-alive, close') + NEXT,
        200,
        'closed',
      ],
      [
        'the versions may follow each other',
        request('GET / HTTP/1.0', 'Connection: keep-alive') + NEXT,
        [200, 200],
        'open',
        { check: (t, conversation) => t.same(connectionFields(conversation), ['keep-alive', '']) },
      ],
      [
        'the handler can ask for close',
        NEXT + NEXT,
        200,
        'closed',
        {
          handler: () => text('', { headers: { Connection: 'Close' } }),
          check: (t, conversation) => t.same(connectionFields(conversation), ['close']),
        },
      ],
      [
        'the handler cannot ask for anything else',
        NEXT,
        200,
        'open',
        {
          handler: () =>
            text('', { headers: { connection: 'keep-alive, x', 'keep-alive': 'timeout=9' } }),
          check: (t, conversation) => {
            t.same(connectionFields(conversation), [''])
            t.notMatch(conversation.output, /keep-alive/)
          },
        },
      ],
    ],
    kept,
  )
  t.end()
})

t.test('RFC 9112 §9.3.2 Pipelining', async (t) => {
  const paths = ['/1', '/2', '/3', '/4', '/5']
  const pipeline = paths.map((path) => request(`GET ${path} HTTP/1.1`, 'Host: a')).join('')

  await t.test(
    'answers of handlers that answer at once leave in order, in one write',
    async (t) => {
      const conversation = await converse(pipeline, { handler: ({ path }) => text(path) })
      t.same(
        conversation.responses().map(({ body }) => body),
        paths,
      )
      t.equal(conversation.transport.batches.length, 1)
    },
  )

  await t.test(
    'answers of async handlers that wait for nothing leave in one write too',
    async (t) => {
      const handler: Handler = async ({ path }) => {
        await null
        return text(path)
      }
      const conversation = await converse(pipeline, { handler })
      t.same(
        conversation.responses().map(({ body }) => body),
        paths,
      )
      t.equal(conversation.transport.batches.length, 1)
    },
  )

  await t.test('answers leave in order when handlers take any time', async (t) => {
    const delays = [3, 0, 5, 1, 0]
    const handler: Handler = async ({ path }) => {
      await turns(delays[Number(path.slice(1)) - 1])
      return text(path)
    }
    const conversation = await converse(pipeline, { handler })
    await turns(10)
    t.same(
      conversation.responses().map(({ body }) => body),
      paths,
    )
  })

  await t.test('the next request is not handled before the answer to the one before', async (t) => {
    const first = deferred<string>()
    const handled: string[] = []
    const conversation = await converse(pipeline, {
      handler: ({ path }) => {
        handled.push(path)
        return path === '/1' ? first.promise.then((body) => text(body)) : text(path)
      },
    })
    t.same(handled, ['/1'])
    t.equal(conversation.output, '')
    first.resolve('late')
    await conversation.settle()
    t.same(
      conversation.responses().map(({ body }) => body),
      ['late', ...paths.slice(1)],
    )
    t.equal(conversation.transport.batches.length, 1, 'in one write')
  })

  await t.test('a refused request is answered after those before it', async (t) => {
    const first = deferred<string>()
    const conversation = await converse(`${NEXT}GET /x y HTTP/1.1\r\n\r\n${NEXT}`, {
      handler: async () => text(await first.promise),
    })
    t.equal(conversation.output, '')
    first.resolve('')
    await conversation.settle()
    t.same(conversation.statuses(), [200, 400])
    t.notOk(conversation.isOpen)
  })

  await t.test('what is pipelined behind close is never handled', async (t) => {
    const first = deferred<string>()
    const conversation = await converse(`${GET}Connection: close\r\n\r\n${NEXT}`, {
      handler: async () => text(await first.promise),
    })
    first.resolve('')
    await conversation.settle()
    t.same(conversation.methods, ['GET'])
    t.same(conversation.statuses(), [200])
  })

  await t.test('input behind a slow handler is bounded: reading stops', async (t) => {
    const first = deferred<string>()
    let handled = 0
    const conversation = new Conversation({
      handler: async () => {
        handled++
        return text(await first.promise)
      },
    })
    const count = 10_000
    for (let i = 0; i < count; i++) conversation.send(NEXT)
    await conversation.settle()
    t.ok(conversation.transport.isPaused)
    t.equal(handled, 1)
    first.resolve('')
    await conversation.settle()
    t.equal(handled, count, 'and goes on afterwards')
    t.equal(conversation.responses().length, count)
    t.notOk(conversation.transport.isPaused)
  })

  await t.test('answers to a client that does not read are bounded: handling stops', async (t) => {
    let handled = 0
    const conversation = new Conversation({
      handler: () => {
        handled++
        return text('x'.repeat(1000))
      },
    })
    const { transport } = conversation
    transport.isClientReading = false
    const count = 5000
    for (let i = 0; i < count; i++) conversation.send(request(`GET /${i} HTTP/1.1`, 'Host: a'))
    await conversation.settle()
    t.ok(transport.isPaused)
    t.ok(transport.maxBufferedBytes < 200_000, `${transport.maxBufferedBytes} bytes waited`)
    t.ok(handled < 200, `${handled} were handled`)
    while (handled < count) await conversation.take().settle()
    await conversation.take().settle()
    t.equal(conversation.responses().length, count, 'all are answered once it does')
    t.ok(transport.maxBufferedBytes < 200_000)
    t.notOk(transport.isPaused)
  })

  await t.test('a large batch to a client that does not read is handled in parts', async (t) => {
    let handled = 0
    const conversation = new Conversation({
      handler: () => {
        handled++
        return text('x'.repeat(1000))
      },
    })
    conversation.transport.isClientReading = false
    conversation.send(NEXT.repeat(2000))
    t.ok(handled < 200, `${handled} were handled`)
    while (handled < 2000) await conversation.take().settle()
    t.equal(conversation.take().responses().length, 2000)
  })
})

t.test('RFC 9112 §9.6 Tear-down', async (t) => {
  await t.test('a half-closed client gets all its answers, then the server closes', async (t) => {
    const first = deferred<string>()
    const conversation = new Conversation({ handler: async () => text(await first.promise) })
    await conversation.send(NEXT.repeat(3)).finish().settle()
    t.ok(conversation.isOpen)
    first.resolve('')
    await conversation.settle()
    t.same(conversation.statuses(), [200, 200, 200])
    t.same(connectionFields(conversation), ['', '', 'close'], 'the last one says so')
    t.ok(conversation.transport.isEnded)
  })

  await t.test('a half-closed client gets a streamed answer whole', async (t) => {
    const conversation = new Conversation({
      handler: () =>
        new Response(
          new ReadableStream({
            async pull(controller) {
              await turns(2)
              controller.enqueue(Buffer.from('late'))
              controller.close()
            },
          }),
        ),
    })
    await conversation.send(NEXT).finish().settle()
    await conversation.settle()
    t.match(conversation.responses(), [{ status: 200, body: 'late', complete: true }])
  })

  const closes = { handler: () => text('', { headers: { connection: 'close' } }) }

  await t.test('after the last answer the server half-closes and goes on reading', async (t) => {
    const conversation = await converse(NEXT, closes)
    t.ok(conversation.transport.isEnded)
    t.notOk(conversation.transport.isDestroyedSoon)
    t.notOk(conversation.transport.isDestroyed)
    const { output } = conversation
    await conversation.send(NEXT).send('anything at all\n\0').settle()
    t.equal(conversation.output, output, 'what comes is dropped')
    t.equal(conversation.started, 1)
    t.notOk(conversation.transport.isPaused)
  })

  await t.test('reading goes on after the last answer even if it had stopped', async (t) => {
    const first = deferred<string>()
    const conversation = new Conversation({
      handler: async () => text(await first.promise, { headers: { connection: 'close' } }),
    })
    for (let i = 0; i < 5000; i++) conversation.send(NEXT)
    t.ok(conversation.transport.isPaused)
    first.resolve('')
    await conversation.settle()
    t.notOk(conversation.transport.isPaused)
    t.same(conversation.statuses(), [200])
  })

  await t.test('the time to linger is bounded', async (t) => {
    const conversation = await converse(NEXT, closes)
    conversation.advance(4999).send('more')
    t.notOk(conversation.transport.isDestroyed)
    conversation.advance(1)
    t.ok(conversation.transport.isDestroyed)
    t.equal(conversation.transport.error, null, 'without an error')
  })

  for (const [title, lastRequest] of [
    ['has asked for close', `${GET}Connection: close\r\n\r\n`],
    ['is of HTTP/1.0 and has not asked for more', 'GET / HTTP/1.0\r\n\r\n'],
  ]) {
    await t.test(`a client that ${title} sends no more, and is not waited for`, async (t) => {
      const conversation = await converse(lastRequest as string)
      t.ok(conversation.transport.isDestroyedSoon, 'closed when all is sent')
      t.notOk(conversation.transport.isDestroyed, 'nothing is lost')
      t.same(conversation.statuses(), [200])
    })
  }

  await t.test('it is while the answer came before its body did', async (t) => {
    const conversation = await converse(
      'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 3\r\n\r\na',
    )
    t.ok(conversation.transport.isEnded)
    t.notOk(conversation.transport.isDestroyedSoon)
  })

  await t.test(
    'a client that goes before its answer: the request ends, nothing is written',
    async (t) => {
      const first = deferred<string>()
      const conversation = await converse(NEXT + NEXT, {
        handler: async () => text(await first.promise),
      })
      conversation.leave(new Error('ECONNRESET'))
      first.resolve('late')
      await conversation.settle()
      t.equal(conversation.output, '')
      t.same([conversation.started, conversation.finished], [1, 1])
      t.same(conversation.errors, [])
    },
  )
})
