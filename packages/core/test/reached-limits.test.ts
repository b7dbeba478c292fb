import t from 'tap'
import type { HttpOptionsInput } from '../src/http-options.ts'
import { text } from '../src/response.ts'
import { Conversation } from './support/conversation.ts'

const POST = 'POST / HTTP/1.1\r\nHost: a\r\n'

const sent: [limit: string, limits: HttpOptionsInput, input: string, status: number][] = [
  ['maxRequestLineBytes', { maxRequestLineBytes: 64 }, `GET /${'a'.repeat(64)} HTTP/1.1\r\n`, 414],
  ['maxHeaderLineBytes', { maxHeaderLineBytes: 64 }, `${POST}X: ${'a'.repeat(80)}\r\n\r\n`, 431],
  [
    'maxHeaderBlockBytes',
    { maxHeaderBlockBytes: 256 },
    `${POST}${'X: aaaaaaaaaaaaaaaaaaaa\r\n'.repeat(20)}\r\n`,
    431,
  ],
  ['maxHeaders', { maxHeaders: 3 }, `${POST}${'X: a\r\n'.repeat(5)}\r\n`, 431],
  ['maxBodyBytes', { maxBodyBytes: 5 }, `${POST}Content-Length: 6\r\n\r\n`, 413],
  [
    'maxChunkExtensionBytes',
    { maxChunkExtensionBytes: 10 },
    `${POST}Transfer-Encoding: chunked\r\n\r\n1;${'a'.repeat(60)}\r\na\r\n0\r\n\r\n`,
    400,
  ],
]

for (const [limit, limits, input, status] of sent) {
  t.test(`${limit} is counted by itself`, async (t) => {
    const conversation = new Conversation({
      limits,
      handler: async (request) => text(await request.text()),
    })
    await conversation.send(input).settle()
    t.same(conversation.limits, [limit])
    t.same(conversation.rejected, [status])
  })
}

const slow: [limit: string, limits: HttpOptionsInput, input: string][] = [
  ['headersTimeoutMs', { headersTimeoutMs: 1000, minBytesPerSecond: 0 }, 'GET / HTTP'],
  [
    'requestTimeoutMs',
    { requestTimeoutMs: 1000, minBytesPerSecond: 0 },
    `${POST}Content-Length: 9\r\n\r\na`,
  ],
  ['minBytesPerSecond', { minRateGraceMs: 1000 }, `${POST}Content-Length: 9\r\n\r\na`],
]

for (const [limit, limits, input] of slow) {
  t.test(`a request over ${limit} is counted by it`, async (t) => {
    const conversation = new Conversation({
      limits,
      handler: async (request) => text(await request.text()),
    })
    await conversation.send(input).advance(999).settle()
    t.same(conversation.limits, [])
    await conversation.advance(2000).settle()
    t.same(conversation.limits, [limit])
    t.same(conversation.rejected, [408])
  })
}

t.test('a client that has closed its side and is sent nothing is counted', async (t) => {
  const conversation = new Conversation({
    limits: { halfOpenTimeoutMs: 1000 },
    handler: () => new Promise(() => {}),
  })
  await conversation.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n').settle()
  conversation.connection.onEnd()
  await conversation.advance(2000).settle()
  t.same(conversation.limits, ['halfOpenTimeoutMs'])
  t.same(conversation.rejected, [], 'it was no refusal')
})

t.test('what is malformed, and what is answered, is not', async (t) => {
  const malformed = new Conversation()
  await malformed.send('GET  / HTTP/1.1\r\n\r\n').settle()
  const answered = new Conversation()
  await answered.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n').settle()
  t.same([...malformed.limits, ...answered.limits], [])
})
