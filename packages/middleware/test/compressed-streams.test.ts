// Compression of answers that are made while they are sent: flushing, back-pressure, ends.

import { once } from 'node:events'
import { Readable } from 'node:stream'
import {
  brotliDecompressSync,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createZstdDecompress,
} from 'node:zlib'
import { type StreamBody, stream } from '@rr/core'
import t from 'tap'
import { CompressedBody } from '../src/compressed-body.ts'
import { compression } from '../src/compression.ts'
import { COMPRESSORS, MAX_WRITE_BYTES } from '../src/content-codings.ts'
import { cors } from '../src/cors.ts'
import { requestId } from '../src/request-id.ts'
import { securityHeaders } from '../src/security-headers.ts'
import { decoded } from './support/coding-text.ts'
import { open, TestServer } from './support/server.ts'

const DECODERS = {
  gzip: createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
}
const EVENTS = { headers: { 'content-type': 'text/event-stream' } }

async function* of(...chunks: (string | Uint8Array)[]): AsyncGenerator<string | Uint8Array> {
  yield* chunks
}

/** Bytes in which a compressor finds nothing. */
function noise(length: number): Uint8Array {
  let state = 1
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return state >>> 24
  })
}

for (const coding of ['gzip', 'deflate', 'br', 'zstd']) {
  t.test(`${coding}: every source gives the same bytes`, async (t) => {
    const large = noise(3 * MAX_WRITE_BYTES + 1)
    const sources: Record<string, () => StreamBody> = {
      '/none': () => of(),
      '/empty': () => of('', new Uint8Array(0)),
      '/mixed': () => of('ä', '', Buffer.from('ö'), 'x'.repeat(100_000)),
      '/noise': () => of(large),
      '/web': () => new Blob(['one ', 'two']).stream(),
      '/node': () => Readable.from([Buffer.from('one '), Buffer.from('two')]),
    }
    const expected: Record<string, Buffer> = {
      '/none': Buffer.from(''),
      '/empty': Buffer.from(''),
      '/mixed': Buffer.from(`äö${'x'.repeat(100_000)}`),
      '/noise': Buffer.from(large),
      '/web': Buffer.from('one two'),
      '/node': Buffer.from('one two'),
    }
    const server = await TestServer.compose(t, [compression()], ({ path }) =>
      stream(sources[path]?.() as StreamBody, EVENTS),
    )
    for (const path of Object.keys(sources)) {
      const { headers, body } = await server.ask({ path, headers: { 'accept-encoding': coding } })
      t.match(headers, { 'content-encoding': coding, 'transfer-encoding': 'chunked' }, path)
      t.equal(decoded(coding, body), expected[path]?.toString(), path)
    }
    t.same(server.errors, [])
  })

  t.test(`${coding}: what one chunk gives out can be read before the next one`, async (t) => {
    const body = new CompressedBody(
      of('data: 1\n\n', 'data: 2\n\n'),
      COMPRESSORS[coding as 'br'](4),
    )
    const parts: Uint8Array[] = []
    const first = await body.next()
    parts.push(first.value as Uint8Array)
    const decoder = DECODERS[coding as 'br']()
    decoder.write(parts[0])
    const [chunk] = (await once(decoder, 'data')) as [Buffer]
    t.equal(chunk.toString(), 'data: 1\n\n')
    decoder.destroy()
    for await (const part of body) parts.push(part)
    t.ok(parts.length >= 2)
    t.equal(decoded(coding, Buffer.concat(parts)), 'data: 1\n\ndata: 2\n\n')
  })
}

t.test('an event reaches the client when it is sent, the end of the stream or not', async (t) => {
  let send: (text: string) => void = () => {}
  const source = new ReadableStream({
    start(controller) {
      send = (text) => controller.enqueue(text)
    },
  })
  const server = await TestServer.compose(t, [compression()], () => stream(source, EVENTS))
  const { client, response } = await open(server.url, { headers: { 'accept-encoding': 'gzip' } })
  const plain = response.pipe(createGunzip())
  plain.on('error', () => {})
  for (const text of ['data: first\n\n', 'data: second\n\n']) {
    send(text)
    const [chunk] = (await once(plain, 'data')) as [Buffer]
    t.equal(chunk.toString(), text)
  }
  client.destroy()
})

t.test('a client that leaves ends the source while it is being waited for', async (t) => {
  const cancelled = Promise.withResolvers<void>()
  const source = new ReadableStream({
    start: (controller) => controller.enqueue('data: only\n\n'),
    cancel: () => cancelled.resolve(),
  })
  const server = await TestServer.compose(t, [compression()], () => stream(source, EVENTS))
  const { client, response } = await open(server.url, { headers: { 'accept-encoding': 'br' } })
  await once(response, 'data')
  response.on('error', () => {})
  client.socket?.resetAndDestroy()
  await cancelled.promise
  t.same(server.errors, [])
})

t.test('a client that does not read makes the source wait', async (t) => {
  let produced = 0
  const ended = Promise.withResolvers<void>()
  const chunk = noise(65_536)
  async function* endless(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        produced++
        yield chunk
      }
    } finally {
      ended.resolve()
    }
  }
  const server = await TestServer.compose(t, [compression()], () => stream(endless(), EVENTS))
  const { client, response } = await open(server.url, { headers: { 'accept-encoding': 'gzip' } })
  response.pause()
  response.on('error', () => {})
  // The sockets' buffers fill; then nothing more is asked for, however long one looks.
  let seen = -1
  for (let looks = 0; looks < 20; looks = produced === seen ? looks + 1 : 0) {
    seen = produced
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
  }
  t.ok(produced < 1000, `${produced} chunks were produced`)
  client.socket?.resetAndDestroy()
  await ended.promise
})

t.test('a source that throws cuts the answer off, and is reported', async (t) => {
  async function* failing(): AsyncGenerator<string> {
    yield 'data: 1\n\n'
    throw new Error('from the source')
  }
  const server = await TestServer.compose(t, [compression()], () => stream(failing(), EVENTS))
  await t.rejects(server.ask({ headers: { 'accept-encoding': 'gzip' } }), { code: 'ECONNRESET' })
  t.match(server.errors, [{ message: 'from the source' }])
})

t.test('a chunk that is no chunk is an error of the handler', async (t) => {
  const server = await TestServer.compose(t, [compression()], () =>
    stream(of('data: 1\n\n', 5 as unknown as string), EVENTS),
  )
  await t.rejects(server.ask({ headers: { 'accept-encoding': 'gzip' } }), { code: 'ECONNRESET' })
  t.match(server.errors, [{ message: /yields Uint8Array or string chunks, not number/ }])
})

t.test('a body that was never begun is let go of', async (t) => {
  const source = Readable.from(['never'])
  const body = new CompressedBody(source, COMPRESSORS.gzip(6))
  body.destroy()
  body.destroy()
  await once(source, 'close')
  t.ok(source.destroyed)
  t.same(await body.next(), { done: true, value: undefined })
})

t.test('a body that is given up while it is compressed ends quietly', async (t) => {
  const body = new CompressedBody(of('x'.repeat(1_000_000)), COMPRESSORS.br(11))
  const waiting = body.next()
  await new Promise((resolve) => setImmediate(resolve))
  t.same(await body.return(), { done: true, value: undefined })
  t.same(await waiting, { done: true, value: undefined })
})

t.test('a known length decides as it does for whole bodies', async (t) => {
  const server = await TestServer.compose(t, [compression()], ({ path }) => {
    const length = Number(path.slice(1))
    const headers = { 'content-type': 'text/plain', 'content-length': String(length) }
    return stream(of('x'.repeat(length)), { headers })
  })
  const headers = { 'accept-encoding': 'br' }
  const small = await server.ask({ path: '/1023', headers })
  t.match(small.headers, { 'content-length': '1023', vary: 'Accept-Encoding' })
  const large = await server.ask({ path: '/1024', headers })
  t.match(large.headers, { 'content-encoding': 'br', 'transfer-encoding': 'chunked' })
  t.equal(brotliDecompressSync(large.body).length, 1024)
})

t.test('trailers follow the body through compression and whatever changes headers', async (t) => {
  const type = { 'content-type': 'text/plain' }
  const server = await TestServer.compose(
    t,
    [requestId(), securityHeaders(), cors({ origin: '*' }), compression()],
    () => stream(of('one', 'two'), { headers: type, trailers: () => ({ 'x-sum': '6' }) }),
  )
  for (const coding of ['gzip', undefined]) {
    const headers = { te: 'trailers', 'accept-encoding': coding ?? 'identity' }
    const { response } = await open(server.url, { headers })
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk as Buffer)
    t.equal(response.headers['content-encoding'], coding)
    t.equal(decoded(coding, Buffer.concat(chunks)), 'onetwo')
    t.same(response.trailers, { 'x-sum': '6' })
  }
})

t.test('RFC 9530: a body whose digest follows it is left as it is', async (t) => {
  const server = await TestServer.compose(t, [compression()], () =>
    stream(of('one'), {
      headers: { 'content-type': 'text/plain' },
      trailers: () => ({ 'content-digest': 'sha-256=:AAAA:' }),
      trailerNames: ['Content-Digest'],
    }),
  )
  const { headers, body } = await server.ask({ headers: { 'accept-encoding': 'gzip' } })
  t.equal(headers['content-encoding'], undefined)
  t.equal(body.toString(), 'one')
})
