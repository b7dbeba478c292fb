// What the diagnostics channels are told of requests, and that they cost nothing and change nothing.

import { AsyncLocalStorage } from 'node:async_hooks'
import { channel, subscribe, tracingChannel, unsubscribe } from 'node:diagnostics_channel'
import { Readable } from 'node:stream'
import t from 'tap'
import {
  REQUEST_CHANNELS,
  REQUEST_TRACING,
  type RefusalMessage,
  type RequestMessage,
} from '../src/diagnostics.ts'
import { HttpError } from '../src/errors.ts'
import type { Handler } from '../src/handler.ts'
import { type HttpResponse, stream, text } from '../src/response.ts'
import { ChannelRecord } from './support/channel-record.ts'
import { Conversation, converse } from './support/conversation.ts'
import { deferred, turns } from './support/turns.ts'

const GET = 'GET /a HTTP/1.1\r\nHost: a\r\n\r\n'
const REQUEST = REQUEST_CHANNELS.filter((name) => name.startsWith('rr:request:'))
const TRACING = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'].map(
  (name) => `tracing:${REQUEST_TRACING}:${name}`,
)

/** As a router does. */
const routed: Handler = (request) => {
  request.route = '/:name'
  return text('ok', { headers: { 'x-a': '1' } })
}

t.test('start, response and end are told of one object, in this order', async (t) => {
  const record = new ChannelRecord(t, REQUEST)
  await converse(GET, { handler: routed })
  t.same(record.names, ['rr:request:start', 'rr:request:response', 'rr:request:end'])
  const [start, response, end] = record.heard
  t.match(start, { route: null, status: 0, bodyBytes: null, error: null })
  t.match(response, { route: '/:name', status: 200, bodyBytes: null, error: null })
  t.match(end, { route: '/:name', status: 200, bodyBytes: 2, error: null })
  t.equal(start?.message, end?.message)
  t.equal(response?.message, end?.message)
  const { request, workerId, protocol, headers, durationMs, startMs } = end!.message
  t.equal(request.path, '/a')
  t.equal(workerId, 7)
  t.equal(protocol, 'http/1.1')
  t.equal(headers?.get('x-a'), '1')
  t.ok(durationMs !== null && durationMs >= 0 && startMs + durationMs <= performance.now())
})

t.test('HTTP/1.0 is told apart', async (t) => {
  const record = new ChannelRecord(t, ['rr:request:start'])
  await converse('GET / HTTP/1.0\r\n\r\n')
  t.equal(record.heard[0]?.message.protocol, 'http/1.0')
})

for (const [title, handler] of [
  ['a promise', async () => text('later')],
  ['a stream', () => stream(Readable.from(['la', 'ter']))],
  ['a web Response', () => new Response('later')],
  ['a web Response that streams', () => new Response(new Blob(['later']).stream())],
] as const) {
  t.test(`each is told once where the handler answers with ${title}`, async (t) => {
    const record = new ChannelRecord(t, REQUEST)
    await converse(GET, { handler })
    t.same(record.names, ['rr:request:start', 'rr:request:response', 'rr:request:end'])
    t.match(record.heard.at(-1), { status: 200, bodyBytes: 5, error: null })
  })
}

t.test('a subscriber that comes later is heard on a connection that is open', async (t) => {
  const conversation = await converse(GET)
  const record = new ChannelRecord(t, ['rr:request:end'])
  await conversation.send(GET).settle()
  t.same(record.names, ['rr:request:end'])
  record.stop()
  await conversation.send(GET).settle()
  t.equal(record.heard.length, 1)
  t.same(conversation.statuses(), [200, 200, 200])
})

t.test('one that comes in the middle of a request hears nothing of it', async (t) => {
  const answer = deferred<HttpResponse>()
  const conversation = await converse(GET, { handler: () => answer.promise })
  const record = new ChannelRecord(t, REQUEST)
  answer.resolve(text('ok'))
  await conversation.settle()
  t.same(record.names, [])
})

t.test(
  'a handler that fails: the error, then the end, with the answer told of as well',
  async (t) => {
    const record = new ChannelRecord(t, REQUEST)
    const failure = new TypeError('no luck')
    const conversation = await converse(GET, {
      handler: async () => {
        throw failure
      },
    })
    t.same(record.names, [
      'rr:request:start',
      'rr:request:error',
      'rr:request:response',
      'rr:request:end',
    ])
    for (const heard of record.heard.slice(1)) t.equal(heard.error, failure, heard.name)
    t.equal(record.heard.at(-1)?.status, 500)
    t.same(conversation.errors, [failure])
  },
)

t.test(
  'rr:request:error is what the error log is told: no 404, and a broken body too',
  async (t) => {
    const record = new ChannelRecord(t, ['rr:request:error'])
    await converse(GET, {
      handler: () => {
        throw new HttpError(404, 'none')
      },
    })
    t.equal(record.heard.length, 0)
    const failure = new Error('broken')
    await converse(GET, {
      handler: () =>
        stream(
          (async function* () {
            yield 'a'
            throw failure
          })(),
        ),
    })
    t.equal(record.heard.length, 1)
    t.equal(record.heard[0]?.error, failure)
    t.equal(record.heard[0]?.message.request.path, '/a', 'though nobody had heard of its start')
  },
)

t.test('a client that leaves: the end has status 0 and the reason', async (t) => {
  const record = new ChannelRecord(t, REQUEST)
  const answer = deferred<HttpResponse>()
  const conversation = await converse(GET, { handler: () => answer.promise })
  conversation.leave()
  t.same(record.names, ['rr:request:start', 'rr:request:end'])
  t.match(record.heard[1], { status: 0, bodyBytes: 0, error: { code: 'RR_REQUEST_ABORTED' } })
  answer.resolve(text('late'))
  await conversation.settle()
  t.equal(record.heard.length, 2, 'and nothing more, whatever the handler does')
})

t.test('a subscriber that throws harms no request', async (t) => {
  // As Node does it: its error is thrown by itself, after the publisher has gone on.
  const thrown: unknown[] = []
  const restore = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', (error) => void thrown.push(error))
  const fail = (): void => {
    throw new Error('a bad subscriber')
  }
  for (const name of REQUEST) subscribe(name, fail)
  const conversation = await converse(GET + GET)
  for (const name of REQUEST) unsubscribe(name, fail)
  await turns(2)
  process.removeAllListeners('uncaughtException')
  for (const listener of restore) process.on('uncaughtException', listener)
  t.same(conversation.statuses(), [200, 200])
  t.equal(thrown.length, 6)
})

t.test('the access log and the channels tell the same, side by side', async (t) => {
  const record = new ChannelRecord(t, ['rr:request:end'])
  const statuses: number[] = []
  await converse(GET, { onAccess: ({ status }) => void statuses.push(status) })
  t.same(statuses, [200])
  t.equal(record.heard[0]?.status, 200)
})

t.test('tracing a handler that answers at once: start and end', async (t) => {
  const record = new ChannelRecord(t, [...TRACING, 'rr:request:start', 'rr:request:end'])
  await converse(GET, { handler: routed })
  t.same(record.names, [
    'rr:request:start',
    'tracing:rr:request:start',
    'tracing:rr:request:end',
    'rr:request:end',
  ])
  t.equal((record.heard[2]!.message.result as HttpResponse).status, 200)
  t.equal(record.heard[0]?.message, record.heard[1]?.message)
})

t.test('tracing one that answers later: asyncStart and asyncEnd follow', async (t) => {
  const record = new ChannelRecord(t, TRACING)
  const answer = deferred<HttpResponse>()
  const conversation = await converse(GET, { handler: () => answer.promise })
  t.same(record.names, TRACING.slice(0, 2))
  answer.resolve(text('ok'))
  await conversation.settle()
  t.same(record.names, TRACING.slice(0, 4))
  t.same(conversation.statuses(), [200])
})

t.test('tracing one that throws or rejects: the error, and the client is answered', async (t) => {
  const failure = new HttpError(409, 'taken')
  const at = (event: string): string => `tracing:${REQUEST_TRACING}:${event}`
  const now = new ChannelRecord(t, TRACING)
  const throwing = (): never => {
    throw failure
  }
  t.same((await converse(GET, { handler: throwing })).statuses(), [409])
  t.same(now.names, [at('start'), at('error'), at('end')])
  now.stop()
  const later = new ChannelRecord(t, TRACING)
  t.same((await converse(GET, { handler: async () => throwing() })).statuses(), [409])
  t.same(later.names, ['start', 'end', 'error', 'asyncStart', 'asyncEnd'].map(at))
  t.equal(later.heard.at(-1)?.error, failure)
})

t.test(
  'a store bound to start is the handler’s: across awaits, timers and its stream',
  async (t) => {
    const storage = new AsyncLocalStorage<string>()
    const { start } = tracingChannel<RequestMessage, string>(REQUEST_TRACING)
    start.bindStore(storage, ({ request }) => request.path)
    t.teardown(() => start.unbindStore(storage))
    const seen: (string | undefined)[] = []
    const done = deferred<void>()
    const see = (): void => void seen.push(storage.getStore())
    const conversation = await converse(GET, {
      handler: async () => {
        see()
        await null
        see()
        await new Promise<void>((resolve) => setTimeout(resolve, 0))
        see()
        return stream(
          (async function* () {
            see()
            yield 'a'
            await turns(1)
            see()
            yield 'b'
            done.resolve()
          })(),
        )
      },
    })
    await done.promise
    await conversation.settle()
    t.same(seen, ['/a', '/a', '/a', '/a', '/a'])
    t.equal(storage.getStore(), undefined)
  },
)

t.test('a pipelined request does not begin in the context of the one before', async (t) => {
  const storage = new AsyncLocalStorage<string>()
  const parents: (string | undefined)[] = []
  const { start } = tracingChannel<RequestMessage, string>(REQUEST_TRACING)
  start.bindStore(storage, ({ request }) => {
    // Where an APM looks for the parent of its span.
    parents.push(storage.getStore())
    return request.path
  })
  t.teardown(() => start.unbindStore(storage))
  const seen: (string | undefined)[] = []
  const second = GET.replace('/a', '/b')
  await converse(GET + second, {
    handler: async () => {
      await turns(1)
      seen.push(storage.getStore())
      return text('ok')
    },
  })
  t.same(parents, [undefined, undefined])
  t.same(seen, ['/a', '/b'])
})

t.test('rr:refusal: what is no request, and one refused while it was handled', async (t) => {
  const refusals: RefusalMessage[] = []
  const listener = (message: unknown): void => void refusals.push(message as RefusalMessage)
  subscribe('rr:refusal', listener)
  t.teardown(() => unsubscribe('rr:refusal', listener))
  await converse('GET  / HTTP/1.1\r\n\r\n')
  t.match(refusals, [{ workerId: 7, cause: 'protocol', status: 400, code: 'RR_REQUEST_MALFORMED' }])
  t.same(Object.keys(refusals[0]?.peer ?? {}).sort(), ['address', 'family', 'port'])
  const record = new ChannelRecord(t, REQUEST)
  const late = new Conversation({
    limits: { maxBodyBytes: 1 },
    handler: (request) => request.text() as never,
  })
  await late.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n').settle()
  await late.send('5\r\nabcde\r\n').settle()
  t.match(refusals[1], { status: 413, code: 'RR_BODY_TOO_LARGE' })
  t.equal(refusals.length, 2)
  t.match(record.heard.at(-1), { name: 'rr:request:end', status: 413 })
})

t.test('a request that is refused before it is one has no start and no end', async (t) => {
  const record = new ChannelRecord(t, REQUEST)
  await converse('GET / HTTP/1.1\r\n\r\n')
  t.same(record.names, [])
})

t.test('the names exported are the channels that are there', async (t) => {
  for (const name of REQUEST_CHANNELS) t.notOk(channel(name).hasSubscribers, name)
})
