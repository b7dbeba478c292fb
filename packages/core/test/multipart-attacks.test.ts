import t from 'tap'
import type { MultipartOptionsInput } from '../src/multipart-options.ts'
import { MULTIPART_OPTIONS } from '../src/multipart-options.ts'
import { MultipartParser } from '../src/multipart-parser.ts'
import { resolveOptions } from '../src/options.ts'
import type { HttpRequest } from '../src/request.ts'
import { text } from '../src/response.ts'
import { Conversation } from './support/conversation.ts'
import { BOUNDARY, FORM_DATA, field, multipartBody } from './support/multipart-body.ts'
import { Random } from './support/random.ts'
import { postMessage, readBody } from './support/read-body.ts'

const LIMITS = resolveOptions(MULTIPART_OPTIONS, {}, 'test')

async function partsOf(request: HttpRequest, options?: MultipartOptionsInput): Promise<unknown[]> {
  const seen: unknown[] = []
  for await (const part of request.multipart(options)) {
    seen.push([part.name, part.filename, await part.text()])
  }
  return seen
}

function read(body: string | Uint8Array, options?: MultipartOptionsInput): Promise<unknown> {
  const limits = { maxBodyBytes: 100_000_000, maxDiscardBytes: 0 }
  return readBody({ body, type: FORM_DATA, limits }, (request) => partsOf(request, options))
}

/** What a parser makes of pieces: names and joined contents, or the code of its error. */
function parse(pieces: readonly Uint8Array[]): unknown {
  const parser = new MultipartParser(BOUNDARY, LIMITS)
  try {
    for (const piece of pieces) parser.write(piece)
    parser.end()
  } catch (error) {
    return (error as { code: string }).code
  }
  const seen: string[] = []
  for (const event of parser.events) {
    if (event === null) seen.push('END')
    else if (!(event instanceof Uint8Array)) seen.push(`${event.name}|${event.filename}|`)
    else seen[seen.length - 1] += Buffer.from(event).toString('latin1')
  }
  return seen
}

t.test(
  'prevents a form of a million parts from costing time: refused at the limit, the rest unread',
  async (t) => {
    const least = `--${BOUNDARY}\r\n${field('', '')[0]}\r\n\r\n\r\n`
    const start = performance.now()
    t.equal(await read(least.repeat(1_000_000)), 'RR_BODY_TOO_LARGE')
    t.equal(await read(`--${BOUNDARY}\r\n\r\n\r\n`.repeat(1_000_000)), 'RR_BODY_MALFORMED')
    t.equal(await read(`\r\n--${BOUNDARY}`.repeat(1_000_000)), 'RR_BODY_MALFORMED')
    t.ok(performance.now() - start < 10_000)
  },
)

t.test('prevents names and file names of a megabyte from being taken in', async (t) => {
  const long = 'n'.repeat(1_000_000)
  t.equal(await read(multipartBody([field(long, '')])), 'RR_BODY_TOO_LARGE')
  t.equal(await read(multipartBody([field('a', '', long)])), 'RR_BODY_TOO_LARGE')
  t.equal(await read(multipartBody([field(long.slice(0, 5000), '')])), 'RR_BODY_TOO_LARGE')
})

t.test('prevents a flood of header lines in a part', async (t) => {
  const flood = (lines: string): string => multipartBody([[`${field('a', '')[0]}\r\n${lines}`, '']])
  const distinct = Array.from({ length: 100_000 }, (_, i) => `X-${i}: a`).join('\r\n')
  t.equal(await read(flood(distinct)), 'RR_BODY_TOO_LARGE')
  t.equal(await read(flood(`X: ${'a'.repeat(1_000_000)}`)), 'RR_BODY_TOO_LARGE')
  t.equal(await read(flood(Array(100_000).fill('X: a').join('\r\n'))), 'RR_BODY_MALFORMED')
  t.equal(await read(flood(`X: a${'\r\n b'.repeat(100_000)}`)), 'RR_BODY_TOO_LARGE', 'nor folded')
  t.equal(
    await read(`--${BOUNDARY}\r\nX: ${'a'.repeat(10_000_000)}`),
    'RR_BODY_MALFORMED',
    'endless',
  )
})

t.test('prevents a body that is cut off anywhere from passing for a whole one', async (t) => {
  const body = Buffer.from(multipartBody([field('a', 'one'), field('b', 'two', 'f')]))
  const final = body.lastIndexOf(`--${BOUNDARY}--`) + BOUNDARY.length + 4
  for (let end = 1; end < final; end++) {
    t.equal(parse([body.subarray(0, end)]), 'RR_BODY_MALFORMED', `cut at ${end}`)
  }
  t.not(parse([body.subarray(0, final)]), 'RR_BODY_MALFORMED')
  t.equal(await read(body.subarray(0, final - 1)), 'RR_BODY_MALFORMED')
})

t.test('prevents guesses at a boundary that is missing, too long or none', async (t) => {
  const types = [
    'multipart/form-data',
    'multipart/form-data; boundary=',
    'multipart/form-data; boundary=""',
    `multipart/form-data; boundary=${'b'.repeat(71)}`,
    'multipart/form-data; boundary="a "',
    'multipart/form-data; boundary="a\\"b"',
    'multipart/form-data; boundary="a;b"',
    'multipart/form-data; boundary=\xe9',
    'multipart/form-data; boundary=a; boundary=b',
    'multipart/form-data; boundary=a, multipart/form-data; boundary=b',
    'multipart/form-data boundary=a',
  ]
  for (const type of types) {
    const code = await readBody({ body: '--a--\r\n', type }, (request) => partsOf(request))
    t.match(code, /^RR_BODY_MALFORMED|RR_MEDIA_TYPE_UNSUPPORTED$/, type)
  }
})

t.test('prevents parts that two readers would take for different ones', async (t) => {
  const cases = [
    'X: a',
    'Content-Disposition: form-data',
    'Content-Disposition: attachment; name="a"',
    'Content-Disposition: form-data; name',
    'Content-Disposition: form-data; name=a b',
    'Content-Disposition: form-data; name="a',
    'Content-Disposition: form-data; name="a"; name="b"',
    'Content-Disposition: form-data; name="a"; filename="b"; filename="c"',
    'Content-Disposition: form-data; name="a"\r\nContent-Disposition: form-data; name="b"',
    'Content-Disposition: form-data; name="a"\r\nContent-Type: a/b\r\nContent-Type: c/d',
    'Content-Disposition: form-data; name="a"\r\nContent-Transfer-Encoding: base64',
    'Content-Disposition : form-data; name="a"',
    'Content-Disposition: form-data;\n name="a"',
    ' Content-Disposition: form-data; name="a"',
    ': b',
  ]
  for (const lines of cases) {
    t.equal(await read(multipartBody([[lines, 'x']])), 'RR_BODY_MALFORMED', lines)
  }
  const invalid = Buffer.from(multipartBody([field('\x01', '')]))
  invalid[invalid.indexOf(1)] = 0xff
  t.equal(await read(invalid), 'RR_BODY_MALFORMED', 'a name that is not UTF-8')
  const within = `--${BOUNDARY}\r\n${field('a', '')[0]}\r\n--${BOUNDARY}--\r\n`
  t.equal(await read(within), 'RR_BODY_MALFORMED', 'a boundary within header lines')
  const glued = multipartBody([field('a', '')]).replace(BOUNDARY, `${BOUNDARY}x`)
  t.equal(await read(glued), 'RR_BODY_MALFORMED', 'another boundary that begins the same')
})

t.test('prevents names of fields and headers from polluting a prototype', async (t) => {
  const names = ['__proto__', 'constructor', 'prototype', 'toString', '__proto__[polluted]']
  const seen = await read(multipartBody(names.map((name) => field(name, 'x'))))
  t.same(
    seen,
    names.map((name) => [name, null, 'x']),
  )
  const lines = `${field('a', '')[0]}\r\n__proto__: polluted\r\nconstructor: b`
  t.same(await read(multipartBody([[lines, '']])), [['a', null, '']])
  t.equal(({} as { polluted?: unknown }).polluted, undefined)
  t.equal(Object.prototype.toString.call({}), '[object Object]')
})

t.test('prevents a file name from leading to another folder or hiding what it is', async (t) => {
  const names: readonly (readonly [string, string])[] = [
    ['../../etc/passwd', 'passwd'],
    ['/etc/passwd', 'passwd'],
    ['C:\\Windows\\a.ini', 'a.ini'],
    ['..\\..\\a', 'a'],
    ['a/..', ''],
    ['..', ''],
    ['.', ''],
    ['a/', ''],
    ['/', ''],
    ['.htaccess', '.htaccess'],
    ['a\0.png', 'a.png'],
    ['a%00.png', 'a%00.png'],
    ['a%0d%0ab', 'a%0d%0ab'],
    ['%2e%2e%2fa', '%2e%2e%2fa'],
    ['a\x1b[31m\x7f\x85', 'a[31m'],
    ['\u202egnp.exe', 'gnp.exe'],
    ['.\u202e.', ''],
    // Line ends for some readers, which no header could carry.
    ['a\u2028b\u2029', 'ab'],
    ['\0..', ''],
  ]
  for (const [given, expected] of names) {
    const seen = await read(multipartBody([field('a', '', given)]))
    t.same(seen, [['a', expected, '']], encodeURI(given))
  }
  const extended = `${field('a', '', 'plain')[0]}; filename*=UTF-8''..%2f..%2fevil`
  t.same(await read(multipartBody([[extended, '']])), [['a', 'plain', '']], 'nor by filename*')
})

t.test('prevents the cuts between packets from changing what a body says', (t) => {
  const bodies = [
    multipartBody([field('a', 'one'), field('b', '\r\n--rr-bound\r\n-', 'f'), field('c', '')]),
    `pre\r\n--rr-\r\n${multipartBody([field('a', '\r\r\n-\r\n--\r\n')])}epilogue\r\n--${BOUNDARY}\r\n`,
    multipartBody([['X: a', '']]),
    multipartBody([field('é€', 'é', 'ä')]).replaceAll('--rr-boundary--', '--rr-boundary-'),
    `--${BOUNDARY}-\r\n${field('a', '')[0]}\r\n\r\n\r\n--${BOUNDARY}--`,
  ]
  for (const [index, body] of bodies.entries()) {
    const bytes = Buffer.from(body)
    const whole = parse([bytes])
    const singles = Array.from(bytes, (_, i) => bytes.subarray(i, i + 1))
    t.same(parse(singles), whole, `body ${index}, byte by byte`)
    const differing: number[] = []
    for (let at = 1; at < bytes.length; at++) {
      const cut = parse([bytes.subarray(0, at), bytes.subarray(at)])
      if (JSON.stringify(cut) !== JSON.stringify(whole)) differing.push(at)
    }
    t.same(differing, [], `body ${index}, cut in two`)
  }
  t.end()
})

t.test('prevents bytes at random from doing anything but being refused or read', (t) => {
  const random = new Random(7)
  const valid = Buffer.from(multipartBody([field('a', 'one'), field('b', 'two', 'f')]))
  for (let run = 0; run < 3000; run++) {
    const bytes = Buffer.from(valid)
    for (let change = random.below(4); change >= 0; change--) {
      const at = random.below(bytes.length)
      if (random.isOne(2)) bytes[at] = random.below(256)
      else bytes.copy(bytes, at, random.below(bytes.length))
    }
    const at = random.below(bytes.length)
    const cut = parse([bytes.subarray(0, at), bytes.subarray(at)])
    if (typeof cut === 'string') t.match(cut, /^RR_BODY_(MALFORMED|TOO_LARGE)$/)
    if (JSON.stringify(cut) !== JSON.stringify(parse([bytes]))) {
      t.fail(`differs when cut at ${at}: ${JSON.stringify(bytes.toString('latin1'))}`)
    }
  }
  t.end()
})

t.test('prevents a client that leaves in the middle from holding the handler', async (t) => {
  for (const isReading of [true, false]) {
    let error: unknown = null
    const conversation = new Conversation({
      handler: async (request) => {
        try {
          for await (const part of request.multipart()) if (isReading) await part.bytes()
        } catch (thrown) {
          error = thrown
        }
        return text('')
      },
    })
    const head = `POST / HTTP/1.1\r\nHost: a\r\nContent-Type: ${FORM_DATA}\r\nContent-Length: 99999\r\n\r\n`
    await conversation.send(head + multipartBody([field('a', 'b')]).slice(0, -20)).settle()
    await conversation.leave().settle()
    t.match(error, { code: 'RR_REQUEST_ABORTED' })
    t.same(conversation.errors, [])
  }
})

t.test('prevents an epilogue without end: the limit of the body bounds it', async (t) => {
  const limits = { maxBodyBytes: 1000, maxDiscardBytes: 0 }
  const body = multipartBody([field('a', 'b')]) + 'x'.repeat(10_000)
  const conversation = new Conversation({
    limits,
    handler: async (request) => text(String((await partsOf(request)).length)),
  })
  const chunk = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
  await conversation
    .send(
      `POST / HTTP/1.1\r\nHost: a\r\nContent-Type: ${FORM_DATA}\r\nTransfer-Encoding: chunked\r\n\r\n`,
    )
    .send(chunk)
    .settle()
  t.same(conversation.statuses(), [413])
})

t.test('prevents CR, LF and NUL in a header of a part from making another one', async (t) => {
  const [disposition] = field('a', '')
  const refused = [
    'Content-Disposition: form-data; name="a\rb"',
    'Content-Disposition: form-data; name="a\nb"',
    `${disposition}\nX-Evil: 1`,
    `${disposition}\rX-Evil: 1`,
    `${disposition}\nContent-Disposition: form-data; name="b"`,
    `${disposition}\n\nX-Evil: 1`,
    `X: 1\n${disposition}`,
    `X: 1\r${disposition}`,
    `\0${disposition}`,
    `Content-Disposition\0: form-data; name="a"`,
    `${disposition}\r\nX: a\0b`,
    `${disposition}\r\nX\0: b`,
    `${disposition}\r\nX: a\x7f`,
    `${disposition}\r\nContent-Type: text/plain\0`,
  ]
  for (const lines of refused) {
    t.equal(await read(multipartBody([[lines, 'x']])), 'RR_BODY_MALFORMED', JSON.stringify(lines))
  }
  for (const line of ['X: 1\nX-Evil: 2', 'X: 1\rX-Evil: 2', 'X: 1\n\rX-Evil: 2', 'X-Evil\n: 2']) {
    const given = { body: multipartBody([[`${disposition}\r\n${line}`, 'x']]), type: FORM_DATA }
    const names = await readBody(given, async (request) => {
      for await (const { headers } of request.multipart()) return [...headers.keys()]
      return null
    })
    t.same(names, ['content-disposition'], `nothing of ${JSON.stringify(line)} is a header`)
  }
})

t.test('prevents header names with spaces or colons from hiding a header', async (t) => {
  const [disposition] = field('a', '')
  const refused = [
    'Content-Disposition\t: form-data; name="a"',
    'Content Disposition: form-data; name="a"',
    'Content-Disposition:: form-data; name="a"',
    `${disposition}\r\nContent-Disposition : form-data; name="b"`,
    `${disposition}\r\nContent-Transfer-Encoding : base64`,
    `${disposition}\r\nX Y: b`,
    `${disposition}\r\n"X": b`,
    `${disposition}\r\n\u00a0X: b`,
  ]
  for (const lines of refused) {
    t.equal(await read(multipartBody([[lines, 'x']])), 'RR_BODY_MALFORMED', JSON.stringify(lines))
  }
  const lines = `${disposition}\r\nX:Content-Disposition: form-data; name="b"`
  t.same(await read(multipartBody([[lines, 'x']])), [['a', null, 'x']], 'the first colon ends it')
})

t.test('prevents a second Content-Disposition from naming a part anew', async (t) => {
  const [disposition] = field('a', '')
  for (const second of [
    '\r\nCONTENT-DISPOSITION: form-data; name="b"',
    '\r\nX: 1\r\ncontent-disposition: form-data; name="a"',
    '\r\nContent-Disposition:',
    '\r\n Content-Disposition: form-data; name="b"',
    '\r\n ; name="b"',
    ', form-data; name="b"',
    '; form-data; name="b"',
  ]) {
    const body = multipartBody([[disposition + second, 'x']])
    t.equal(await read(body), 'RR_BODY_MALFORMED', JSON.stringify(second))
  }
})

t.test('prevents the name of a part from splitting the answer that repeats it', async (t) => {
  const body = multipartBody([field('a%0D%0ASet-Cookie: b=c', '')])
  const conversation = new Conversation({
    handler: async (request) => {
      const { value } = await request.multipart().next()
      return text('', { headers: { 'x-name': value?.name ?? '' } })
    },
  })
  await conversation.send(postMessage({ body, type: FORM_DATA })).settle()
  t.same(conversation.statuses(), [500])
  t.notMatch(conversation.output, /Set-Cookie/)
})
