import t from 'tap'
import type { EventStream } from '../src/event-stream.ts'
import type { ServerSentEvent } from '../src/server-sent-event.ts'
import { serializeEvent } from '../src/server-sent-event.ts'
import { lastEventId, type SseInit, type SseSource, sse } from '../src/sse.ts'
import { Conversation, converse } from './support/conversation.ts'
import { NEXT } from './support/messages.ts'
import { deferred, turns } from './support/turns.ts'

const QUIET: SseInit = { heartbeatMs: 0 }

function bodyOf(conversation: Conversation): string {
  return Buffer.from(conversation.responses()[0]?.body ?? '', 'latin1').toString()
}

/** A stream and what its handler was given. */
async function open(
  init: SseInit = QUIET,
): Promise<{ conversation: Conversation; events: EventStream }> {
  const started = deferred<EventStream>()
  const conversation = await converse(NEXT, { handler: () => sse(started.resolve, init) })
  return { conversation, events: await started.promise }
}

t.test('WHATWG HTML §9.2.5: an event', (t) => {
  const cases: readonly (readonly [ServerSentEvent, string])[] = [
    [{ data: 'a' }, 'data: a\n\n'],
    [{ data: '' }, 'data: \n\n'],
    [{ data: ' a ' }, 'data:  a \n\n'],
    [{ data: 'a\nb' }, 'data: a\ndata: b\n\n'],
    [{ data: 'a\r\nb\rc\n\nd\n' }, 'data: a\ndata: b\ndata: c\ndata: \ndata: d\ndata: \n\n'],
    [{ data: 'a\n\revent: b' }, 'data: a\ndata: \ndata: event: b\n\n'],
    [{ data: '\u2028\u0085\v\f\0' }, 'data: \u2028\u0085\v\f\0\n\n'],
    [{ event: 'tick', data: 'a' }, 'event: tick\ndata: a\n\n'],
    [{ id: '5', data: 'a' }, 'id: 5\ndata: a\n\n'],
    [{ id: '' }, 'id: \n\n'],
    [{ retry: 0 }, 'retry: 0\n\n'],
    [{ retry: 5000 }, 'retry: 5000\n\n'],
    [{ comment: 'a' }, ': a\n\n'],
    [{ comment: 'a\r\ndata: b' }, ': a\n: data: b\n\n'],
    [
      { event: 'e', id: 'i', retry: 1, data: 'd', comment: 'c' },
      ': c\nevent: e\nid: i\nretry: 1\ndata: d\n\n',
    ],
    [{}, '\n'],
  ]
  for (const [event, text] of cases) t.equal(serializeEvent(event), text)
  t.end()
})

t.test('WHATWG HTML §9.2.6: what would be read as something else is refused', (t) => {
  const bad: readonly unknown[] = [
    { event: 'a\nb' },
    { event: 'a\rdata: b' },
    { event: 'a\r\n' },
    { id: 'a\nb' },
    { id: '\r' },
    { id: 'a\0' },
    { event: 5 },
    { id: 5 },
    { data: 5 },
    { data: { a: 1 } },
    { data: null },
    { comment: 5 },
    { retry: -1 },
    { retry: 1.5 },
    { retry: Number.NaN },
    { retry: 1e21 },
    { retry: '5' },
    'data',
    null,
    undefined,
  ]
  for (const event of bad) {
    t.throws(() => serializeEvent(event as never), { code: 'RR_RESPONSE_INVALID' })
  }
  t.end()
})

t.test('the response', async (t) => {
  async function* none(): AsyncGenerator<ServerSentEvent> {}
  const conversation = await converse(NEXT, { handler: () => sse(none()) })
  const [response] = conversation.responses()
  t.match(response, { status: 200, body: '', complete: true })
  t.same(response?.headers.get('content-type'), ['text/event-stream'])
  t.same(response?.headers.get('cache-control'), ['no-cache'])
  t.same(response?.headers.get('x-accel-buffering'), ['no'])

  const headers = { 'Cache-Control': 'no-store', 'x-a': 'b' }
  const own = await converse(NEXT, { handler: () => sse(none(), { headers }) })
  t.same(own.responses()[0]?.headers.get('cache-control'), ['no-store'])
  t.same(own.responses()[0]?.headers.get('x-a'), ['b'])

  for (const source of ['a', 5, null, undefined, {}, [{ data: 'a' }]]) {
    t.throws(() => sse(source as never), { code: 'RR_RESPONSE_INVALID' })
  }
  for (const value of [-1, 1.5, Number.NaN, 2_147_483_648, '5' as never]) {
    t.throws(() => sse(none(), { heartbeatMs: value }), { code: 'RR_OPTION_INVALID' })
  }
  t.doesNotThrow(() => sse(none(), { heartbeatMs: 2_147_483_647 }))
  t.throws(() => sse(none(), { maxQueuedCharacters: -1 }), { code: 'RR_OPTION_INVALID' })
})

t.test('events of an iterable leave one by one, at once', async (t) => {
  const gates = [deferred<string>(), deferred<string>()]
  async function* events(): AsyncGenerator<ServerSentEvent> {
    for (const gate of gates) yield { data: await gate.promise }
  }
  const conversation = await converse(NEXT, { handler: () => sse(events()) })
  t.match(conversation.responses(), [{ status: 200, body: '' }], 'the head is there at once')
  gates[0]?.resolve('a')
  await conversation.settle()
  t.equal(bodyOf(conversation), 'data: a\n\n')
  gates[1]?.resolve('é')
  await conversation.settle()
  t.equal(bodyOf(conversation), 'data: a\n\ndata: é\n\n')
  t.match(conversation.responses(), [{ complete: true }])
})

t.test('an event that cannot be sent, and a source that fails, cut the connection', async (t) => {
  async function* bad(): AsyncGenerator<ServerSentEvent> {
    yield { data: 'a' }
    yield { event: 'a\nb' }
  }
  async function* failing(): AsyncGenerator<ServerSentEvent> {
    yield { data: 'a' }
    throw new Error('gone')
  }
  const sources: readonly (readonly [SseSource, object])[] = [
    [bad(), { code: 'RR_RESPONSE_INVALID' }],
    [failing(), { message: 'gone' }],
    [
      (events) => {
        events.send({ data: 'a' })
        throw new Error('gone')
      },
      { message: 'gone' },
    ],
    [
      async (events) => {
        events.send({ data: 'a' })
        await turns()
        throw new Error('gone')
      },
      { message: 'gone' },
    ],
  ]
  for (const [source, error] of sources) {
    for (const heartbeatMs of [0, 60_000]) {
      const conversation = await converse(NEXT, { handler: () => sse(source, { heartbeatMs }) })
      if (conversation.errors.length === 0) continue
      t.match(conversation.responses(), [{ status: 200, complete: false }])
      t.match(conversation.errors, [error])
      t.ok(conversation.transport.isDestroyed)
    }
  }
})

t.test('a client that leaves ends an iterable that is waiting', async (t) => {
  for (const heartbeatMs of [0, 60_000]) {
    const isEnded = deferred<void>()
    const source = {
      [Symbol.asyncIterator]: () => ({
        next: () => deferred<IteratorResult<ServerSentEvent>>().promise,
        return: async () => {
          isEnded.resolve()
          return { done: true as const, value: undefined }
        },
      }),
    }
    const conversation = await converse(NEXT, { handler: () => sse(source, { heartbeatMs }) })
    conversation.leave()
    await isEnded.promise
    t.same(conversation.errors, [])
  }
})

t.test('a function sends events when it likes', async (t) => {
  const { conversation, events } = await open()
  t.equal(events.send({ data: 'a' }), true)
  events.send({ data: 'b', id: '2' })
  await conversation.settle()
  t.equal(bodyOf(conversation), 'data: a\n\nid: 2\ndata: b\n\n')
  t.throws(() => events.send({ event: '\n' }), { code: 'RR_RESPONSE_INVALID' })
  t.notOk(events.signal.aborted)
  events.send({ data: 'c' })
  events.close()
  t.equal(events.send({ data: 'd' }), false, 'after the end nothing is sent')
  events.close()
  await conversation.settle()
  t.equal(bodyOf(conversation), 'data: a\n\nid: 2\ndata: b\n\ndata: c\n\n')
  t.match(conversation.responses(), [{ complete: true }])
  t.ok(events.signal.aborted)
  await events.drained()
})

t.test('what sends events can be taken out of the stream', async (t) => {
  const conversation = await converse(NEXT, {
    handler: () =>
      sse(async ({ send, drained, close }) => {
        send({ data: 'a' })
        await drained()
        close()
      }),
  })
  t.match(conversation.responses(), [{ body: 'data: a\n\n', complete: true }])
})

t.test('when the function returns, the stream goes on', async (t) => {
  const { conversation, events } = await open()
  await turns(5)
  events.send({ data: 'late' })
  await conversation.settle()
  t.match(conversation.responses(), [{ body: 'data: late\n\n', complete: false }])
})

t.test('the signal aborts when the client leaves, also where it is asked for later', async (t) => {
  const { conversation, events } = await open()
  const { signal } = events
  let told = 0
  signal.addEventListener('abort', () => void told++)
  conversation.leave()
  t.equal(told, 1)
  t.equal(events.send({ data: 'a' }), false)
  await conversation.settle()
  t.equal(told, 1)
  t.same(conversation.errors, [])

  const late = await open()
  late.conversation.leave()
  t.ok(late.events.signal.aborted)
})

t.test('a function that fails because its client has left is no error', async (t) => {
  const handler = () =>
    sse(async ({ signal }) => {
      await new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason))
      })
    }, QUIET)
  const conversation = await converse(NEXT, { handler })
  conversation.leave()
  await conversation.settle()
  t.same(conversation.errors, [])
})

t.test(
  'an iterable that gives up because its client has closed its side is no error',
  async (t) => {
    const conversation = await converse(NEXT, {
      handler: ({ signal }) => {
        async function* events(): AsyncGenerator<ServerSentEvent> {
          yield { data: 'a' }
          await new Promise((_, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason))
          })
        }
        return sse(events())
      },
    })
    await conversation.finish().settle()
    t.match(conversation.responses(), [{ body: 'data: a\n\n', complete: false }])
    t.ok(conversation.transport.isDestroyed)
    t.same(conversation.errors, [])
  },
)

t.test('a client that does not read is told of, and waited for', async (t) => {
  const started = deferred<EventStream>()
  const conversation = new Conversation({ handler: () => sse(started.resolve, QUIET) })
  conversation.transport.isClientReading = false
  await conversation.send(NEXT).settle()
  const events = await started.promise
  const event = { data: 'x'.repeat(10_000) }
  let sent = 1
  while (events.send(event)) {
    sent++
    await turns()
  }
  t.ok(sent < 40, `${sent} events were taken`)
  let isDrained = false
  const drained = events.drained().then(() => {
    isDrained = true
  })
  await conversation.settle()
  t.notOk(isDrained)
  await conversation.take().settle()
  await drained
  t.ok(events.send(event))
  await conversation.take().settle()
  events.close()
  await conversation.take().settle()
  t.equal(bodyOf(conversation).length, (sent + 1) * 10_008)
})

t.test('events for a client that never reads are bounded', async (t) => {
  for (const [characters, isCut] of [
    [999, false],
    [1000, false],
    [1001, true],
  ] as const) {
    const init = { ...QUIET, maxQueuedCharacters: 1000 }
    const started = deferred<EventStream>()
    const conversation = new Conversation({ handler: () => sse(started.resolve, init) })
    conversation.transport.isClientReading = false
    await conversation.send(NEXT).settle()
    const events = await started.promise
    events.send({ data: 'x'.repeat(70_000) })
    await conversation.settle()
    events.send({ data: 'y'.repeat(characters - 8) })
    t.equal(events.signal.aborted, isCut, `${characters} characters`)
    await conversation.take().settle()
    t.equal(conversation.transport.isDestroyed, isCut)
    t.equal(conversation.errors.length, isCut ? 1 : 0)
    conversation.leave()
  }
})

t.test('heartbeats', async (t) => {
  t.test('come where no event does, and overtake none', async (t) => {
    const gate = deferred<string>()
    async function* events(): AsyncGenerator<ServerSentEvent> {
      yield { data: 'a' }
      yield { data: await gate.promise }
    }
    const conversation = await converse(NEXT, { handler: () => sse(events(), { heartbeatMs: 1 }) })
    while (!bodyOf(conversation).includes(':\n\n:\n\n')) await conversation.settle()
    gate.resolve('b')
    await conversation.settle()
    t.match(bodyOf(conversation), /^data: a\n\n(:\n\n){2,}data: b\n\n$/)
    t.match(conversation.responses(), [{ complete: true }])
  })

  t.test('come between the events of a function too', async (t) => {
    const { conversation, events } = await open({ heartbeatMs: 1 })
    while (!bodyOf(conversation).includes(':\n\n')) await conversation.settle()
    events.send({ data: 'a' })
    while (!bodyOf(conversation).includes('a\n\n:\n\n')) await conversation.settle()
    conversation.leave()
    t.ok(events.signal.aborted)
    t.same(conversation.errors, [])
  })

  t.test('do not pile up for a client that does not read', async (t) => {
    const started = deferred<EventStream>()
    const conversation = new Conversation({
      handler: () => sse(started.resolve, { heartbeatMs: 1 }),
    })
    conversation.transport.isClientReading = false
    conversation.transport.highWaterBytes = 1
    await conversation.send(NEXT).settle()
    await started.promise
    // Three timers of the same length later the heartbeat's has fired.
    for (let fired = 0; fired < 3; fired++) await new Promise((resolve) => setTimeout(resolve, 1))
    await conversation.settle()
    t.ok(bodyOf(conversation).length <= 3, 'one may have gone before the client was full')
    conversation.leave()
  })
})

t.test('for HEAD the function is not called', async (t) => {
  let calls = 0
  const conversation = await converse(`HEAD${NEXT.slice(3)}`, {
    handler: () => sse(() => void calls++),
  })
  t.match(conversation.responses('HEAD'), [{ status: 200 }])
  t.equal(calls, 0)
})

t.test('WHATWG HTML §9.2.4: Last-Event-ID', async (t) => {
  const ids: unknown[] = []
  const fields = ['Last-Event-ID: 5', `last-event-id: ${Buffer.from('é€').toString('latin1')}`]
  for (const field of [...fields, 'Last-Event-ID:', 'X-Other: 5']) {
    await converse(`GET / HTTP/1.1\r\nHost: a\r\n${field}\r\n\r\n`, {
      handler: (request) => {
        ids.push(lastEventId(request))
        return sse((events) => events.close())
      },
    })
  }
  t.same(ids, ['5', 'é€', null, null])
  const standard = new Request('http://a/', { headers: { 'last-event-id': '7' } })
  t.equal(lastEventId(standard), '7', 'of a standard Request too')
})
