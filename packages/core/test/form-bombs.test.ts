// Forms that are small while compressed, with `decompressBodies` on.

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { brotliCompressSync, constants, gzipSync, zstdCompressSync } from 'node:zlib'
import t from 'tap'
import type { HttpOptionsInput } from '../src/http-options.ts'
import type { MultipartOptionsInput } from '../src/multipart-options.ts'
import type { HttpRequest } from '../src/request.ts'
import { BOUNDARY, FORM_DATA, field, multipartBody } from './support/multipart-body.ts'
import { readBody } from './support/read-body.ts'

const ENCODERS: readonly (readonly [coding: string, encode: (body: Uint8Array) => Buffer])[] = [
  ['gzip', (body) => gzipSync(body)],
  // Its highest quality, the default, takes seconds for some of these.
  ['br', (body) => brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } })],
  ['zstd', (body) => zstdCompressSync(body)],
]
const BOMB_BYTES = 50_000_000
const URLENCODED = 'application/x-www-form-urlencoded'

/** Reads a body through `decompressBodies`. */
function readEncoded(
  given: { coding: string; body: Uint8Array; type: string; limits?: HttpOptionsInput },
  how: (request: HttpRequest) => unknown,
): Promise<unknown> {
  const { coding, body, type, limits } = given
  const fields = `Content-Encoding: ${coding}\r\n`
  return readBody({ body, type, fields, limits: { decompressBodies: true, ...limits } }, how)
}

/** A multipart body whose one part is zeros. */
function zeros(filename?: string): Buffer {
  const [head = '', tail = ''] = multipartBody([field('a', '|', filename)]).split('|')
  return Buffer.concat([Buffer.from(head), Buffer.alloc(BOMB_BYTES), Buffer.from(tail)])
}

t.test('prevents a zip bomb around a multipart body: all limits hold', async (t) => {
  const large = { maxBodyBytes: 2 * BOMB_BYTES }
  const least = `--${BOUNDARY}\r\n${field('', '')[0]}\r\n\r\n\r\n`
  const cases: readonly (readonly [string, Buffer, HttpOptionsInput, MultipartOptionsInput])[] = [
    ['the body', zeros('f'), {}, {}],
    ['a field', zeros(), large, {}],
    ['a file', zeros('f'), large, { maxFileBytes: 1_000_000 }],
    ['parts', Buffer.from(least.repeat(200_000)), large, {}],
  ]
  for (const [coding, encode] of ENCODERS) {
    for (const [limit, plain, limits, options] of cases) {
      const body = encode(plain)
      t.ok(body.length * 100 < plain.length, `${coding}, ${plain.length} from ${body.length}`)
      const given = { coding, body, type: FORM_DATA, limits }
      const result = await readEncoded(given, async (request) => {
        for await (const part of request.multipart(options)) await part.bytes()
      })
      t.equal(result, 'RR_BODY_TOO_LARGE', `${coding}: the limit of ${limit}`)
      const form = await readEncoded(given, (request) => request.multipartForm(options))
      t.equal(form, 'RR_BODY_TOO_LARGE', 'nor does it fill the disk')
    }
  }
})

t.test('prevents a zip bomb around a multipart body from filling memory', async (t) => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const usedBytes = (): number => {
    collect()
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  }
  const plain = zeros('f')
  for (const [coding, encode] of ENCODERS) {
    const given = { coding, body: encode(plain), type: FORM_DATA }
    const before = usedBytes()
    let most = 0
    let length = 0
    const limits = { maxBodyBytes: 2 * BOMB_BYTES }
    await readEncoded({ ...given, limits }, async (request) => {
      for await (const part of request.multipart()) {
        let next = 0
        for await (const chunk of part) {
          length += chunk.length
          if (length < next) continue
          next = length + BOMB_BYTES / 10
          most = Math.max(most, usedBytes() - before)
        }
      }
    })
    t.equal(length, BOMB_BYTES, 'all of it can be read')
    t.ok(most < 20_000_000, `${coding}: ${most} bytes at a time`)
  }
})

t.test('prevents a zip bomb around a urlencoded form', async (t) => {
  const forms: readonly (readonly [string, Buffer])[] = [
    ['the body', Buffer.alloc(BOMB_BYTES, 'a')],
    ['the body', Buffer.alloc(BOMB_BYTES, '&')],
    ['fields', Buffer.from('a&'.repeat(500_000))],
  ]
  for (const [coding, encode] of ENCODERS) {
    for (const [limit, plain] of forms) {
      const given = { coding, body: encode(plain), type: URLENCODED }
      t.ok(given.body.length * 100 < plain.length, `${plain.length} from ${given.body.length}`)
      const result = await readEncoded(given, (request) => request.form())
      t.equal(result, 'RR_BODY_TOO_LARGE', `${coding}: the limit of ${limit}`)
    }
    const given = { coding, body: encode(Buffer.from('a=1&b=2')), type: URLENCODED }
    const fields = await readEncoded(given, async (request) => (await request.form()).get('b'))
    t.equal(fields, '2', 'one that is no bomb is read')
  }
})
