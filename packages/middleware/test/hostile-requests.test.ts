// Whatever a client puts into the fields that middleware reads, it gets an answer.

import { json, type Middleware } from '@rr/core'
import fc from 'fast-check'
import t from 'tap'
import {
  accessLog,
  compression,
  cors,
  etag,
  jsonLine,
  requestId,
  securityHeaders,
} from '../src/index.ts'
import { decoded } from './support/coding-text.ts'
import { TestServer } from './support/server.ts'

const FIELDS = [
  'accept-encoding',
  'if-none-match',
  'if-match',
  'if-unmodified-since',
  'origin',
  'access-control-request-method',
  'access-control-request-private-network',
  'x-request-id',
  'user-agent',
  'referer',
]

/** What such fields are made of, in any order, beside any character that a field may hold. */
const PIECES = fc.oneof(
  fc.constantFrom(
    ...['gzip', 'br', 'zstd', '*', 'identity', ';q=', '0', '1', '.5', ',', ';', '=', ' ', '\t'],
    ...['"', 'W/', '\\', 'null', 'https://', 'app.example.com', '__proto__', '%00', '<', '\xff'],
  ),
  fc.stringMatching(/^[\t\x20-\x7e\x80-\xff]*$/, { maxLength: 20 }),
)
const VALUE = fc.array(PIECES, { maxLength: 30 }).map((pieces) => pieces.join('').slice(0, 200))

t.test('random fields', async (t) => {
  const lines: string[] = []
  const middleware: Middleware[] = [
    requestId({ trust: true }),
    accessLog({ log: (record) => lines.push(jsonLine(record)) }),
    securityHeaders(),
    cors({ origin: ['https://app.example.com', /https:\/\/[a-z]+\.test/], privateNetwork: true }),
    compression({ minBytes: 0 }),
    etag({ kind: 'strong', ifMatch: true }),
  ]
  const server = await TestServer.compose(t, middleware, () => json({ ok: true }))
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('GET', 'HEAD', 'OPTIONS', 'POST'),
      fc.dictionary(fc.constantFrom(...FIELDS), VALUE),
      async (method, headers) => {
        const answer = await server.ask({ method, headers })
        const expected = [200, 204, 304, 412]
        if (!expected.includes(answer.status)) throw new Error(`status ${answer.status}`)
        if (answer.status !== 200 || method === 'HEAD') return
        const body = decoded(answer.headers['content-encoding'], answer.body)
        if (body !== '{"ok":true}') throw new Error(`body ${body}`)
      },
    ),
    { numRuns: 500 },
  )
  t.same(server.errors, [])
  t.equal(lines.filter((line) => !/^\{[\x20-\x7e]*\}\n$/.test(line)).length, 0)
})
