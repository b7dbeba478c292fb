import t from 'tap'
import type { BodySink, Exchange, RequestService } from '../src/exchange.ts'
import { HTTP_OPTIONS } from '../src/http-options.ts'
import { createHttpService } from '../src/http-service.ts'
import { Http1Connection } from '../src/http1/connection.ts'
import { resolveOptions } from '../src/options.ts'
import { text } from '../src/response.ts'
import { Conversation } from './support/conversation.ts'
import { FakeClock } from './support/fake-clock.ts'
import { FakeTransport } from './support/fake-transport.ts'
import { CHUNKED, GET, NEXT, POST, request } from './support/messages.ts'
import { Random } from './support/random.ts'
import { parseResponses } from './support/response-parser.ts'
import { turns } from './support/turns.ts'

const limits = resolveOptions(HTTP_OPTIONS, {}, 'test')
const metrics = {
  requestStarted() {},
  requestFinished() {},
  requestRejected() {},
  limitReached() {},
}

type Service = Omit<RequestService, 'onListenerError'>

/** A connection over a service of the test's own, below requests and responses. */
function connect(service: Service): {
  transport: FakeTransport
  connection: Http1Connection
} {
  const transport = new FakeTransport()
  const connection = new Http1Connection(transport, {
    limits,
    clock: new FakeClock(),
    metrics,
    share: null,
    service: { ...service, onListenerError() {} },
    admission: null,
    onRefusal: null,
    workerId: 1,
    forwarding: null,
  })
  return { transport, connection }
}

function feed(connection: Http1Connection, input: string): void {
  const bytes = Buffer.from(input, 'latin1')
  connection.onData(bytes, 0, bytes.length)
}

t.test('thousands of connections in the middle of a message do not mix', async (t) => {
  const random = new Random(7)
  const count = 4000
  const messages = (index: number): string[] => [
    request(
      `GET /${index}?${'q'.repeat(index % 60)} HTTP/1.1`,
      `Host: h${index}`,
      `X-Index: ${index}`,
    ),
    request(
      `POST /${index} HTTP/1.1`,
      'Host: a',
      `X-Index: ${index}`,
      `Content-Length: ${String(index).length}`,
    ) + index,
    request(
      `PUT /${index} HTTP/1.1`,
      'Host: a',
      `X-Index: ${index}`,
      'Transfer-Encoding: chunked',
    ) + `${String(index).length}\r\n${index}\r\n0\r\nX: ${index}\r\n\r\n`,
  ]
  const all = Array.from({ length: count }, (_, index) => {
    const input = messages(index)[index % 3] as string
    const cuts = [1 + random.below(input.length - 2), 1 + random.below(input.length - 2)]
    const [first, second] = cuts.sort((a, b) => a - b) as [number, number]
    const conversation = new Conversation({
      handler: async (request) => {
        const body = await request.text()
        return text(
          [
            request.path,
            request.headers.get('x-index'),
            body,
            ...[...request.trailers].flat(),
          ].join(),
        )
      },
    })
    return {
      conversation,
      parts: [input.slice(0, first), input.slice(first, second), input.slice(second)],
    }
  })
  for (let part = 0; part < 3; part++) {
    for (const { conversation, parts } of all)
      if (parts[part] !== '') conversation.send(parts[part] as string)
  }
  await turns(5)
  const wrong = all.filter(({ conversation }, index) => {
    const body = conversation.responses()[0]?.body
    const expected = [
      `/${index},${index},`,
      `/${index},${index},${index}`,
      `/${index},${index},${index},x,${index}`,
    ]
    return body !== expected[index % 3]
  })
  t.equal(wrong.length, 0)
})

t.test('input is borrowed: one buffer may carry the input of all connections', async (t) => {
  const shared = Buffer.alloc(1000)
  const service = createHttpService({
    handler: async (request) => text(`${request.path} ${await request.text()}`),
    limits,
    clock: new FakeClock(),
    metrics,
    share: null,
    onError: () => {},
    onAccess: null,
  })
  const all = Array.from({ length: 20 }, (_, index) => {
    const transport = new FakeTransport()
    return {
      transport,
      connection: service.connect(transport),
      name: String.fromCharCode(65 + index),
    }
  })
  const deliver = (input: (name: string) => string): void => {
    for (const { connection, name } of all) {
      const length = shared.write(input(name), 0, 'latin1')
      connection.onData(shared, 0, length)
    }
  }
  deliver((name) => `POST /${name} HTTP/1.1\r\nHost: a\r\nTransfer-Enc`)
  deliver((name) => `oding: chunked\r\n\r\n2\r\n${name}`)
  deliver(
    (name) =>
      `${name}\r\n0\r\n\r\nPOST /${name} HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n${name}`,
  )
  deliver((name) => `${name}${name}`)
  await turns(3)
  for (const { transport, name } of all) {
    t.same(
      parseResponses(transport.output).map(({ body }) => body),
      [`/${name} ${name}${name}`, `/${name} ${name}${name}${name}`],
    )
  }
})

t.test('a service that throws does not spoil the input of the next connection', (t) => {
  const shared = Buffer.alloc(100)
  const paths: string[] = []
  const service: Service = {
    onRequest: (exchange) => {
      const { path } = exchange.request
      paths.push(path)
      if (path === '/throws') throw new Error('a fault')
      exchange.respond(200, null, 'ok')
    },
  }
  const first = connect(service)
  const second = connect(service)
  let length = shared.write('GET /throws HTTP/1.1\r\nHost: a\r\n\r\n', 'latin1')
  t.throws(() => first.connection.onData(shared, 0, length), { message: 'a fault' })
  length = shared.write('GET /second HTTP/1.1\r\nHost: a\r\n\r\n', 'latin1')
  second.connection.onData(shared, 0, length)
  t.same(paths, ['/throws', '/second'])
  first.connection.onClose(null)
  t.end()
})

t.test('an answer may be given from within the handler of another connection', async (t) => {
  let answerFirst: (value: unknown) => void = () => {}
  const late = {
    // biome-ignore lint/suspicious/noThenProperty: a promise that settles synchronously
    then: (resolve: (value: unknown) => void) => {
      answerFirst = resolve
    },
  }
  const first = new Conversation({
    handler: ({ path, headers }) =>
      path === '/1' ? (late as never) : text(`${path} ${headers.get('x')}`),
  })
  const pipelined = (path: string): string =>
    request(`GET ${path} HTTP/1.1`, 'Host: a', `X: ${path}`)
  first.send(pipelined('/1') + pipelined('/2') + pipelined('/3'))
  const second = new Conversation({
    handler: ({ path, headers }) => {
      if (path === '/b') answerFirst(text('late'))
      return text(`${path} ${headers.get('x')}`)
    },
  })
  second.send(['/a', '/b', '/c', '/d'].map(pipelined).join(''))
  await second.settle()
  t.same(
    first.responses().map(({ body }) => body),
    ['late', '/2 /2', '/3 /3'],
  )
  t.same(
    second.responses().map(({ body }) => body),
    ['/a /a', '/b /b', '/c /c', '/d /d'],
  )
})

t.test('after the answer is complete every method of the exchange is a no-op', async (t) => {
  let exchange: Exchange | null = null
  const cancelled: unknown[] = []
  const source = { onWritable() {}, onCancel: (error: unknown) => void cancelled.push(error) }
  const { transport, connection } = connect({
    onRequest: (given) => {
      exchange = given
      given.respond(200, null, 'first')
    },
  })
  feed(connection, NEXT)
  const late = exchange as unknown as Exchange
  const { output } = transport
  const misuse = (): void => {
    late.respond(200, null, 'again')
    t.equal(late.sendInterim(103, null), false)
    t.equal(late.takesTrailers, false)
    late.startStream(200, null, source)
    late.writeStream(Buffer.from('again'))
    late.endStream(null)
    late.abortStream(new Error('again'))
    late.wantBody()
    late.resumeBody()
    late.pauseBody()
  }
  misuse()
  await turns()
  t.same(transport.output, output)
  t.same(cancelled, [null], 'a stream that comes too late is told to stop')
  t.notOk(transport.isPaused)
  t.notOk(transport.isDestroyed)
  feed(connection, `${POST}Content-Length: 5\r\n\r\nhe`)
  misuse()
  feed(connection, `llo${NEXT}`)
  await turns()
  t.same(
    parseResponses(transport.output).map(({ body }) => body),
    ['first', 'first', 'first'],
  )
  connection.onClose(null)
  misuse()
  t.pass('nor does it throw when the connection is gone')
})

t.test('a body is always ended or failed, once', async (t) => {
  const inputs: readonly (readonly [string, string])[] = [
    ['whole', `${POST}Content-Length: 5\r\n\r\nhello`],
    ['whole, chunked', `${CHUNKED}5\r\nhello\r\n0\r\nA: b\r\n\r\n`],
    ['malformed', `${CHUNKED}5\r\nhelloXX`],
    ['cut', `${POST}Content-Length: 5\r\n\r\nhell`],
    ['cut, chunked', `${CHUNKED}5\r\nhello\r\n`],
  ]
  for (const [title, input] of inputs) {
    for (const ending of ['answered', 'not answered'] as const) {
      const events: string[] = []
      const sink: BodySink = {
        onChunk: (chunk) => void events.push(Buffer.from(chunk).toString()),
        onEnd: (trailers) => void events.push(`end ${trailers}`),
        onError: () => void events.push('error'),
      }
      const { connection } = connect({
        onRequest: (exchange) => {
          exchange.bodySink = sink
          if (ending === 'answered') exchange.respond(200, null, '')
        },
      })
      feed(connection, input)
      connection.onEnd()
      connection.onClose(null)
      const ends = events.filter((event) => event === 'error' || event.startsWith('end'))
      t.equal(ends.length, 1, `${title}, ${ending}: ${events.join()}`)
      if (title === 'whole, chunked' && ending === 'not answered') {
        t.same(ends, ['end A:b\r\n'], 'with its trailers as field lines')
      }
    }
  }
})

t.test('nothing is done after the connection has closed', async (t) => {
  let exchange: Exchange | null = null
  const ended: number[] = []
  const { transport, connection } = connect({
    onRequest: (given) => {
      exchange = given
      given.endListener = (status) => void ended.push(status)
    },
  })
  feed(connection, `${GET}\r\n`)
  connection.onClose(null)
  connection.onClose(null)
  const deadline = transport.deadlineMs
  ;(exchange as unknown as Exchange).respond(200, null, 'late')
  await turns()
  t.equal(transport.output.length, 0)
  t.equal(transport.deadlineMs, deadline)
  t.same(ended, [0])
})
