import t from 'tap'
import { resolveApplication } from '../src/application.ts'
import { DrainError, type DrainNotice } from '../src/drain-notice.ts'
import type { HttpRequest } from '../src/request.ts'
import { type HttpResponse, stream, text } from '../src/response.ts'
import { sourceRequest } from '../src/web-request.ts'
import { Conversation } from './support/conversation.ts'
import { EXPECTED, STOPPING } from './support/drain-notices.ts'
import { NEXT } from './support/messages.ts'
import { deferred } from './support/turns.ts'

const NEVER = Number.POSITIVE_INFINITY

/** A conversation whose first request is with its handler, which answers when it is told to. */
function held(): { conversation: Conversation; request: HttpRequest; answer: () => void } {
  let seen: HttpRequest | null = null
  const gate = deferred<HttpResponse>()
  const conversation = new Conversation({
    handler: (request) => {
      if (seen !== null) return text('next')
      seen = request
      return gate.promise
    },
  })
  conversation.send(NEXT)
  return { conversation, request: seen!, answer: () => gate.resolve(text('done')) }
}

t.test('a notice without stopping is told, and stops nothing', async (t) => {
  const { conversation, request, answer } = held()
  const heard: DrainNotice[] = []
  request.onDrain((notice) => heard.push(notice))
  const { drainSignal } = request
  t.equal(drainSignal.aborted, false)
  const { deadlineMs } = conversation.transport
  conversation.connection.onDrainNotice(EXPECTED, NEVER)
  t.same(heard, [EXPECTED])
  t.ok(drainSignal.aborted)
  t.ok(drainSignal.reason instanceof DrainError)
  t.match(drainSignal.reason, { code: 'RR_DRAINING', status: 503, notice: EXPECTED })
  t.equal(conversation.transport.deadlineMs, deadlineMs)
  answer()
  await conversation.settle()
  conversation.send(NEXT)
  await conversation.settle()
  t.match(conversation.responses(), [{ body: 'done' }, { body: 'next' }])
  t.notMatch(conversation.output, /connection: close/i)
  t.ok(conversation.isOpen)
})

t.test('the notice of a drain is told, and closes the connection behind the answer', async (t) => {
  const { conversation, request, answer } = held()
  const { drainSignal } = request
  conversation.connection.onDrainNotice(STOPPING, conversation.clock.nowMs + 500)
  t.match(drainSignal.reason, { code: 'RR_DRAINING', notice: STOPPING })
  t.equal(request.signal.aborted, false, 'the client is still there')
  answer()
  await conversation.settle()
  t.match(conversation.output, /\r\nconnection: close\r\n/i)
  t.notOk(conversation.isOpen)
})

/** A streamed answer whose head left before a drain, and whose end comes long after its idle grace. */
async function begunBeforeDrain(): Promise<Conversation> {
  const last = deferred<string>()
  let requests = 0
  const conversation = new Conversation({
    handler: () => (requests++ === 0 ? stream(rest(last.promise)) : text('next')),
  })
  conversation.send(NEXT)
  await conversation.settle()
  conversation.connection.onDrainNotice(STOPPING, conversation.clock.nowMs + 500)
  conversation.advance(2000)
  last.resolve('end')
  await conversation.settle()
  return conversation
}

async function* rest(last: Promise<string>): AsyncGenerator<string> {
  yield 'begin, '
  yield await last
}

t.test('a client that was not told to close is not closed while it sends its next', async (t) => {
  const conversation = await begunBeforeDrain()
  conversation.advance(499)
  t.ok(conversation.isOpen)
  conversation.send(NEXT)
  await conversation.settle()
  t.match(conversation.responses(), [{ body: 'begin, end' }, { body: 'next' }])
  t.match(conversation.output, /\r\nconnection: close\r\n(.+\r\n)*\r\nnext$/i)
  t.notOk(conversation.isOpen)
})

t.test('a client that was not told to close and sends nothing more is closed', async (t) => {
  const conversation = await begunBeforeDrain()
  conversation.advance(500)
  await conversation.settle()
  t.match(conversation.responses(), [{ body: 'begin, end' }])
  t.notOk(conversation.isOpen)
})

t.test('a drain after a notice, and a sooner deadline, are told again', (t) => {
  const { conversation, request } = held()
  const heard: DrainNotice[] = []
  const { drainSignal } = request
  request.onDrain((notice) => heard.push(notice))
  const sooner = { ...STOPPING, deadlineMs: STOPPING.deadlineMs - 1000 }
  for (const notice of [EXPECTED, STOPPING, sooner]) {
    conversation.connection.onDrainNotice(notice, conversation.clock.nowMs + 500)
  }
  t.same(heard, [EXPECTED, STOPPING, sooner])
  t.match(drainSignal.reason, { notice: EXPECTED })
  t.match(request.drainSignal, drainSignal)
  conversation.leave()
  t.end()
})

for (const notice of [EXPECTED, STOPPING]) {
  t.test(`a request that begins after a notice knows at once (${notice.isStopping})`, (t) => {
    const heard: DrainNotice[] = []
    let reason: unknown
    const conversation = new Conversation({
      handler: (request) => {
        request.onDrain((told) => heard.push(told))
        t.same(heard, [notice], 'before onDrain returns')
        reason = request.drainSignal.reason
        return text('ok')
      },
    })
    conversation.connection.onDrainNotice(notice, conversation.clock.nowMs + 500)
    conversation.send(NEXT)
    t.match(reason, { notice })
    t.match(conversation.statuses(), [200])
    conversation.leave()
    t.end()
  })
}

t.test('a notice whose deadline has passed without a drain is forgotten', (t) => {
  const conversation = new Conversation({
    handler: (request) => {
      request.onDrain(() => t.fail('told of a drain that did not come'))
      return text(String(request.drainSignal.aborted))
    },
  })
  const past = { isStopping: false, deadlineMs: Date.now() - 1 }
  conversation.connection.onDrainNotice(past, NEVER)
  conversation.send(NEXT)
  t.match(conversation.responses(), [{ body: 'false' }])
  conversation.leave()
  t.end()
})

t.test('a request that is over hears of no drain on its connection', async (t) => {
  const { conversation, request, answer } = held()
  request.onDrain(() => t.fail('told after its end'))
  const { drainSignal } = request
  answer()
  await conversation.settle()
  request.onDrain(() => t.fail('told after its end'))
  conversation.connection.onDrainNotice(STOPPING, conversation.clock.nowMs + 500)
  t.equal(drainSignal.aborted, false)
  conversation.leave()
})

t.test('a late look at a request does not take the notice of the one that follows', async (t) => {
  const requests: HttpRequest[] = []
  const heard: number[] = []
  const conversation = new Conversation({
    handler: (request) => {
      requests.push(request)
      const place = requests.length
      if (place === 1) return text('first')
      request.onDrain(() => heard.push(place))
      return deferred<HttpResponse>().promise
    },
  })
  conversation.send(NEXT)
  await conversation.settle()
  conversation.send(NEXT)
  requests[0]!.onDrain(() => heard.push(0))
  void requests[0]!.drainSignal
  conversation.connection.onDrainNotice(STOPPING, conversation.clock.nowMs + 500)
  t.same(heard, [2])
  conversation.leave()
})

t.test('listeners are taken back one by one', (t) => {
  const { conversation, request } = held()
  let count = 0
  const listener = (): void => void count++
  const stopFirst = request.onDrain(listener)
  const stopSecond = request.onDrain(listener)
  conversation.connection.onDrainNotice(EXPECTED, NEVER)
  t.equal(count, 2)
  stopFirst()
  stopFirst()
  conversation.connection.onDrainNotice(STOPPING, conversation.clock.nowMs)
  t.equal(count, 3)
  stopSecond()
  conversation.connection.onDrainNotice(STOPPING, conversation.clock.nowMs)
  t.equal(count, 3)
  conversation.leave()
  t.end()
})

t.test('a listener that throws or rejects is reported, and harms nobody', async (t) => {
  const { conversation, request, answer } = held()
  let others = 0
  request.onDrain(() => {
    throw new Error('thrown by a listener')
  })
  request.onDrain(async () => {
    throw new Error('rejected by a listener')
  })
  request.onDrain(() => others++)
  conversation.connection.onDrainNotice(EXPECTED, NEVER)
  await conversation.settle()
  t.equal(others, 1)
  t.match(conversation.errors, [
    { message: 'thrown by a listener' },
    { message: 'rejected by a listener' },
  ])
  answer()
  await conversation.settle()
  t.match(conversation.statuses(), [200])
})

t.test('a stream that watches the signal comes to a good end', async (t) => {
  async function* rows(signal: AbortSignal): AsyncGenerator<string> {
    yield 'row\n'
    if (!signal.aborted) await new Promise((go) => signal.addEventListener('abort', go))
    yield 'to be continued\n'
  }
  const conversation = new Conversation({
    handler: (request) => stream(rows(request.drainSignal)),
  })
  conversation.send(NEXT)
  await conversation.settle()
  t.match(conversation.responses(), [{ body: 'row\n' }])
  conversation.connection.onDrainNotice(STOPPING, conversation.clock.nowMs + 500)
  await conversation.settle()
  t.match(conversation.responses(), [{ body: 'row\nto be continued\n', complete: true }])
  conversation.advance(500)
  await conversation.settle()
  t.notOk(conversation.isOpen)
})

t.test('a handler that gives up with the reason is answered 503', async (t) => {
  const conversation = new Conversation({
    handler: (request) =>
      new Promise((_, reject) => {
        const { drainSignal } = request
        drainSignal.addEventListener('abort', () => reject(drainSignal.reason))
      }),
  })
  conversation.send(NEXT)
  conversation.connection.onDrainNotice(STOPPING, conversation.clock.nowMs + 500)
  await conversation.settle()
  const [response] = conversation.responses()
  t.equal(response?.status, 503)
  t.same(response?.headers.get('retry-after'), ['1'])
})

t.test('web-standard applications hear of it through sourceRequest', async (t) => {
  const { handler } = resolveApplication({
    fetch: (request: Request) => {
      const signal = sourceRequest(request.clone())?.drainSignal
      const body = new ReadableStream({
        start(controller) {
          controller.enqueue(new TextEncoder().encode('begun,'))
          signal?.addEventListener('abort', () => {
            controller.enqueue(new TextEncoder().encode('ended'))
            controller.close()
          })
        },
      })
      return new Response(body)
    },
  })
  const conversation = new Conversation({ handler })
  conversation.send(NEXT)
  await conversation.settle()
  conversation.connection.onDrainNotice(EXPECTED, NEVER)
  await conversation.settle()
  t.match(conversation.responses(), [{ body: 'begun,ended', complete: true }])
  t.ok(conversation.isOpen)
})
