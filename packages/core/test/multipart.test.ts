import t from 'tap'
import type { MultipartPart } from '../src/multipart.ts'
import type { MultipartOptionsInput } from '../src/multipart-options.ts'
import type { HttpRequest } from '../src/request.ts'
import { text } from '../src/response.ts'
import { Conversation } from './support/conversation.ts'
import { NEXT } from './support/messages.ts'
import {
  BOUNDARY,
  FORM_DATA,
  field,
  multipartBody,
  type PartText,
} from './support/multipart-body.ts'
import { postMessage, readBody } from './support/read-body.ts'
import { deferred, turns } from './support/turns.ts'

type Seen = [name: string, filename: string | null, type: string, content: string]

async function partsOf(request: HttpRequest, options?: MultipartOptionsInput): Promise<Seen[]> {
  const seen: Seen[] = []
  for await (const part of request.multipart(options)) {
    seen.push([part.name, part.filename, part.contentType, await part.text()])
  }
  return seen
}

function read(body: string, options?: MultipartOptionsInput, type = FORM_DATA): Promise<unknown> {
  return readBody({ body, type }, (request) => partsOf(request, options))
}

const PARTS: readonly PartText[] = [
  field('title', 'héllo €'),
  [`${field('file', '', 'a b.png')[0]}\r\nContent-Type: image/png`, '\r\n--\r\n--rr-boundar\r\n-'],
  field('empty', ''),
  field('file', 'second', ''),
]
const SEEN: readonly Seen[] = [
  ['title', null, 'text/plain', 'héllo €'],
  ['file', 'a b.png', 'image/png', '\r\n--\r\n--rr-boundar\r\n-'],
  ['empty', null, 'text/plain', ''],
  ['file', '', 'application/octet-stream', 'second'],
]

t.test('the parts of a body, in order (RFC 7578 §4)', async (t) => {
  t.same(await read(multipartBody(PARTS)), SEEN)
  t.same(await read(`a preamble\r\n${multipartBody(PARTS)}an epilogue`), SEEN)
  t.same(await read(`--${BOUNDARY}--\r\n`), [], 'none')
  t.same(await read(`--${BOUNDARY}--`), [], 'nor a last line end')
  t.same(await read(multipartBody([field('a', '1'), field('a', '2')])), [
    ['a', null, 'text/plain', '1'],
    ['a', null, 'text/plain', '2'],
  ])
})

t.test('what FormData sends', async (t) => {
  const form = new FormData()
  form.append('a "b"\r\nc', '1\n2')
  form.append('file', new File(['x'.repeat(100_000)], 'ä"ö.txt', { type: 'text/x-a' }))
  const sent = new Request('http://a', { method: 'POST', body: form })
  const type = sent.headers.get('content-type') as string
  const body = await sent.text()
  t.same(await read(body, undefined, type), [
    ['a "b"\r\nc', null, 'text/plain', '1\r\n2'],
    ['file', 'ä"ö.txt', 'text/x-a', 'x'.repeat(100_000)],
  ])
})

t.test('boundaries (RFC 2046 §5.1.1)', async (t) => {
  const long = 'b'.repeat(70)
  for (const [parameter, boundary] of [
    ['a', 'a'],
    ['"a b:c"', 'a b:c'],
    ['"\'()+_,-./:=?"', "'()+_,-./:=?"],
    [long, long],
  ] as const) {
    const body = multipartBody([field('a', '1')]).replaceAll(BOUNDARY, boundary)
    const type = `Multipart/Form-Data; charset=utf-8; Boundary=${parameter}`
    t.same(await read(body, undefined, type), [['a', null, 'text/plain', '1']], parameter)
  }
})

t.test('header lines of a part', async (t) => {
  const lines =
    'content-disposition:form-data;name=a;filename="\\"q\\".txt"\r\nX-A:  b  \r\nX-Empty:'
  const headers = await readBody(
    { body: multipartBody([[lines, '1']]), type: FORM_DATA },
    async (request) => {
      const { value } = await request.multipart().next()
      const part = value as MultipartPart
      return [part.filename, ...part.headers]
    },
  )
  t.same(headers, [
    '"q".txt',
    ['content-disposition', 'form-data;name=a;filename="\\"q\\".txt"'],
    ['x-a', 'b'],
    ['x-empty', ''],
  ])
})

t.test('a part can be read in each way, once', async (t) => {
  const ways: readonly ((part: MultipartPart) => Promise<unknown>)[] = [
    (part) => part.text(),
    async (part) => Buffer.from(await part.bytes()).toString(),
    (part) => new Response(part.stream).text(),
    async (part) => {
      let all = ''
      for await (const chunk of part) all += Buffer.from(chunk)
      return all
    },
  ]
  for (const way of ways) {
    const given = { body: multipartBody([field('a', 'one'), field('b', 'two')]), type: FORM_DATA }
    const values = await readBody(given, async (request) => {
      const all: unknown[] = []
      for await (const part of request.multipart()) all.push(await way(part))
      return all
    })
    t.same(values, ['one', 'two'])
    const twice = await readBody(given, async (request) => {
      for await (const part of request.multipart()) {
        await part.text()
        await way(part)
      }
    })
    t.equal(twice, 'RR_BODY_USED')
  }
})

t.test('bytes() of a part are in a buffer that holds nothing else', async (t) => {
  const given = { body: multipartBody([field('a', 'one')]), type: FORM_DATA }
  const bytes = await readBody(given, async (request) => {
    for await (const part of request.multipart()) return part.bytes()
    return null
  })
  t.equal((bytes as Uint8Array).buffer.byteLength, 3)
})

t.test('parts that are not read, or in part only, are skipped', async (t) => {
  const body = multipartBody([
    field('a', 'a'.repeat(200_000)),
    field('b', 'b'.repeat(200_000)),
    field('c', 'c'),
  ])
  const options = { maxFieldBytes: 200_000 }
  const names = await readBody({ body, type: FORM_DATA, pieceBytes: 10_000 }, async (request) => {
    const seen: string[] = []
    for await (const part of request.multipart(options)) {
      seen.push(part.name)
      if (part.name === 'b') for await (const _ of part) break
      if (part.name === 'c') seen.push(await part.text())
    }
    return seen
  })
  t.same(names, ['a', 'b', 'c', 'c'])

  const left = await readBody({ body, type: FORM_DATA }, async (request) => {
    const parts = request.multipart(options)
    const first = (await parts.next()).value as MultipartPart
    await parts.next()
    return first.text()
  })
  t.equal(left, 'RR_BODY_USED', 'and cannot be read later')

  const overtaken = await readBody(
    { body, type: FORM_DATA, pieceBytes: 10_000 },
    async (request) => {
      const parts = request.multipart(options)
      const first = (await parts.next()).value as MultipartPart
      const content = first.text()
      const second = (await parts.next()).value as MultipartPart
      const code = await content.catch((error: { code: string }) => error.code)
      return [code, second.name, (await second.text()).length]
    },
  )
  t.same(overtaken, ['RR_BODY_USED', 'b', 200_000], 'nor while the next one is asked for')
})

t.test('a loop that is left lets go of the body, and the connection goes on', async (t) => {
  const conversation = new Conversation({
    handler: async (request) => {
      if (!request.hasBody) return text('next')
      for await (const part of request.multipart()) {
        const pending = part.bytes()
        pending.catch(() => {})
        return text(part.name)
      }
      return text('no part')
    },
  })
  const body = multipartBody([field('a', 'x'.repeat(60_000)), field('b', '')])
  const message = postMessage({ body, type: FORM_DATA })
  await conversation.send(message.subarray(0, 1000)).settle()
  await conversation.send(message.subarray(1000)).send(NEXT).settle()
  t.same(
    conversation.responses().map((response) => response.body),
    ['a', 'next'],
  )
})

t.test('a part that is not read makes the client wait', async (t) => {
  const asked = deferred<void>()
  const conversation = new Conversation({
    handler: async (request) => {
      let length = 0
      for await (const part of request.multipart()) {
        await asked.promise
        for await (const chunk of part) length += chunk.length
      }
      return text(String(length))
    },
  })
  const body = multipartBody([field('a', 'x'.repeat(900_000), 'a')])
  const message = postMessage({ body, type: FORM_DATA })
  let sent = 0
  while (!conversation.transport.isPaused && sent < message.length) {
    conversation.send(message.subarray(sent, sent + 10_000))
    sent += 10_000
    await turns()
  }
  t.ok(sent <= 200_000, `after ${sent} bytes`)
  conversation.send(message.subarray(sent))
  asked.resolve()
  await conversation.settle()
  t.equal(conversation.responses()[0]?.body, '900000')
})

t.test('limits hold at limit-1, limit and limit+1', async (t) => {
  const fields = (count: number): string => multipartBody(Array(count).fill(field('a', '')))
  const files = (count: number): string => multipartBody(Array(count).fill(field('a', '', 'f')))
  const one = (name: string, content: string, file?: string): string =>
    multipartBody([field(name, content, file)])
  const lines = (count: number): string => {
    const rest = Array.from({ length: count - 1 }, (_, i) => `\r\nX-${i}: a`).join('')
    return multipartBody([[`${field('a', '')[0]}${rest}`, '']])
  }
  // `content-disposition` and `form-data; name="a"` are 19 and 19 bytes, `x` is one.
  const block = (bytes: number): string =>
    multipartBody([[`${field('a', '')[0]}\r\nX: ${'v'.repeat(bytes - 39)}`, '']])
  const cases: readonly (readonly [MultipartOptionsInput, (n: number) => string, number])[] = [
    [{}, fields, 1000],
    [{ maxParts: 3 }, fields, 3],
    [{}, files, 100],
    [{ maxFiles: 1 }, files, 1],
    [{}, (n) => one('a', 'x'.repeat(n)), 65_536],
    [{ maxFieldBytes: 5 }, (n) => one('a', 'x'.repeat(n)), 5],
    [{ maxFileBytes: 5 }, (n) => one('a', 'x'.repeat(n), 'f'), 5],
    [{}, (n) => one('n'.repeat(n), ''), 1024],
    [{ maxNameBytes: 4 }, (n) => one('n'.repeat(n), ''), 4],
    [{ maxNameBytes: 4 }, (n) => one('é'.repeat(2) + 'n'.repeat(n - 4), ''), 4],
    [{ maxNameBytes: 4 }, (n) => one('a', '', 'f'.repeat(n)), 4],
    [{ maxHeaders: 3 }, lines, 3],
    [{}, lines, 20],
    [{ maxHeaderBytes: 64 }, block, 64],
    [{}, block, 8192],
  ]
  for (const [options, make, limit] of cases) {
    const what = `${JSON.stringify(options)} ${limit}`
    t.type(await read(make(limit - (limit === 4 ? 0 : 1)), options), Array, what)
    t.type(await read(make(limit), options), Array, what)
    t.equal(await read(make(limit + 1), options), 'RR_BODY_TOO_LARGE', what)
  }
  t.equal(await read(fields(1), { maxPart: 1 } as never), 'RR_OPTION_UNKNOWN')
  t.equal(await read(fields(1), { maxParts: -1 }), 'RR_OPTION_INVALID')
})

t.test('only multipart/form-data is read as that', async (t) => {
  for (const type of [
    'text/plain',
    'multipart/mixed; boundary=a',
    'multipart/form-dataa; boundary=a',
  ]) {
    t.equal(await read('', undefined, type), 'RR_MEDIA_TYPE_UNSUPPORTED', type)
  }
  t.equal(await readBody({ body: 'a' }, partsOf), 'RR_MEDIA_TYPE_UNSUPPORTED')
  t.equal(await readBody({ body: '', type: FORM_DATA }, partsOf), 'RR_BODY_MALFORMED', 'no body')
})

t.test('the body is used from when its parts were asked for', async (t) => {
  const given = { body: multipartBody(PARTS), type: FORM_DATA }
  const used = await readBody(given, (request) => {
    request.multipart()
    t.ok(request.bodyUsed)
    return request.text()
  })
  t.equal(used, 'RR_BODY_USED')
  t.equal(
    await readBody(given, async (request) => {
      await request.text()
      return partsOf(request)
    }),
    'RR_BODY_USED',
  )
})
