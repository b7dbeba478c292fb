import t from 'tap'
import { stream, text } from '../src/response.ts'
import { Conversation, type ConversationOptions } from './support/conversation.ts'
import { STOPPING } from './support/drain-notices.ts'
import { GET, NEXT, POST, request } from './support/messages.ts'
import { deferred, turns } from './support/turns.ts'

const BIG = 'x'.repeat(300_000)

/** A client that has asked for much and takes nothing. */
function stalled(options: ConversationOptions = {}, input = NEXT): Conversation {
  const conversation = new Conversation({ handler: () => text(BIG), ...options })
  conversation.transport.isClientReading = false
  return conversation.send(input)
}

t.test('sendTimeoutMs', async (t) => {
  await t.test('a client that takes nothing is cut', async (t) => {
    const conversation = stalled()
    conversation.advance(59_999)
    t.ok(conversation.isOpen)
    await conversation.advance(1).settle()
    t.ok(conversation.transport.isDestroyed)
    t.match(conversation.transport.error, { code: 'RR_REQUEST_ABORTED' })
    t.same([conversation.started, conversation.finished], [1, 1])
  })

  await t.test('a client that takes a byte a minute lives', (t) => {
    const conversation = stalled()
    for (let minute = 0; minute < 100; minute++) conversation.advance(59_000).take(1)
    t.ok(conversation.isOpen)
    conversation.advance(120_000)
    t.notOk(conversation.isOpen)
    t.end()
  })

  await t.test('a client that sends all the time and takes nothing is cut', (t) => {
    const conversation = stalled()
    for (let second = 0; second < 59; second++) conversation.advance(1000).send(NEXT)
    t.ok(conversation.isOpen)
    conversation.advance(1000)
    t.ok(conversation.transport.isDestroyed)
    t.end()
  })

  await t.test('a client that sends a body all the time and takes nothing is cut', async (t) => {
    const conversation = new Conversation({
      handler: (request) => stream(request.stream),
      limits: { maxBodyBytes: 1e9 },
    })
    conversation.transport.isClientReading = false
    await conversation.send(`${POST}Content-Length: 900000000\r\n\r\n`).settle()
    for (let second = 0; second < 70 && conversation.isOpen; second++) {
      await conversation.advance(1000).send('b'.repeat(10_000)).settle()
    }
    t.ok(conversation.transport.isDestroyed)
    t.ok(conversation.transport.maxBufferedBytes < 200_000)
  })

  await t.test('a connection is idle from when its answer was taken', async (t) => {
    const conversation = stalled()
    for (let minute = 0; minute < 10; minute++) conversation.advance(59_000).take(1)
    await conversation.take().settle()
    conversation.advance(64_999)
    t.ok(conversation.isOpen)
    conversation.advance(1)
    t.notOk(conversation.isOpen)
    t.same(conversation.responses().length, 1)
  })

  await t.test('the time starts again with the next answer', async (t) => {
    const conversation = stalled()
    await conversation.advance(50_000).take().settle()
    conversation.advance(20_000).send(NEXT).advance(50_000)
    t.ok(conversation.isOpen)
    conversation.advance(10_000)
    t.notOk(conversation.isOpen)
  })

  await t.test('a stream waits for the client, and is cancelled when it is cut', async (t) => {
    let produced = 0
    let isCancelled = false
    const body = new ReadableStream({
      pull(controller) {
        produced++
        controller.enqueue(Buffer.alloc(10_000))
      },
      cancel() {
        isCancelled = true
      },
    })
    const conversation = stalled({ handler: () => stream(body) })
    await conversation.settle()
    const first = produced
    t.ok(first < 20, `${first} chunks were asked for`)
    await conversation.take(1).settle()
    t.equal(produced, first)
    await conversation.take().settle()
    t.ok(produced > first, 'it goes on when the client has taken all')
    await conversation.advance(60_000).settle()
    t.ok(isCancelled)
    t.same(conversation.errors, [])
  })
})

t.test('lingerTimeoutMs, RFC 9112 §9.6', async (t) => {
  const close = `${GET}Connection: close\r\n\r\n`

  await t.test('begins when the last answer has been sent, however long that takes', async (t) => {
    const conversation = stalled({}, close)
    const { transport } = conversation
    t.ok(transport.isEnded)
    for (let second = 0; second < 300; second += 5) conversation.advance(5000).take(1000)
    t.notOk(transport.isDestroyed)
    conversation.take().advance(4999)
    t.notOk(transport.isDestroyed)
    conversation.advance(5001)
    t.ok(transport.isDestroyed)
    t.equal(transport.error, null, 'and ends without an error')
  })

  await t.test('does not keep a client that takes nothing', async (t) => {
    const conversation = stalled({}, close)
    conversation.advance(59_999)
    t.notOk(conversation.transport.isDestroyed)
    conversation.advance(5001)
    t.ok(conversation.transport.isDestroyed)
    t.match(conversation.transport.error, { code: 'RR_REQUEST_ABORTED' })
  })

  await t.test('holds for HTTP/1.0 and for refusals', async (t) => {
    const old = stalled({}, request('GET / HTTP/1.0'))
    const refused = stalled({}, `${NEXT}BREW / HTTP/1.1\r\n\r\n`)
    for (const conversation of [old, refused]) {
      conversation.advance(20_000).take(100_000).advance(20_000)
      t.notOk(conversation.transport.isDestroyed)
      // What was pipelined behind the first answer is read once that has been taken.
      conversation.take().take().advance(10_001)
      t.ok(conversation.transport.isDestroyed)
    }
    t.equal(old.responses()[0]?.body, BIG)
    t.same(refused.statuses(), [200, 501])
  })

  await t.test('input does not put it off', async (t) => {
    const conversation = new Conversation()
    conversation.send(close)
    for (let tenth = 0; tenth < 50; tenth++) conversation.advance(100).send('x')
    t.ok(conversation.transport.isDestroyed)
  })
})

t.test('onDrainNotice', async (t) => {
  await t.test('an idle connection is closed at the deadline', (t) => {
    const conversation = new Conversation()
    conversation.send(NEXT)
    conversation.connection.onDrainNotice(STOPPING, conversation.clock.nowMs + 500)
    conversation.advance(499)
    t.ok(conversation.isOpen)
    conversation.advance(1)
    t.notOk(conversation.isOpen)
    t.same(conversation.statuses(), [200])
    t.end()
  })

  await t.test('a connection that would be closed sooner still is', (t) => {
    const conversation = new Conversation()
    conversation.send(NEXT).advance(64_000)
    conversation.connection.onDrainNotice(STOPPING, conversation.clock.nowMs + 5000)
    conversation.advance(1000)
    t.notOk(conversation.isOpen)
    t.end()
  })

  await t.test(
    'requests that come before the deadline are served, and the last answer says close',
    async (t) => {
      const conversation = new Conversation()
      conversation.send(NEXT)
      conversation.connection.onDrainNotice(STOPPING, conversation.clock.nowMs + 500)
      await conversation
        .advance(499)
        .send(NEXT + NEXT)
        .settle()
      const answers = conversation.responses()
      t.equal(answers.length, 3)
      t.same(answers[1]?.headers.get('connection'), undefined)
      t.same(answers[2]?.headers.get('connection'), ['close'])
      t.notOk(conversation.isOpen)
    },
  )

  await t.test('a head of which a part has come may be completed', async (t) => {
    const conversation = new Conversation()
    conversation.send(GET)
    conversation.connection.onDrainNotice(STOPPING, conversation.clock.nowMs + 500)
    await conversation.advance(4000).send('\r\n').settle()
    t.same(conversation.statuses(), [200])
    t.notOk(conversation.isOpen)
  })

  await t.test('a head that begins before the deadline may be completed after it', async (t) => {
    const conversation = new Conversation()
    conversation.connection.onDrainNotice(STOPPING, conversation.clock.nowMs + 500)
    await conversation.advance(499).send(GET).advance(4000).send('\r\n').settle()
    t.same(conversation.statuses(), [200])
  })

  await t.test('requests at work are answered, the last one with close', async (t) => {
    const answer = deferred<string>()
    const conversation = new Conversation({ handler: async () => text(await answer.promise) })
    conversation.send(NEXT + NEXT)
    conversation.connection.onDrainNotice(STOPPING, conversation.clock.nowMs)
    await conversation.advance(100_000).settle()
    t.ok(conversation.isOpen)
    answer.resolve('')
    await conversation.settle()
    t.match(conversation.responses(), [{ status: 200 }, { status: 200 }])
    t.same(conversation.responses()[0]?.headers.get('connection'), undefined)
    t.same(conversation.responses()[1]?.headers.get('connection'), ['close'])
    t.notOk(conversation.isOpen)
  })

  await t.test('a body that is arriving may be completed', async (t) => {
    const conversation = new Conversation({ handler: async (r) => text(await r.text()) })
    await conversation.send(`${POST}Content-Length: 2\r\n\r\na`).settle()
    conversation.connection.onDrainNotice(STOPPING, conversation.clock.nowMs)
    await conversation.advance(1000).send('b').settle()
    t.match(conversation.responses(), [{ body: 'ab' }])
    t.notOk(conversation.isOpen)
  })

  await t.test('a streamed answer is completed, then the connection closes', async (t) => {
    async function* parts(): AsyncGenerator<string> {
      yield 'a'
      await turns(3)
      yield 'b'
    }
    const conversation = new Conversation({ handler: () => stream(parts()) })
    conversation.send(NEXT)
    conversation.connection.onDrainNotice(STOPPING, conversation.clock.nowMs)
    await conversation.settle()
    t.match(conversation.responses(), [{ body: 'ab', complete: true }])
    conversation.advance(0)
    t.notOk(conversation.isOpen)
  })

  await t.test('twice is once, and after the last answer it is nothing', (t) => {
    const conversation = new Conversation()
    conversation.send(`${GET}Connection: close\r\n\r\n`)
    conversation.connection.onDrainNotice(STOPPING, conversation.clock.nowMs)
    conversation.connection.onDrainNotice(STOPPING, conversation.clock.nowMs)
    conversation.advance(4999)
    t.notOk(conversation.transport.isDestroyed)
    t.end()
  })
})
