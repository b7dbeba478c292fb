import { Readable } from 'node:stream'
import t from 'tap'
import { type NdjsonSource, ndjson } from '../src/ndjson.ts'
import { Conversation, converse } from './support/conversation.ts'
import { NEXT } from './support/messages.ts'
import { deferred, turns } from './support/turns.ts'

const VALUES = [{ a: 1 }, 'two\nlines', null, 4, [5, undefined], 'é€']
const LINES = '{"a":1}\n"two\\nlines"\nnull\n4\n[5,null]\n"é€"\n'

async function* generate(values: Iterable<unknown>): AsyncGenerator<unknown> {
  for (const value of values) {
    await turns()
    yield value
  }
}

function bodyOf(conversation: Conversation): string {
  return Buffer.from(conversation.responses()[0]?.body ?? '', 'latin1').toString()
}

t.test('sends a value a line, from every kind of source', async (t) => {
  const sources: readonly (readonly [string, () => NdjsonSource])[] = [
    ['an array', () => VALUES],
    ['a Set', () => new Set(VALUES)],
    ['a generator', () => VALUES.values()],
    ['an async generator', () => generate(VALUES)],
    ['a ReadableStream', () => ReadableStream.from(VALUES)],
    ['a Node stream in object mode', () => Readable.from(generate(VALUES.filter(Boolean)))],
  ]
  for (const [title, source] of sources) {
    const conversation = new Conversation({ handler: () => ndjson(source()) })
    conversation.send(NEXT)
    for (let round = 0; round < 5; round++) await conversation.settle()
    const expected = title.startsWith('a Node') ? LINES.replace('null\n', '') : LINES
    t.equal(bodyOf(conversation), expected, title)
    t.match(conversation.responses(), [{ status: 200, complete: true }], title)
    t.same(conversation.responses()[0]?.headers.get('content-type'), ['application/x-ndjson'])
  }
  t.equal(bodyOf(await converse(NEXT, { handler: () => ndjson([]) })), '', 'there may be none')
})

t.test('takes status, headers and trailers', async (t) => {
  const init = { status: 203, headers: { 'Content-Type': 'application/jsonl', 'x-a': 'b' } }
  const conversation = await converse('GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n\r\n', {
    handler: () => ndjson([1], { ...init, trailers: () => ({ 'x-count': '1' }) }),
  })
  const [response] = conversation.responses()
  t.match(response, { status: 203, body: '1\n' })
  t.same(response?.headers.get('content-type'), ['application/jsonl'])
  t.same(response?.trailers.get('x-count'), ['1'])
})

t.test('each value of an async source leaves at once, those of a sync one together', async (t) => {
  const gate = deferred<unknown>()
  async function* slow(): AsyncGenerator<unknown> {
    yield 1
    yield await gate.promise
  }
  const conversation = await converse(NEXT, { handler: () => ndjson(slow()) })
  t.equal(bodyOf(conversation), '1\n')
  gate.resolve(2)
  await conversation.settle()
  t.equal(bodyOf(conversation), '1\n2\n')

  const many = Array.from({ length: 1000 }, (_, index) => index)
  const sync = await converse(NEXT, { handler: () => ndjson(many) })
  t.equal(bodyOf(sync), many.map((value) => `${value}\n`).join(''))
  t.equal(sync.output.match(/\r\n[0-9a-f]+\r\n/g)?.length, 2, 'in one chunk and the last')
})

t.test('a value that JSON cannot express cuts the connection', async (t) => {
  const circular: { self?: unknown } = {}
  circular.self = circular
  const bad: readonly (readonly [unknown, object | typeof TypeError])[] = [
    [undefined, { code: 'RR_RESPONSE_INVALID' }],
    [() => 1, { code: 'RR_RESPONSE_INVALID' }],
    [Symbol('a'), { code: 'RR_RESPONSE_INVALID' }],
    [1n, { name: 'TypeError' }],
    [circular, { name: 'TypeError' }],
  ]
  for (const [value, error] of bad) {
    let ended = 0
    const source = {
      [Symbol.asyncIterator]: () => ({
        next: async () => ({ done: false, value }),
        return: async () => {
          ended++
          return { done: true as const, value: undefined }
        },
      }),
    }
    for (const values of [source, [1, value]]) {
      const conversation = await converse(NEXT, { handler: () => ndjson(values) })
      t.match(conversation.responses(), [{ complete: false }], String(value?.constructor.name))
      t.ok(conversation.transport.isDestroyed)
      t.match(conversation.errors, [error])
    }
    t.equal(ended, 1, 'and ends the source')
  }
})

t.test('what is no iterable is refused before anything is sent', async (t) => {
  for (const source of ['text', 5, null, undefined, {}, () => 1]) {
    t.throws(() => ndjson(source as never), { code: 'RR_RESPONSE_INVALID' })
  }
  t.throws(() => ndjson([], { status: 99 }), { code: 'RR_RESPONSE_INVALID' })
  t.end()
})

t.test('a client that leaves ends a source that is waiting', async (t) => {
  const isEnded = { iterator: false, readable: false, stream: false }
  const iterator = {
    [Symbol.asyncIterator]: () => ({
      next: () => deferred<IteratorResult<unknown>>().promise,
      return: async () => {
        isEnded.iterator = true
        return { done: true as const, value: undefined }
      },
    }),
  }
  const readable = new Readable({
    objectMode: true,
    read() {},
    destroy(error, done) {
      isEnded.readable = true
      done(error)
    },
  })
  const web = new ReadableStream({
    cancel() {
      isEnded.stream = true
    },
  })
  for (const source of [iterator, readable, web]) {
    const conversation = await converse(NEXT, { handler: () => ndjson(source) })
    conversation.leave()
    await conversation.settle()
    t.same(conversation.errors, [])
  }
  t.same(isEnded, { iterator: true, readable: true, stream: true })
})

t.test('a source that nobody takes is let go of', async (t) => {
  const readable = new Readable({ objectMode: true, read() {} })
  const late = new Readable({ objectMode: true, read() {} })
  const head = await converse(`HEAD${NEXT.slice(3)}`, { handler: () => ndjson(readable) })
  t.match(head.responses('HEAD'), [{ status: 200 }])
  t.ok(readable.destroyed, 'for HEAD')
  const gate = deferred<void>()
  const conversation = await converse(NEXT, {
    handler: async () => {
      await gate.promise
      return ndjson(late)
    },
  })
  conversation.leave()
  gate.resolve()
  await turns(2)
  t.ok(late.destroyed, 'that comes too late')
})

t.test('waits for a client that does not read', async (t) => {
  let produced = 0
  function* endless(): Generator<string> {
    for (;;) {
      produced++
      yield 'x'.repeat(1000)
    }
  }
  const conversation = new Conversation({ handler: () => ndjson(endless()) })
  conversation.transport.isClientReading = false
  await conversation.send(NEXT).settle()
  const first = produced
  await conversation.settle()
  t.equal(produced, first)
  t.ok(first < 300, `${first} values were produced`)
  conversation.leave()
})
