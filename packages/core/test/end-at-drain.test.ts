import t from 'tap'
import { endAtDrain } from '../src/end-at-drain.ts'
import type { EventStream } from '../src/event-stream.ts'
import type { Handler } from '../src/handler.ts'
import { ndjson } from '../src/ndjson.ts'
import type { ServerSentEvent } from '../src/server-sent-event.ts'
import { type SseInit, sse } from '../src/sse.ts'
import { Conversation } from './support/conversation.ts'
import { EXPECTED, STOPPING } from './support/drain-notices.ts'
import { NEXT } from './support/messages.ts'
import { deferred } from './support/turns.ts'

/** What idle connections have in a drain; a stream that had begun has it from its end. */
const GRACE_MS = 500
const BYE: SseInit = { heartbeatMs: 0, drainEvent: { retry: 500 } }

async function open(handler: Handler): Promise<Conversation> {
  return await new Conversation({ handler }).send(NEXT).settle()
}

async function notify(
  conversation: Conversation,
  notice: typeof STOPPING = STOPPING,
): Promise<Conversation> {
  conversation.connection.onDrainNotice(notice, conversation.clock.nowMs + GRACE_MS)
  return await conversation.settle()
}

/** An endless source that says when it was ended. */
class Endless implements AsyncIterable<ServerSentEvent> {
  isEnded = false;
  [Symbol.asyncIterator](): AsyncIterator<ServerSentEvent> {
    let isFirst = true
    return {
      next: () => {
        if (!isFirst) return new Promise(() => {})
        isFirst = false
        return Promise.resolve({ done: false, value: { data: 'a' } })
      },
      return: async () => {
        this.isEnded = true
        return { done: true, value: undefined }
      },
    }
  }
}

for (const notice of [EXPECTED, STOPPING]) {
  const how = notice.isStopping ? 'a drain' : 'a notice without stopping'
  t.test(`sse() with a function ends at ${how}, behind what was sent`, async (t) => {
    const events = deferred<EventStream>()
    const conversation = await open((request) => sse(events.resolve, { ...BYE, drain: request }))
    const { send, signal } = await events.promise
    send({ data: 'a' })
    await notify(conversation, notice)
    t.ok(signal.aborted, 'the function is told')
    t.equal(send({ data: 'late' }), false)
    const body = 'data: a\n\nretry: 500\n\n'
    t.match(conversation.responses(), [{ body, complete: true }])
    conversation.advance(GRACE_MS)
    await conversation.settle()
    t.equal(conversation.isOpen, !notice.isStopping)
  })

  t.test(`sse() with an iterable ends at ${how}, also while it waits`, async (t) => {
    const source = new Endless()
    const conversation = await open((request) => sse(source, { ...BYE, drain: request }))
    t.match(conversation.responses(), [{ body: 'data: a\n\n' }])
    await notify(conversation, notice)
    t.ok(source.isEnded)
    t.match(conversation.responses(), [{ body: 'data: a\n\nretry: 500\n\n', complete: true }])
    conversation.advance(GRACE_MS)
    await conversation.settle()
    t.equal(conversation.isOpen, !notice.isStopping)
  })
}

t.test('sse() without the option goes on, and holds the drain', async (t) => {
  const conversation = await open(() => sse(new Endless(), { heartbeatMs: 0 }))
  await notify(conversation)
  t.ok(conversation.isOpen)
  t.match(conversation.responses(), [{ body: 'data: a\n\n' }])
  t.ok(conversation.connection.hasWork)
  conversation.leave()
})

t.test('an event stream that begins while the server stops ends at once', async (t) => {
  let started = 0
  const start = (): void => void started++
  const source = new Endless()
  for (const given of [start, source]) {
    const conversation = new Conversation({
      handler: (request) => sse(given, { ...BYE, drain: request }),
    })
    await notify(conversation)
    await conversation.send(NEXT).settle()
    t.match(conversation.responses(), [{ status: 200, body: 'retry: 500\n\n', complete: true }])
  }
  t.equal(started, 0, 'the function is not called in vain')
  t.ok(source.isEnded)
})

t.test('one that begins after a notice without stopping stays until the drain', async (t) => {
  const conversation = new Conversation({
    handler: (request) => sse(new Endless(), { ...BYE, drain: request }),
  })
  await notify(conversation, EXPECTED)
  await conversation.send(NEXT).settle()
  t.match(conversation.responses(), [{ body: 'data: a\n\n' }])
  t.ok(conversation.connection.hasWork, 'no loop of clients that come back')
  await notify(conversation)
  t.match(conversation.responses(), [{ body: 'data: a\n\nretry: 500\n\n', complete: true }])
})

t.test('a slow client still gets what was sent before the drain', async (t) => {
  const events = deferred<EventStream>()
  const conversation = new Conversation({
    handler: (request) => sse(events.resolve, { ...BYE, drain: request }),
  })
  conversation.transport.isClientReading = false
  await conversation.send(NEXT).settle()
  const { send } = await events.promise
  const large = 'x'.repeat(70_000)
  send({ data: large })
  await conversation.settle()
  send({ data: 'b' })
  await notify(conversation)
  t.notMatch(conversation.output, /retry/)
  await conversation.take().settle()
  await conversation.take().settle()
  const body = `data: ${large}\n\ndata: b\n\nretry: 500\n\n`
  t.match(conversation.responses(), [{ body, complete: true }])
})

t.test('options of sse()', (t) => {
  const none = (): void => {}
  for (const drain of [5, {}, 'drain', { onDrain: 5 }]) {
    t.throws(() => sse(none, { drain: drain as never }), { code: 'RR_OPTION_INVALID' })
  }
  t.throws(() => sse(none, { drainEvent: { event: 'a\nb' } }), { code: 'RR_RESPONSE_INVALID' })
  // As sourceRequest gives it for a request that is not rr's.
  for (const drain of [null, undefined]) t.doesNotThrow(() => sse(none, { drain }))
  t.end()
})

t.test('endAtDrain() ends lines, with a last one', async (t) => {
  const source = new Endless()
  const conversation = await open((request) =>
    ndjson(endAtDrain<object>(source, request, { again: true })),
  )
  await notify(conversation)
  t.ok(source.isEnded)
  t.match(conversation.responses(), [{ body: '{"data":"a"}\n{"again":true}\n', complete: true }])
})

t.test('endAtDrain() cancels a stream, and needs no last value', async (t) => {
  let isCancelled = false
  const source = new ReadableStream<number>({
    start: (controller) => controller.enqueue(1),
    cancel: () => {
      isCancelled = true
    },
  })
  const conversation = await open((request) => ndjson(endAtDrain(source, request)))
  await notify(conversation)
  t.ok(isCancelled)
  t.match(conversation.responses(), [{ body: '1\n', complete: true }])
})

t.test('endAtDrain() leaves the end and the errors of a source as they are', async (t) => {
  async function* two(): AsyncGenerator<number> {
    yield 1
    yield 2
  }
  const whole = await open((request) => ndjson(endAtDrain(two(), request, 9)))
  t.match(whole.responses(), [{ body: '1\n2\n', complete: true }])
  const foreign = await open(() => ndjson(endAtDrain(two(), null, 9)))
  t.match(foreign.responses(), [{ body: '1\n2\n', complete: true }])
  await notify(whole)
  t.match(whole.responses(), [{ body: '1\n2\n' }], 'nothing follows the end')

  async function* fails(): AsyncGenerator<number> {
    yield 1
    throw new Error('no more')
  }
  const cut = await open((request) => ndjson(endAtDrain(fails(), request, 9)))
  t.match(cut.responses(), [{ body: '1\n', complete: false }])
  t.match(cut.errors, [{ message: 'no more' }])
})

t.test('endAtDrain() lets go of a source when the client leaves, or for HEAD', async (t) => {
  const left = new Endless()
  const conversation = await open((request) => ndjson(endAtDrain(left, request)))
  await conversation.leave().settle()
  t.ok(left.isEnded)
  const head = new Endless()
  await new Conversation({ handler: (request) => ndjson(endAtDrain(head, request)) })
    .send('HEAD / HTTP/1.1\r\nHost: a\r\n\r\n')
    .settle()
  t.ok(head.isEnded)
})
