import { Readable } from 'node:stream'
import t from 'tap'
import type { Handler } from '../src/handler.ts'
import { type ResponseValue, type StreamBody, stream, text } from '../src/response.ts'
import { Conversation, converse } from './support/conversation.ts'
import { CHUNKED, NEXT, POST, request } from './support/messages.ts'
import { deferred, turns } from './support/turns.ts'

/** A producer that can be watched. */
class Watched {
  produced = 0
  /** How often its finally block ran. */
  ended = 0
  readonly #parts: readonly (Uint8Array | string)[]
  readonly #error: unknown

  constructor(parts: readonly (Uint8Array | string)[], error: unknown = null) {
    this.#parts = parts
    this.#error = error
  }

  async *iterate(): AsyncGenerator<Uint8Array | string> {
    try {
      for (const part of this.#parts) {
        await turns()
        this.produced++
        yield part
      }
      if (this.#error !== null) throw this.#error
    } finally {
      this.ended++
    }
  }

  readable(): ReadableStream<Uint8Array | string> {
    return ReadableStream.from(this.iterate())
  }
}

/** Every form of a body that is produced while it is sent. */
const FORMS: readonly (readonly [string, (watched: Watched) => ResponseValue | Response])[] = [
  ['a generator', (watched) => stream(watched.iterate())],
  ['a ReadableStream', (watched) => stream(watched.readable())],
  ['a literal', (watched) => ({ status: 200, body: watched.iterate() })],
  ['a Node stream', (watched) => stream(Readable.from(watched.iterate()))],
  ['a Response', (watched) => new Response(watched.readable() as ReadableStream<Uint8Array>)],
]

const HTTP10 = request('GET / HTTP/1.0', 'Connection: keep-alive')
const ENOUGH = 12

async function settleWell(conversation: Conversation): Promise<Conversation> {
  for (let round = 0; round < ENOUGH; round++) await conversation.settle()
  return conversation
}

for (const [form, respond] of FORMS) {
  t.test(`a stream from ${form}`, async (t) => {
    await t.test('is sent as it is produced, and the connection goes on', async (t) => {
      const watched = new Watched([Buffer.from('a'), Buffer.from('b'), Buffer.from('c')])
      const handler: Handler = ({ path }) => (path === '/' ? respond(watched) : text('next'))
      const conversation = await converse(request('GET / HTTP/1.1', 'Host: a') + NEXT, { handler })
      await settleWell(conversation)
      t.match(conversation.responses(), [
        { status: 200, body: 'abc', complete: true },
        { status: 200, body: 'next' },
      ])
      t.equal(watched.ended, 1)
    })

    await t.test('waits for a client that does not read', async (t) => {
      const parts = Array.from({ length: 100 }, () => Buffer.alloc(20_000))
      const watched = new Watched(parts)
      const conversation = new Conversation({ handler: () => respond(watched) })
      conversation.transport.isClientReading = false
      await settleWell(conversation.send(NEXT))
      const first = watched.produced
      t.ok(first < 25, `${first} chunks were produced`)
      while (watched.ended === 0) await conversation.take().settle()
      await conversation.take().settle()
      t.equal(conversation.responses()[0]?.body.length, 2_000_000)
      t.ok(conversation.transport.maxBufferedBytes < 200_000)
    })

    await t.test('that fails in the middle cuts the connection, with the error', async (t) => {
      const error = new Error('the disk is gone')
      const watched = new Watched([Buffer.from('a'), Buffer.from('b'), Buffer.from('c')], error)
      const conversation = await converse(NEXT + NEXT, { handler: () => respond(watched) })
      await settleWell(conversation)
      t.match(conversation.responses(), [{ status: 200, body: 'abc', complete: false }])
      t.ok(conversation.transport.isDestroyed)
      t.equal(conversation.transport.error, error)
      t.same(conversation.errors, [error])
      t.same([conversation.started, conversation.finished], [1, 1])
      t.equal(watched.ended, 1)
    })

    await t.test('is stopped when the client goes', async (t) => {
      const watched = new Watched(Array.from({ length: 1000 }, () => Buffer.from('a')))
      const conversation = new Conversation({ handler: () => respond(watched) })
      await conversation.send(NEXT).settle()
      conversation.leave()
      const { produced } = watched
      await turns(10)
      t.equal(watched.ended, 1)
      t.ok(watched.produced <= produced + 2)
      t.same(conversation.errors, [])
      t.same([conversation.started, conversation.finished], [1, 1])
    })

    await t.test('is stopped when the client goes while it is waited for', async (t) => {
      const watched = new Watched(Array.from({ length: 100 }, () => Buffer.alloc(20_000)))
      const conversation = new Conversation({ handler: () => respond(watched) })
      conversation.transport.isClientReading = false
      await settleWell(conversation.send(NEXT))
      conversation.leave(new Error('ECONNRESET'))
      await turns(10)
      t.equal(watched.ended, 1)
      t.same(conversation.errors, [])
    })

    await t.test('is not produced for HEAD', async (t) => {
      const watched = new Watched(Array.from({ length: 100 }, () => Buffer.from('a')))
      const conversation = await converse(`HEAD${NEXT.slice(3)}${NEXT}`, {
        handler: ({ method }) => (method === 'HEAD' ? respond(watched) : text('next')),
      })
      await settleWell(conversation)
      t.match(conversation.responses(), [{ status: 200, body: '' }, { body: 'next' }])
      t.ok(watched.produced <= 3, `${watched.produced} chunks were produced`)
      t.equal(watched.ended, watched.produced > 0 ? 1 : 0)
    })

    await t.test('ends with the connection in HTTP/1.0', async (t) => {
      const watched = new Watched([Buffer.from('a'), Buffer.from('b')])
      const conversation = await converse(HTTP10 + NEXT, { handler: () => respond(watched) })
      await settleWell(conversation)
      t.match(conversation.responses(), [{ status: 200, body: 'ab', closeDelimited: true }])
      t.ok(conversation.transport.isEnded)
    })

    await t.test('that fails in HTTP/1.0 does not end like a whole one', async (t) => {
      const watched = new Watched([Buffer.from('a'), Buffer.from('b')], new Error('gone'))
      const conversation = await converse(HTTP10, { handler: () => respond(watched) })
      await settleWell(conversation)
      t.ok(conversation.transport.isDestroyed)
      t.ok(conversation.transport.error)
    })
  })
}

t.test('a stream with a Content-Length', async (t) => {
  const respond = (length: string, parts: string[]): Handler => {
    const watched = new Watched(parts)
    return () => stream(watched.iterate(), { headers: { 'content-length': length } })
  }
  const whole = await converse(NEXT + NEXT, { handler: respond('2', ['a', 'b']) })
  await settleWell(whole)
  t.match(whole.responses()[0], { status: 200, body: 'ab', complete: true })

  const short = await converse(NEXT, { handler: respond('3', ['a', 'b']) })
  await settleWell(short)
  t.match(short.responses(), [{ body: 'ab', complete: false }], 'one too short is cut off')
  t.match(short.transport.error, { code: 'RR_RESPONSE_LENGTH' })
  t.match(short.errors, [{ code: 'RR_RESPONSE_LENGTH' }])

  const long = await converse(NEXT, { handler: respond('1', ['a', 'b']) })
  await settleWell(long)
  t.match(long.responses(), [{ body: 'a' }], 'of one too long nothing is sent past the length')
  t.ok(long.transport.isDestroyed)
  t.match(long.errors, [{ code: 'RR_RESPONSE_LENGTH' }])
})

t.test('chunks', async (t) => {
  const text8 = await converse(NEXT, { handler: () => stream(new Watched(['é', '€']).iterate()) })
  await settleWell(text8)
  t.equal(Buffer.from(text8.responses()[0]?.body ?? '', 'latin1').toString(), 'é€', 'may be text')

  const big = Buffer.alloc(100_000, 'b')
  const large = await converse(NEXT, { handler: () => stream(new Watched([big, 'c']).iterate()) })
  await settleWell(large)
  t.equal(large.responses()[0]?.body, `${big}c`, 'may be large')

  for (const part of [5, null, {}, [1], undefined]) {
    const watched = new Watched(['a', part as never])
    const bad = await converse(NEXT, { handler: () => stream(watched.iterate()) })
    await settleWell(bad)
    t.ok(bad.transport.isDestroyed, `may not be ${JSON.stringify(part)}`)
    t.equal(watched.ended, 1)
    t.equal(bad.errors.length, 1)
  }
})

t.test('a body that cannot be read is answered 500', async (t) => {
  const locked = new ReadableStream()
  locked.getReader()
  const bodies: readonly StreamBody[] = [
    locked,
    {
      [Symbol.asyncIterator]: () => {
        throw new Error('no')
      },
    },
    { [Symbol.asyncIterator]: 5 } as never,
  ]
  for (const body of bodies) {
    const conversation = await converse(NEXT + NEXT, { handler: () => stream(body) })
    t.same(conversation.statuses(), [500, 500])
    t.equal(conversation.errors.length, 2)
  }
})

t.test('an iterator that is not well made harms nobody', async (t) => {
  const returns: readonly (() => unknown)[] = [
    () => {
      throw new Error('return')
    },
    () => Promise.reject(new Error('return')),
    () => 5,
    () => undefined,
  ]
  for (const end of returns) {
    const body = {
      [Symbol.asyncIterator]: () => ({
        next: async () => ({ done: false as const, value: 'a' }),
        return: end as never,
      }),
    }
    const conversation = new Conversation({ handler: () => stream(body) })
    conversation.transport.highWaterBytes = 1
    conversation.transport.isClientReading = false
    await conversation.send(NEXT).settle()
    conversation.leave()
    await conversation.settle()
    t.same([conversation.started, conversation.finished], [1, 1])
    t.same(conversation.errors, [])
  }
  const throwing = {
    [Symbol.asyncIterator]: () => ({
      next: (): never => {
        throw new Error('next')
      },
    }),
  }
  const conversation = await converse(NEXT, { handler: () => stream(throwing) })
  t.match(conversation.errors, [{ message: 'next' }])
  t.ok(conversation.transport.isDestroyed)
})

t.test('what is never sent is let go of', async (t) => {
  const isReleased = async (
    input: string,
    bodyOf: (body: Readable) => unknown,
  ): Promise<boolean> => {
    const body = new Readable({ read() {} })
    await converse(input, { handler: () => bodyOf(body) as never })
    await turns(2)
    return body.destroyed
  }
  t.ok(await isReleased(`HEAD${NEXT.slice(3)}`, (body) => stream(body)), 'for HEAD')
  t.ok(await isReleased(NEXT, (body) => stream(body, { status: 204 })), 'for 204')
  t.ok(await isReleased(NEXT, (body) => ({ status: 99, body })), 'for a bad status')
  t.ok(
    await isReleased(NEXT, (body) => ({ status: 200, headers: { x: '\n' }, body })),
    'for bad headers',
  )

  const body = new Readable({ read() {} })
  const web = new ReadableStream<Uint8Array>({
    cancel() {
      isCancelled = true
    },
  })
  let isCancelled = false
  const answer = deferred<void>()
  for (const late of [stream(body), stream(web)]) {
    const conversation = await converse(NEXT, {
      handler: async () => {
        await answer.promise
        return late
      },
    })
    conversation.leave()
  }
  answer.resolve()
  await turns(2)
  t.ok(body.destroyed, 'a Node stream that comes too late')
  t.ok(isCancelled, 'a ReadableStream that comes too late')
})

t.test('a request body that breaks', async (t) => {
  const gate = deferred<void>()
  const watched = new Watched(Array.from({ length: 1000 }, () => 'a'))
  const streaming = await converse(`${CHUNKED}1\r\nb\r\n`, {
    handler: () => stream(watched.iterate()),
  })
  await streaming.send('XX').settle()
  t.ok(streaming.transport.isDestroyed, 'cuts an answer that has begun')
  t.equal(watched.ended, 1)
  t.match(streaming.transport.error, { code: 'RR_REQUEST_MALFORMED' })

  // The Response is there, its first chunk is not.
  let isCancelled = false
  const body = new ReadableStream<Uint8Array>({
    pull: () => gate.promise,
    cancel() {
      isCancelled = true
    },
  })
  const waiting = await converse(CHUNKED, { handler: () => new Response(body) })
  await waiting.send('XX').settle()
  t.same(waiting.statuses(), [400], 'is answered where none has')
  t.ok(isCancelled, 'and the one that was prepared is let go of')
})

t.test('an answer made of the request body flows both ways', async (t) => {
  const conversation = new Conversation({ handler: (request) => stream(request.stream) })
  await conversation.send(`${POST}Content-Length: 6\r\n\r\n`).send('abc').settle()
  t.match(conversation.responses(), [{ body: 'abc', complete: false }])
  await conversation.send(`def${NEXT}`).settle()
  t.match(conversation.responses(), [{ body: 'abcdef', complete: true }, { body: '' }])
})
