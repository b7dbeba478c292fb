import t from 'tap'
import { resolveApplication } from '../src/application.ts'
import { HttpError } from '../src/errors.ts'
import { headerBlock } from '../src/header-block.ts'
import type { HttpRequest } from '../src/request.ts'
import { stream, text } from '../src/response.ts'
import { Conversation, converse } from './support/conversation.ts'
import { NEXT, request } from './support/messages.ts'
import { deferred, turns } from './support/turns.ts'

const LIMIT_MS = 1000

t.test('a client that closes its side while it waits (FIN)', async (t) => {
  await t.test('aborts the signal, and still gets its answer', async (t) => {
    const answer = deferred<ReturnType<typeof text>>()
    let signal: AbortSignal | null = null
    const conversation = new Conversation({
      handler: (request) => {
        signal = request.signal
        return answer.promise
      },
    })
    conversation.send(NEXT)
    t.equal((signal as AbortSignal | null)?.aborted, false)
    conversation.finish()
    t.equal((signal as AbortSignal | null)?.aborted, true)
    answer.resolve(text('late'))
    await conversation.settle()
    t.same(conversation.statuses(), [200])
    t.match(conversation.output, /connection: close/)
    t.same([conversation.started, conversation.finished], [1, 1])
  })

  await t.test('aborts a signal that is first asked for afterwards', async (t) => {
    let seen: HttpRequest | null = null
    const conversation = new Conversation({
      handler: (request) => {
        seen = request
        return new Promise<never>(() => {})
      },
    })
    conversation.send(NEXT).finish()
    t.equal((seen as HttpRequest | null)?.signal.aborted, true)
    conversation.leave()
  })

  await t.test('does not abort a signal of an earlier request', async (t) => {
    let first: AbortSignal | null = null
    const conversation = new Conversation({
      handler: (request) => {
        if (first !== null) return new Promise<never>(() => {})
        first = request.signal
        return text('ok')
      },
    })
    conversation.send(NEXT).send(NEXT).finish()
    t.equal((first as AbortSignal | null)?.aborted, false)
    conversation.leave()
    t.equal((first as AbortSignal | null)?.aborted, false)
  })

  await t.test('does not abort a signal of a later request', async (t) => {
    const signals: AbortSignal[] = []
    const conversation = new Conversation({
      handler: (request) => {
        signals.push(request.signal)
        return text('ok')
      },
    })
    conversation.send(NEXT).send(NEXT).finish()
    t.same(
      signals.map(({ aborted }) => aborted),
      [false, false],
    )
  })

  for (const [title, handler] of [
    ['a handler that never answers', () => new Promise<never>(() => {})],
    ['a stream that says nothing more', () => stream(firstThenNothing())],
  ] as const) {
    await t.test(`${title} keeps the connection for halfOpenTimeoutMs, not longer`, async (t) => {
      const conversation = new Conversation({ handler, limits: { halfOpenTimeoutMs: LIMIT_MS } })
      await conversation.send(NEXT).settle()
      conversation.advance(10 * LIMIT_MS)
      t.equal(conversation.isOpen, true, 'open while the client has not closed its side')
      conversation.finish()
      conversation.advance(LIMIT_MS - 1)
      t.equal(conversation.isOpen, true, 'limit - 1')
      conversation.advance(1)
      t.equal(conversation.isOpen, false, 'limit')
      t.same([conversation.started, conversation.finished], [1, 1])
    })
  }

  for (const [framing, input] of [
    ['chunks', NEXT],
    ['nothing', request('GET / HTTP/1.0')],
  ] as const) {
    for (const size of [5, 50_000]) {
      await t.test(
        `what is sent to it gives it more time: ${size} bytes framed by ${framing}`,
        async (t) => {
          const gates = [deferred<void>(), deferred<void>()]
          async function* chunks(): AsyncGenerator<Uint8Array> {
            for (const gate of gates) {
              await gate.promise
              yield Buffer.alloc(size)
            }
            await new Promise<never>(() => {})
          }
          const conversation = new Conversation({
            handler: () => stream(chunks()),
            limits: { halfOpenTimeoutMs: LIMIT_MS },
          })
          await conversation.send(input).finish().settle()
          for (const gate of gates) {
            conversation.advance(LIMIT_MS - 1)
            gate.resolve()
            await conversation.settle()
            t.equal(conversation.isOpen, true)
          }
          conversation.advance(LIMIT_MS)
          t.equal(conversation.isOpen, false)
        },
      )
    }
  }

  await t.test('requests pipelined behind a handler that never answers go with it', async (t) => {
    const conversation = new Conversation({
      handler: () => new Promise<never>(() => {}),
      limits: { halfOpenTimeoutMs: LIMIT_MS },
    })
    conversation.send(NEXT).send(NEXT).finish().advance(LIMIT_MS)
    t.equal(conversation.isOpen, false)
    t.same([conversation.started, conversation.finished], [1, 1])
  })
})

async function* firstThenNothing(): AsyncGenerator<string> {
  yield 'first'
  await new Promise<never>(() => {})
}

t.test('hasWork says whether closing now would cost anything', async (t) => {
  const answer = deferred<ReturnType<typeof text>>()
  const conversation = new Conversation({ handler: () => answer.promise })
  const { connection, transport } = conversation
  t.equal(connection.hasWork, false, 'nothing has come')
  conversation.send(NEXT.slice(0, 10))
  t.equal(connection.hasWork, true, 'a part of a head')
  conversation.send(NEXT.slice(10))
  t.equal(connection.hasWork, true, 'a handler at work')
  transport.isClientReading = false
  answer.resolve(text('ok'))
  await conversation.settle()
  t.equal(connection.hasWork, true, 'an answer that waits to be sent')
  conversation.take()
  t.equal(connection.hasWork, false, 'idle')
  conversation.send('GET / HTTP/1.1\r\n\r\n')
  conversation.take()
  t.equal(conversation.transport.isEnded, true)
  t.equal(connection.hasWork, false, 'only the close of the client is awaited')
})

t.test('one stream that never waits does not keep others from their turn', async (t) => {
  const PRODUCED_AT_MOST = 200
  let produced = 0
  async function* endless(): AsyncGenerator<string> {
    for (;;) {
      produced++
      yield 'chunk'
    }
  }
  const conversation = new Conversation({ handler: () => stream(endless()) })
  conversation.send(NEXT)
  // setImmediate callbacks run only when the promises of the turn have come to an end.
  await turns(3)
  t.ok(produced > 0)
  t.ok(produced < PRODUCED_AT_MOST, `${produced} chunks in a few turns`)
  conversation.leave()
})

t.test('values that no string can show, thrown', async (t) => {
  const nothing: unknown = Object.create(null)
  const trap: unknown = new Proxy(new Error('hidden'), {
    getPrototypeOf() {
      throw new Error('a trap')
    },
  })
  for (const [title, thrown] of [
    ['an object without a prototype', nothing],
    ['a Proxy with a trap', trap],
  ] as const) {
    await t.test(`${title}, by a handler: 500`, async (t) => {
      const conversation = await converse(NEXT, {
        handler: () => {
          throw thrown
        },
      })
      t.same(conversation.statuses(), [500])
      t.equal(conversation.errors.length, 1)
    })
    await t.test(`${title}, by a stream: the answer is cut`, async (t) => {
      async function* failing(): AsyncGenerator<string> {
        yield 'abc'
        throw thrown
      }
      const conversation = await converse(NEXT, { handler: () => stream(failing()) })
      await conversation.settle()
      t.equal(conversation.isOpen, false)
      t.ok(conversation.errors[0] instanceof Error)
      t.same([conversation.started, conversation.finished], [1, 1])
    })
  }
})

t.test('TRACE, which no standard Request can be: 501 from a fetch application', async (t) => {
  const { handler } = resolveApplication({
    fetch: () => {
      throw new HttpError(400, 'called')
    },
  })
  const conversation = await converse(request('TRACE / HTTP/1.1', 'Host: a'), { handler })
  t.same(conversation.statuses('TRACE'), [501])
  t.same(conversation.errors, [])
})

t.test('headers of a frozen record are checked once, of any other each time', async (t) => {
  const list = ['1']
  const map = new Map([['x-a', '1']])
  const frozen = Object.freeze({ 'x-a': '1' })
  t.equal(headerBlock(frozen), headerBlock(frozen))
  const getter = Object.freeze({
    get 'x-a'() {
      return '1'
    },
  })
  for (const input of [
    Object.freeze({ 'x-a': list }),
    Object.freeze(map),
    getter,
    { 'x-a': '1' },
  ]) {
    t.not(headerBlock(input), headerBlock(input))
  }
})
