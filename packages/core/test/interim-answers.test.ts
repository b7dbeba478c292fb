import t from 'tap'
import { fetchHandler } from '../src/fetch-handler.ts'
import type { Handler } from '../src/handler.ts'
import type { HttpRequest } from '../src/request.ts'
import { stream, text } from '../src/response.ts'
import { sourceRequest } from '../src/web-request.ts'
import { Conversation, converse } from './support/conversation.ts'
import { NEXT, POST, request } from './support/messages.ts'
import { deferred } from './support/turns.ts'

const LINK = '</style.css>; rel=preload; as=style'

t.test('RFC 8297 §2: 103 (Early Hints) comes before the final answer', async (t) => {
  const gate = deferred<void>()
  const handler: Handler = async (request) => {
    t.equal(request.earlyHints({ link: LINK }), true)
    await gate.promise
    return text('final')
  }
  const conversation = await converse(NEXT, { handler })
  t.match(conversation.responses(), [{ status: 103, reason: 'Early Hints' }], 'while it is made')
  t.same(conversation.responses()[0]?.headers.get('link'), [LINK])
  gate.resolve()
  await conversation.settle()
  t.match(conversation.responses(), [{ status: 103 }, { status: 200, body: 'final' }])
  t.ok(conversation.isOpen)
})

t.test('RFC 9110 §15.2: there may be any number, also within one turn', async (t) => {
  const handler: Handler = (request) => {
    request.informational(102)
    request.earlyHints({ link: ['</a>; rel=preload', '</b>; rel=preload'] })
    request.informational(199, [['x-progress', '2']])
    return text('final')
  }
  const conversation = await converse(NEXT + NEXT, { handler })
  t.same(conversation.statuses(), [102, 103, 199, 200, 102, 103, 199, 200])
  t.equal(conversation.responses()[1]?.headers.get('link')?.length, 2)
  t.match(conversation.output, 'HTTP/1.1 102 Processing\r\n\r\n')
  t.match(conversation.output, 'HTTP/1.1 199 \r\n', 'the space stays where there is no reason')
})

t.test('RFC 9110 §15.2: none is sent to HTTP/1.0', async (t) => {
  const sent: boolean[] = []
  const handler: Handler = (request) => {
    sent.push(request.earlyHints({ link: LINK }))
    return text('final')
  }
  const conversation = await converse(request('GET / HTTP/1.0'), { handler })
  t.same(conversation.statuses(), [200])
  t.same(sent, [false])
})

t.test('RFC 9110 §8.6: an interim answer has no framing', async (t) => {
  const headers = {
    'content-length': '5',
    'transfer-encoding': 'chunked',
    connection: 'close',
    'x-a': 'b',
  }
  const handler: Handler = (request) => {
    request.informational(103, headers)
    return text('final')
  }
  const conversation = await converse(NEXT + NEXT, { handler })
  t.same([...(conversation.responses()[0]?.headers ?? [])], [['x-a', ['b']]])
  t.same(conversation.statuses(), [103, 200, 103, 200], 'and does not end the connection')
})

t.test('other statuses and bad fields are refused', async (t) => {
  const handler: Handler = (request) => {
    for (const status of [100, 101, 99, 200, 102.5, Number.NaN, '103' as never]) {
      t.throws(() => request.informational(status), { code: 'RR_RESPONSE_INVALID' }, `${status}`)
    }
    t.throws(() => request.earlyHints({ link: 'a\r\nx: y' }), { code: 'RR_HEADER_INVALID' })
    return text('final')
  }
  const conversation = await converse(NEXT, { handler })
  t.same(conversation.statuses(), [200])
})

t.test('after the answer has begun nothing is sent', async (t) => {
  const requests: HttpRequest[] = []
  const gate = deferred<void>()
  async function* body(): AsyncGenerator<string> {
    yield 'a'
    await gate.promise
  }
  const handler: Handler = (request) => {
    requests.push(request)
    return request.path === '/next' ? stream(body()) : text('ok')
  }
  const conversation = await converse(NEXT, { handler })
  t.equal(requests[0]?.earlyHints({ link: LINK }), false, 'within a stream')
  gate.resolve()
  await conversation.settle()
  t.equal(requests[0]?.earlyHints({ link: LINK }), false, 'after the end')
  await conversation.send(request('GET / HTTP/1.1', 'Host: a')).settle()
  t.same(conversation.statuses(), [200, 200])
  conversation.leave()
  t.equal(requests[1]?.earlyHints({ link: LINK }), false, 'to a client that has gone')
})

t.test('a request that is over cannot speak into the answer of the next', async (t) => {
  const gate = deferred<void>()
  let first: HttpRequest | null = null
  const handler: Handler = async (request) => {
    if (first === null) first = request
    else await gate.promise
    return text('ok')
  }
  const conversation = await converse(NEXT + NEXT, { handler })
  t.equal((first as HttpRequest | null)?.earlyHints({ link: LINK }), false)
  gate.resolve()
  await conversation.settle()
  t.same(conversation.statuses(), [200, 200])
})

t.test('a client that reads nothing does not make interim answers pile up', async (t) => {
  const gate = deferred<void>()
  let sent = 0
  const handler: Handler = async (request) => {
    while (request.earlyHints({ link: LINK.repeat(100) })) sent++
    await gate.promise
    return text('final')
  }
  const conversation = new Conversation({ handler })
  conversation.transport.isClientReading = false
  await conversation.send(NEXT).settle()
  t.ok(sent > 1 && sent < 100, `${sent} were sent`)
  t.ok(conversation.transport.maxBufferedBytes < 200_000)
  gate.resolve()
  await conversation.take().settle()
  t.equal(conversation.statuses().at(-1), 200)
})

t.test('RFC 9110 §10.1.1: 100 (Continue) still comes when the body is asked for', async (t) => {
  const handler: Handler = async (request) => {
    request.earlyHints({ link: LINK })
    return text(await request.text())
  }
  const head = `${POST}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n`
  const conversation = await converse(head, { handler })
  t.same(conversation.statuses(), [103, 100])
  await conversation.send('ab').settle()
  t.match(conversation.responses().at(-1), { status: 200, body: 'ab' })
})

t.test('web-standard applications send them through sourceRequest', async (t) => {
  const handler = fetchHandler({
    fetch: (request) => {
      sourceRequest(request)?.earlyHints({ link: LINK })
      return new Response('final')
    },
  })
  const conversation = await converse(NEXT, { handler })
  t.match(conversation.responses(), [{ status: 103 }, { status: 200, body: 'final' }])
})
