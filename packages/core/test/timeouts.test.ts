import t from 'tap'
import { RrError } from '../src/errors.ts'
import type { Handler } from '../src/handler.ts'
import { text } from '../src/response.ts'
import { Conversation } from './support/conversation.ts'
import { CHUNKED, GET, NEXT, POST, request } from './support/messages.ts'
import { deferred } from './support/turns.ts'

/** Reads the body and tells how that ended. */
function reader(outcomes: unknown[]): Handler {
  return async (request) => {
    try {
      const body = await request.text()
      outcomes.push(body)
      return text(body)
    } catch (error) {
      outcomes.push(error instanceof RrError ? error.code : error)
      throw error
    }
  }
}

const NO_RATE = { minBytesPerSecond: 0 }

t.test('headersTimeoutMs', async (t) => {
  await t.test('a connection without a byte is closed without a word', (t) => {
    const conversation = new Conversation()
    conversation.advance(29_999)
    t.ok(conversation.isOpen)
    conversation.advance(1)
    t.notOk(conversation.isOpen)
    t.equal(conversation.output, '')
    t.same(conversation.rejected, [])
    t.end()
  })

  await t.test('an empty line is no request', (t) => {
    const conversation = new Conversation()
    conversation.advance(29_000).send('\r\n').advance(1000)
    t.notOk(conversation.isOpen)
    t.equal(conversation.output, '')
    t.end()
  })

  await t.test(
    'a part of a first head is answered 408, counted from the start of the connection',
    (t) => {
      const conversation = new Conversation({ limits: NO_RATE })
      conversation.advance(20_000).send('GET / HT').advance(9999)
      t.ok(conversation.isOpen)
      conversation.advance(1)
      t.notOk(conversation.isOpen)
      t.same(conversation.statuses(), [408])
      t.same(conversation.rejected, [408])
      t.end()
    },
  )

  await t.test('a part of a later head is answered 408, counted from its first byte', (t) => {
    const conversation = new Conversation({ limits: NO_RATE })
    conversation.send(NEXT).advance(60_000).send('G').advance(20_000).send('ET /').advance(9999)
    t.ok(conversation.isOpen)
    conversation.advance(1)
    t.same(conversation.statuses(), [200, 408])
    t.end()
  })

  await t.test('bytes do not put it off', (t) => {
    const conversation = new Conversation({ limits: NO_RATE })
    conversation.send(GET)
    for (let second = 0; second < 29; second++) conversation.advance(1000).send('a')
    t.ok(conversation.isOpen)
    conversation.advance(1000)
    t.same(conversation.statuses(), [408])
    t.end()
  })

  await t.test('a head that is whole in time is served', (t) => {
    const conversation = new Conversation({ limits: NO_RATE })
    conversation.send(GET).advance(29_999).send('\r\n').advance(10_000)
    t.same(conversation.statuses(), [200])
    t.ok(conversation.isOpen)
    t.end()
  })
})

t.test('keepAliveTimeoutMs', (t) => {
  const conversation = new Conversation()
  conversation.send(NEXT).advance(64_999).send(NEXT).advance(64_999)
  t.ok(conversation.isOpen)
  conversation.advance(1)
  t.notOk(conversation.isOpen, 'an idle connection is closed')
  t.same(conversation.statuses(), [200, 200], 'without a word')
  t.same(conversation.rejected, [])
  t.end()
})

t.test('requestTimeoutMs', async (t) => {
  await t.test(
    'a body that takes too long is answered 408, and its reader learns why',
    async (t) => {
      const outcomes: unknown[] = []
      const conversation = new Conversation({ limits: NO_RATE, handler: reader(outcomes) })
      conversation.send(`${POST}Content-Length: 1000\r\n\r\n`)
      for (let second = 0; second < 299; second++)
        await conversation.advance(1000).send('b').settle()
      t.ok(conversation.isOpen)
      await conversation.advance(1000).settle()
      t.same(conversation.statuses(), [408])
      t.same(outcomes, ['RR_REQUEST_TIMEOUT'])
      t.same(conversation.errors, [], 'which is no error of the handler')
      t.same([conversation.started, conversation.finished], [1, 1])
    },
  )

  await t.test('it counts from the first byte of the head', async (t) => {
    const limits = { ...NO_RATE, requestTimeoutMs: 10_000 }
    const conversation = new Conversation({ limits, handler: reader([]) })
    conversation.send(POST).advance(6000).send('Content-Length: 5\r\n\r\n').advance(3999)
    t.ok(conversation.isOpen)
    await conversation.advance(1).settle()
    t.same(conversation.statuses(), [408])
  })

  await t.test('a handler may take as long as it wants', async (t) => {
    const answer = deferred<string>()
    const conversation = new Conversation({ handler: async () => text(await answer.promise) })
    await conversation.send(NEXT).advance(86_400_000).settle()
    t.ok(conversation.isOpen)
    answer.resolve('')
    await conversation.settle()
    t.same(conversation.statuses(), [200])
  })

  await t.test('after the answer there is nothing to answer', async (t) => {
    const conversation = new Conversation({ limits: NO_RATE })
    await conversation.send(`${POST}Content-Length: 5\r\n\r\n`).advance(300_000).settle()
    t.same(conversation.statuses(), [200])
    t.notOk(conversation.isOpen)
    t.same(conversation.rejected, [])
  })

  await t.test('in the middle of an answer the connection is cut', async (t) => {
    const conversation = new Conversation({
      limits: NO_RATE,
      handler: ({ stream }) => ({ status: 200, body: stream }),
    })
    await conversation.send(`${POST}Content-Length: 9\r\n\r\nhello`).settle()
    await conversation.advance(300_000).settle()
    t.match(conversation.responses(), [{ status: 200, body: 'hello', complete: false }])
    t.match(conversation.transport.error, { code: 'RR_REQUEST_TIMEOUT' })
  })
})

t.test('minBytesPerSecond', async (t) => {
  const post = `${POST}Content-Length: 100000\r\n\r\n`

  await t.test('a head that dribbles is answered 408 after the grace', (t) => {
    const conversation = new Conversation()
    conversation.send('GET')
    for (let second = 0; second < 5; second++) conversation.advance(1000).send(' ')
    t.ok(conversation.isOpen)
    conversation.advance(1)
    t.same(conversation.statuses(), [408])
    t.end()
  })

  await t.test('a body that dribbles is answered 408 after the grace', async (t) => {
    const outcomes: unknown[] = []
    const conversation = new Conversation({ handler: reader(outcomes) })
    conversation.send(post)
    for (let tenth = 0; tenth < 50; tenth++) conversation.advance(100).send('b')
    t.ok(conversation.isOpen)
    await conversation.advance(1).settle()
    t.same(conversation.statuses(), [408])
    t.same(outcomes, ['RR_REQUEST_TIMEOUT'])
  })

  await t.test('a chunked body counts as it is on the wire', async (t) => {
    const conversation = new Conversation({ handler: reader([]) })
    conversation.send(CHUNKED)
    for (let second = 0; second < 60; second++)
      conversation.send('1\r\nb\r\n'.repeat(17)).advance(1000)
    t.ok(conversation.isOpen, '102 bytes a second')
    await conversation.advance(60_000).settle()
    t.same(conversation.statuses(), [408])
  })

  await t.test('exactly the rate is fast enough', (t) => {
    const conversation = new Conversation({ handler: reader([]) })
    conversation.send(post)
    for (let second = 0; second < 100; second++) conversation.send('b'.repeat(100)).advance(1000)
    t.ok(conversation.isOpen)
    conversation.advance(1)
    t.notOk(conversation.isOpen, 'and no more')
    t.end()
  })

  await t.test('a byte less is too slow', (t) => {
    const conversation = new Conversation({ handler: reader([]) })
    conversation.send(post)
    for (let second = 0; second < 6; second++) conversation.advance(1000).send('b'.repeat(99))
    t.notOk(conversation.isOpen)
    t.end()
  })

  await t.test('nothing is checked within the grace', (t) => {
    const conversation = new Conversation({ handler: reader([]) })
    conversation.send(post).advance(4999).send('b'.repeat(2000)).advance(10_000)
    t.ok(conversation.isOpen)
    t.end()
  })

  await t.test('time in which the handler does not read does not count', async (t) => {
    const asked = deferred<void>()
    const outcomes: unknown[] = []
    const conversation = new Conversation({
      handler: async (request) => {
        await asked.promise
        return await reader(outcomes)(request)
      },
    })
    conversation.send(post).send('b'.repeat(70_000))
    t.ok(conversation.transport.isPaused)
    await conversation.advance(3_600_000).settle()
    t.ok(conversation.isOpen)
    asked.resolve()
    await conversation.settle()
    t.notOk(conversation.transport.isPaused)
    await conversation.advance(4000).send('b'.repeat(30_000)).settle()
    t.same(conversation.statuses(), [200])
    t.equal(String(outcomes[0]).length, 100_000)
  })

  await t.test('time in which the client waits for 100 (Continue) does not count', async (t) => {
    const asked = deferred<void>()
    const conversation = new Conversation({
      handler: async (request) => {
        await asked.promise
        return text(await request.text())
      },
    })
    conversation.send(`${POST}Expect: 100-continue\r\nContent-Length: 5\r\n\r\n`)
    await conversation.advance(3_600_000).settle()
    t.equal(conversation.output, '')
    asked.resolve()
    await conversation.settle()
    t.same(conversation.statuses(), [100])
    await conversation.advance(5001).settle()
    t.same(conversation.statuses(), [100, 408], 'time after it does')
  })

  await t.test('time in which pipelined input waits does not count', async (t) => {
    const conversation = new Conversation({ handler: () => text('x'.repeat(1000)) })
    const { transport } = conversation
    transport.isClientReading = false
    transport.highWaterBytes = 1
    conversation.send(`${NEXT}${POST}Content-Le`).send('ngth: 2')
    t.ok(transport.isPaused)
    await conversation.advance(50_000).settle()
    t.ok(conversation.isOpen)
    await conversation.take().advance(1000).settle()
    await conversation.send('\r\n\r\nab').settle()
    await conversation.take().settle()
    t.same(conversation.statuses(), [200, 200])
  })

  await t.test('each request is measured by itself', async (t) => {
    const conversation = new Conversation({ handler: reader([]) })
    const slow = `${POST}Content-Length: 2\r\n\r\n`
    for (let count = 0; count < 5; count++) {
      conversation.send(slow).advance(4000).send('a').advance(900).send('b')
      await conversation.settle()
    }
    t.same(conversation.statuses(), [200, 200, 200, 200, 200])
    t.ok(conversation.isOpen)
  })
})

t.test('an onTimeout that is not due changes nothing, and the deadline stands', async (t) => {
  const answer = deferred<string>()
  const states: readonly (readonly [string, string])[] = [
    ['before the first byte', ''],
    ['within a head', 'GET /'],
    ['between requests', request('GET /sync HTTP/1.1', 'Host: a')],
    ['within a body', `${POST}Content-Length: 5\r\n\r\nab`],
    ['within a chunked body', `${CHUNKED}5\r\nab`],
    [
      'within a body that nobody reads',
      `${POST}Content-Length: 100000\r\n\r\n${'b'.repeat(70_000)}`,
    ],
    ['while the handler works', NEXT],
    ['while lingering', request('GET /sync HTTP/1.0')],
  ]
  for (const [title, input] of states) {
    const conversation = new Conversation({
      handler: ({ path }) =>
        path === '/sync' ? text('') : answer.promise.then((body) => text(body)),
    })
    const { connection, transport } = conversation
    if (input !== '') conversation.send(input)
    const { deadlineMs, isPaused, isClosed } = transport
    conversation.advance(title === 'within a body that nobody reads' ? 3_600_000 : 4000)
    const { output } = conversation
    for (let times = 0; times < 3; times++) connection.onTimeout()
    t.equal(transport.deadlineMs, deadlineMs, title)
    t.equal(conversation.output, output)
    t.same([transport.isPaused, transport.isClosed], [isPaused, isClosed])
  }
})
