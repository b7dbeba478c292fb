import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import {
  brotliCompressSync,
  constants,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from 'node:zlib'
import t from 'tap'
import type { HttpRequest } from '../src/request.ts'
import { text } from '../src/response.ts'
import { Conversation } from './support/conversation.ts'
import { NEXT } from './support/messages.ts'
import { FORM_DATA, field, multipartBody } from './support/multipart-body.ts'
import { postMessage, readBody } from './support/read-body.ts'

const ENCODERS: Readonly<Record<string, (bytes: Uint8Array) => Buffer>> = {
  gzip: gzipSync,
  'x-gzip': gzipSync,
  deflate: deflateSync,
  br: brotliCompressSync,
  zstd: zstdCompressSync,
}
const CODINGS = ['gzip', 'deflate', 'br', 'zstd'] as const
const ON = { decompressBodies: true }
/** Text that does not become very small. */
const TEXT = Array.from({ length: 20_000 }, (_, i) => (i * 7919).toString(36)).join(' ')

function encode(coding: string, body: string | Uint8Array): Buffer {
  return (ENCODERS[coding] as (bytes: Uint8Array) => Buffer)(Buffer.from(body as string))
}

function read(
  coding: string,
  body: Uint8Array,
  options: {
    type?: string
    pieceBytes?: number
    limits?: object
    read?: (request: HttpRequest) => unknown
  } = {},
): Promise<unknown> {
  const { read: how = (request: HttpRequest) => request.text(), limits, ...rest } = options
  const fields = `Content-Encoding: ${coding}\r\n`
  return readBody({ body, fields, limits: { ...ON, ...limits }, ...rest }, how)
}

t.test('by default a body is handed over in its coding', async (t) => {
  const body = encode('gzip', 'hello')
  const fields = 'Content-Encoding: gzip\r\n'
  const bytes = await readBody({ body, fields }, (request) => request.bytes())
  t.same(Buffer.from(bytes as Uint8Array), body)
  const unknown = { body: 'hello', fields: 'Content-Encoding: rot13\r\n' }
  t.equal(await readBody(unknown, (request) => request.text()), 'hello')
})

t.test('each coding is undone, however the body is cut (RFC 9110 §8.4.1)', async (t) => {
  for (const coding of Object.keys(ENCODERS)) {
    const body = encode(coding, TEXT)
    t.equal(await read(coding, body), TEXT, coding)
    t.equal(await read(coding.toUpperCase(), body, { pieceBytes: 1000 }), TEXT, 'in pieces')
    t.equal(await read(coding, encode(coding, 'hello'), { pieceBytes: 1 }), 'hello', 'byte by byte')
    t.equal(await read(coding, encode(coding, '')), '', 'to nothing')
  }
})

t.test('codings are undone from the last to the first, identity is none', async (t) => {
  const twice = encode('br', encode('gzip', TEXT))
  t.equal(await read('gzip, br', twice), TEXT)
  t.equal(await read('gzip , identity,, br', twice), TEXT)
  t.equal(await read('br, gzip', twice), 'RR_BODY_MALFORMED')
  t.equal(await read('identity', Buffer.from('hello')), 'hello')
  t.equal(await read('', Buffer.from('hello')), 'hello')
  const lines = 'Content-Encoding: gzip\r\nContent-Encoding: br\r\n'
  t.equal(await readBody({ body: twice, fields: lines, limits: ON }, (r) => r.text()), TEXT)
})

t.test(
  'a coding that is not known is answered 415, with those that are (RFC 7694 §3)',
  async (t) => {
    for (const coding of [
      'compress',
      'rot13',
      'gzip, rot13',
      'gzip, gzip, gzip',
      'gzip;q=1',
      '__proto__',
    ]) {
      t.equal(await read(coding, encode('gzip', 'hello')), 'RR_MEDIA_TYPE_UNSUPPORTED', coding)
    }
    t.equal(
      await read(`${'identity,'.repeat(5)}rot13`, Buffer.from('a')),
      'RR_MEDIA_TYPE_UNSUPPORTED',
    )
    const conversation = new Conversation({
      limits: ON,
      handler: async (request) => text(await request.text()),
    })
    const message = postMessage({ body: 'a', fields: 'Content-Encoding: compress\r\n' })
    await conversation.send(message).send(NEXT).settle()
    const [refused, next] = conversation.responses()
    t.equal(refused?.status, 415)
    t.same(refused?.headers.get('accept-encoding'), ['gzip, deflate, br, zstd'])
    t.equal(next?.status, 200)
  },
)

t.test('a handler that reads no body is not troubled by its coding', async (t) => {
  t.equal(await read('rot13', Buffer.from('a'), { read: () => 'fine' }), 'fine')
  t.equal(await read('rot13', Buffer.from(''), { read: (request) => request.text() }), '')
})

t.test('every way to read a body undoes its coding', async (t) => {
  const form = encode('gzip', 'a=1&b=2')
  const type = 'application/x-www-form-urlencoded'
  const multipart = encode('zstd', multipartBody([field('a', '1'), field('b', '2')]))
  const ways: readonly (readonly [
    string,
    Buffer,
    string | undefined,
    (r: HttpRequest) => unknown,
    unknown,
  ])[] = [
    ['gzip', encode('gzip', '[1]'), undefined, (r) => r.json(), [1]],
    [
      'gzip',
      form,
      type,
      async (r) => [...(await r.form())],
      [
        ['a', '1'],
        ['b', '2'],
      ],
    ],
    [
      'br',
      encode('br', 'abc'),
      undefined,
      async (r) => Buffer.from(await r.bytes()).toString(),
      'abc',
    ],
    ['br', encode('br', 'abc'), undefined, (r) => new Response(r.stream).text(), 'abc'],
    [
      'zstd',
      multipart,
      FORM_DATA,
      async (r) => {
        const seen: string[] = []
        for await (const part of r.multipart()) seen.push(part.name, await part.text())
        return seen
      },
      ['a', '1', 'b', '2'],
    ],
    [
      'zstd',
      multipart,
      FORM_DATA,
      async (r) => [...(await r.multipartForm()).fields],
      [
        ['a', '1'],
        ['b', '2'],
      ],
    ],
  ]
  for (const [coding, body, type, how, expected] of ways) {
    const given = { ...(type === undefined ? {} : { type }), read: how }
    t.same(await read(coding, body, given), expected)
  }
  const bytes = await read('gzip', encode('gzip', 'hello'), { read: (r) => r.bytes() })
  t.equal((bytes as Uint8Array).buffer.byteLength, 5, 'into a buffer that holds nothing else')
})

t.test('the limit of the body holds before and after it is inflated', async (t) => {
  for (const coding of CODINGS) {
    for (const [length, expected] of [
      [4999, 4999],
      [5000, 5000],
      [5001, 'RR_BODY_TOO_LARGE'],
    ] as const) {
      const limits = { maxBodyBytes: 5000 }
      const how = async (r: HttpRequest): Promise<number> => (await r.bytes()).length
      const body = encode(coding, 'x'.repeat(length))
      t.equal(await read(coding, body, { limits, read: how }), expected, `${coding} ${length}`)
    }
  }
  const nested = encode('gzip', encode('gzip', 'x'.repeat(6000)))
  t.equal(await read('gzip, gzip', nested, { limits: { maxBodyBytes: 5000 } }), 'RR_BODY_TOO_LARGE')
})

t.test('the limit of a route is that of its inflated body too', async (t) => {
  const conversation = new Conversation({
    limits: { ...ON, maxBodyBytes: 1000 },
    routeLimits: () => ({ maxBodyBytes: 5000 }),
    handler: async (request) => text(String((await request.bytes()).length)),
  })
  for (const length of [5000, 5001]) {
    const body = encode('gzip', 'x'.repeat(length))
    conversation.send(postMessage({ body, fields: 'Content-Encoding: gzip\r\n' }))
    await conversation.settle()
  }
  while (conversation.finished < 2) await conversation.settle()
  t.same(conversation.statuses(), [200, 413])
})

t.test('a body that is cut short is refused', async (t) => {
  for (const coding of CODINGS) {
    const body = encode(coding, TEXT.slice(0, 2000))
    for (const length of [1, 5, body.length >> 1, body.length - 1]) {
      const cut = body.subarray(0, length)
      t.equal(await read(coding, cut), 'RR_BODY_MALFORMED', `${coding}, ${length} bytes`)
    }
  }
})

t.test('what follows the end of a body is refused', async (t) => {
  for (const coding of CODINGS) {
    for (const rest of ['garbage', '\0', '\0\0\0\0\0\0\0\0']) {
      const body = Buffer.concat([encode(coding, 'hello'), Buffer.from(rest)])
      const what = `${coding} ${JSON.stringify(rest)}`
      t.equal(await read(coding, body), 'RR_BODY_MALFORMED', what)
      t.equal(
        await read(coding, body, { pieceBytes: 1 }),
        'RR_BODY_MALFORMED',
        `${what}, in pieces`,
      )
      const at = { pieceBytes: body.length - rest.length }
      t.equal(await read(coding, body, at), 'RR_BODY_MALFORMED', `${what}, in a piece of its own`)
    }
  }
})

t.test('a body that is not in its coding is refused, and the connection goes on', async (t) => {
  for (const coding of CODINGS) {
    t.equal(await read(coding, Buffer.from('this is no such thing')), 'RR_BODY_MALFORMED', coding)
  }
  t.equal(await read('deflate', deflateRawSync('hello')), 'RR_BODY_MALFORMED', 'raw deflate')
  const conversation = new Conversation({
    limits: ON,
    handler: async (request) => text(await request.text()),
  })
  const fields = 'Content-Encoding: gzip\r\n'
  conversation.send(postMessage({ body: 'x'.repeat(100_000), fields })).send(NEXT)
  while (conversation.finished < 2) await conversation.settle()
  t.same(conversation.statuses(), [400, 200])
  t.same(conversation.errors, [])
})

t.test('a zstd window over 8 MiB is refused (RFC 9659 §3)', async (t) => {
  const compress = (windowLog: number): Buffer =>
    zstdCompressSync(Buffer.from(TEXT), { params: { [constants.ZSTD_c_windowLog]: windowLog } })
  const limits = { maxBodyBytes: 100_000_000 }
  t.equal(await read('zstd', compress(20), { limits }), TEXT)
  // Compressors shrink the window to what they know of the content: this frame says 128 MiB.
  const frame = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 17 << 3, 0x01, 0x00, 0x00])
  t.equal(await read('zstd', frame), 'RR_BODY_MALFORMED')
  const allowed = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 13 << 3, 0x01, 0x00, 0x00])
  t.equal(await read('zstd', allowed), '', 'of 8 MiB')
})

t.test('a body that grows a thousandfold takes no memory for it', async (t) => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const zeros = Buffer.alloc(100_000_000)
  for (const coding of ['gzip', 'br', 'zstd']) {
    const bomb = encode(coding, zeros)
    t.ok(bomb.length < 110_000, `${coding}: ${bomb.length} bytes for ${zeros.length}`)
    t.equal(await read(coding, bomb), 'RR_BODY_TOO_LARGE', 'it stops at the limit of the body')

    collect()
    const before = process.memoryUsage()
    let most = 0
    let length = 0
    const how = async (request: HttpRequest): Promise<number> => {
      for await (const chunk of request.stream) {
        length += chunk.length
        most = Math.max(most, chunk.length)
        if (length > 30_000_000) break
      }
      return length
    }
    const limits = { maxBodyBytes: 200_000_000 }
    const read30 = (await read(coding, bomb, { limits, read: how })) as number
    t.ok(read30 > 30_000_000 && read30 < 31_000_000, 'a reader gets it in small pieces')
    t.ok(most <= 262_144, `of ${most} bytes`)
    collect()
    const after = process.memoryUsage()
    const grown = after.arrayBuffers + after.external - before.arrayBuffers - before.external
    t.ok(grown < 20_000_000, `and ${grown} bytes are left of it`)
  }
})

t.test('a reader that stops stops the inflating', async (t) => {
  const bomb = encode('gzip', Buffer.alloc(50_000_000))
  const limits = { maxBodyBytes: 100_000_000 }
  const result = await read('gzip', bomb, {
    limits,
    read: async (request) => {
      const reader = request.stream.getReader()
      const first = await reader.read()
      await reader.cancel()
      return (first.value?.length ?? 0) < 262_144
    },
  })
  t.equal(result, true)
})

t.test('a client that leaves ends a reader of its inflated body', async (t) => {
  let error: unknown = null
  const conversation = new Conversation({
    limits: ON,
    handler: async (request) => {
      await request.text().catch((thrown: unknown) => {
        error = thrown
      })
      return text('')
    },
  })
  const message = postMessage({
    body: encode('gzip', TEXT),
    fields: 'Content-Encoding: gzip\r\n',
  })
  await conversation.send(message.subarray(0, -1000)).settle()
  await conversation.leave().settle()
  while (error === null) await conversation.settle()
  t.match(error, { code: 'RR_REQUEST_ABORTED' })
})
