import t from 'tap'
import type { Handler } from '../src/handler.ts'
import type { HeadersInput } from '../src/header-block.ts'
import { type StreamInit, stream } from '../src/response.ts'
import { type Conversation, converse } from './support/conversation.ts'
import { NEXT, request } from './support/messages.ts'
import { deferred, turns } from './support/turns.ts'

const TE = request('GET / HTTP/1.1', 'Host: a', 'TE: trailers')

async function* parts(...chunks: string[]): AsyncGenerator<string> {
  yield* chunks
}

/** A handler that streams `ab` and counts how often its trailers were asked for. */
class Trailing {
  calls = 0
  readonly handler: Handler

  constructor(fields: () => HeadersInput | Promise<HeadersInput>, init: StreamInit = {}) {
    this.handler = () =>
      stream(parts('a', 'b'), {
        ...init,
        trailers: () => {
          this.calls++
          return fields()
        },
      })
  }
}

function trailersOf(conversation: Conversation): unknown[] {
  return conversation.responses().map(({ trailers }) => [...trailers])
}

t.test('RFC 9112 §7.1.2: trailer fields follow a chunked body', async (t) => {
  for (const fields of [() => ({ 'x-sum': 'c5', etag: '"a"' }), async () => [['x-sum', 'c5']]]) {
    const { handler } = new Trailing(fields as () => HeadersInput)
    const conversation = await converse(TE + NEXT, { handler })
    t.match(conversation.responses(), [
      { body: 'ab', complete: true },
      { body: 'ab', complete: true },
    ])
    t.equal(conversation.responses()[0]?.trailers.get('x-sum')?.[0], 'c5')
  }
  const repeated = new Trailing(() => ({ 'x-a': ['1', '2'] }))
  t.same(trailersOf(await converse(TE, repeated)), [[['x-a', ['1', '2']]]])
  const none = new Trailing(() => ({}))
  const conversation = await converse(TE + NEXT, none)
  t.same(trailersOf(conversation), [[], []], 'there may be none')
  t.match(conversation.responses()[0], { complete: true })
})

t.test('RFC 9110 §6.5.1: only a client that says TE: trailers is sent any', async (t) => {
  const cases: readonly (readonly [string, number])[] = [
    ['TE: trailers', 1],
    ['TE: Trailers', 1],
    ['TE: gzip;q=0.5, trailers', 1],
    ['TE:\ttrailers , deflate', 1],
    ['TE: gzip\r\nTE: trailers', 1],
    ['TE: gzip', 0],
    ['TE: xtrailers', 0],
    ['TE: trailers-x', 0],
    ['TE:', 0],
    ['X: trailers', 0],
  ]
  for (const [field, calls] of cases) {
    const trailing = new Trailing(() => ({ 'x-a': '1' }))
    const conversation = await converse(request('GET / HTTP/1.1', 'Host: a', field), trailing)
    t.same(trailersOf(conversation), [calls === 1 ? [['x-a', ['1']]] : []], field)
    t.equal(trailing.calls, calls, `${field}: asked for only then`)
    t.match(conversation.responses(), [{ body: 'ab', complete: true }])
  }
})

t.test('RFC 9110 §6.5: there are none where the framing has no place for them', async (t) => {
  const cases: readonly (readonly [string, string, StreamInit])[] = [
    ['HTTP/1.0', request('GET / HTTP/1.0', 'TE: trailers'), {}],
    ['a Content-Length', TE, { headers: { 'content-length': '2' } }],
    ['HEAD', `HEAD${TE.slice(3)}`, {}],
    ['204', TE, { status: 204 }],
    ['205', TE, { status: 205 }],
    ['304', TE, { status: 304 }],
  ]
  for (const [title, input, init] of cases) {
    const trailing = new Trailing(() => ({ 'x-a': '1' }), init)
    const conversation = await converse(input, trailing)
    t.equal(conversation.responses().length, 1, title)
    t.notMatch(conversation.output, 'x-a', title)
    t.equal(trailing.calls, 0, title)
    t.same(conversation.errors, [])
  }
})

t.test('RFC 9110 §6.6.2: names that are known are announced', async (t) => {
  const fields = (): HeadersInput => ({ 'x-a': '1' })
  const init = { trailerNames: ['x-a', 'Server-Timing'], headers: { 'x-b': '2' } }
  const conversation = await converse(TE, new Trailing(fields, init))
  t.same(conversation.responses()[0]?.headers.get('trailer'), ['x-a, Server-Timing'])
  t.same(conversation.responses()[0]?.headers.get('x-b'), ['2'])
  const unknown = await converse(TE, new Trailing(fields))
  t.notOk(unknown.responses()[0]?.headers.has('trailer'))
  for (const name of ['Content-Length', 'a b', 'a\r\nb']) {
    const trailers = (): HeadersInput => ({})
    t.throws(() => stream(parts(), { trailers, trailerNames: [name] }), {
      code: 'RR_HEADER_INVALID',
    })
  }
})

t.test('RFC 9110 §6.5.1: a field that may not follow a body cuts the connection', async (t) => {
  const refused: readonly HeadersInput[] = [
    { 'content-length': '2' },
    { 'Transfer-Encoding': 'chunked' },
    { 'content-type': 'a/b' },
    { 'Set-Cookie': 'a=b' },
    { connection: 'close' },
    { upgrade: 'x' },
    { location: '/' },
    { 'x-a': 'b\r\nx: y' },
    { 'x y': 'z' },
    { 'x-good': '1', host: 'a' },
    5 as never,
  ]
  for (const fields of refused) {
    const conversation = await converse(TE + NEXT, new Trailing(() => fields))
    t.match(conversation.responses(), [{ body: 'ab', complete: false }], JSON.stringify(fields))
    t.ok(conversation.transport.isDestroyed)
    t.equal(conversation.errors.length, 1)
    t.notMatch(conversation.output, 'x-good', 'none of them is sent')
  }
})

t.test('trailers that fail cut the connection', async (t) => {
  const error = new Error('no checksum')
  const failures: readonly (() => Promise<HeadersInput>)[] = [
    () => {
      throw error
    },
    () => Promise.reject(error),
  ]
  for (const fail of failures) {
    const conversation = await converse(TE + NEXT, new Trailing(fail))
    t.match(conversation.responses(), [{ body: 'ab', complete: false }])
    t.equal(conversation.transport.error, error)
    t.same(conversation.errors, [error])
    t.same([conversation.started, conversation.finished], [1, 1])
  }
})

t.test('a client that leaves while the trailers are made harms nobody', async (t) => {
  for (const way of ['resolve', 'reject'] as const) {
    const fields = deferred<HeadersInput>()
    const conversation = await converse(TE, new Trailing(() => fields.promise))
    t.match(conversation.responses(), [{ body: 'ab', complete: false }])
    conversation.leave()
    if (way === 'resolve') fields.resolve({ 'x-a': '1' })
    else fields.reject(new Error('too late'))
    await turns(2)
    t.same(conversation.errors, [])
    t.same([conversation.started, conversation.finished], [1, 1])
  }
})

t.test('a body of no chunks may have trailers', async (t) => {
  const handler: Handler = () => stream(parts(), { trailers: () => ({ 'x-count': '0' }) })
  const conversation = await converse(TE, { handler })
  t.same(trailersOf(conversation), [[['x-count', ['0']]]])
})

t.test('a response that is changed keeps its trailers', async (t) => {
  const base = stream(parts('a'), { trailers: () => ({ 'x-a': '1' }) })
  const handler: Handler = () => base.with({ headers: { 'x-b': '2' }, body: parts('c') })
  const conversation = await converse(TE, { handler })
  t.match(conversation.responses(), [{ body: 'c' }])
  t.same(trailersOf(conversation), [[['x-a', ['1']]]])
  const whole = await converse(TE, { handler: () => base.with({ body: 'whole' }) })
  t.match(whole.responses(), [{ body: 'whole' }], 'which a body that is whole has no place for')
  t.same(trailersOf(whole), [[]])
})
