/** Requests to the applications of application-surface.test.ts, each with its whole answer. */

import { gzipSync } from 'node:zlib'
import type { Question } from './http-client.ts'
import { LINES, MAX_BODY_BYTES, ORIGIN } from './surface-bounds.ts'

/** A question, and what its answer has to match. */
export interface Exchange {
  readonly title: string
  readonly path: string
  readonly question?: Question
  readonly expected: Readonly<Record<string, unknown>>
}

const JSON_TYPE = { 'content-type': 'application/json' }
const FORM_TYPE = { 'content-type': 'application/x-www-form-urlencoded' }
const GZIP = { 'content-encoding': 'gzip' }

/** An error as rr answers it. */
function refusal(status: number, code: string): Exchange['expected'] {
  return { status, headers: { 'content-type': 'application/problem+json' }, text: `"${code}"` }
}

/** A body at the limit: the server itself refuses what is longer, unless it grows on being read. */
function bodies(length: number): readonly Exchange[] {
  const title = `a body of ${length} bytes where ${MAX_BODY_BYTES} are the limit`
  const body = 'x'.repeat(length)
  const taken = length <= MAX_BODY_BYTES ? { status: 200, text: String(length) } : null
  const expected = taken ?? { status: 413 }
  const path = '/body'
  return [
    { title, path, question: { body }, expected },
    { title: `${title}, in chunks`, path, question: { body, isChunked: true }, expected },
    {
      title: `${title}, once it is inflated`,
      path,
      question: { headers: GZIP, body: gzipSync(body) },
      expected: taken ?? refusal(413, 'RR_BODY_TOO_LARGE'),
    },
  ]
}

const LENGTHS = [MAX_BODY_BYTES - 1, MAX_BODY_BYTES, MAX_BODY_BYTES + 1]

const REQUESTS: readonly Exchange[] = [
  {
    title: 'a JSON body',
    path: '/json',
    question: { headers: JSON_TYPE, body: '{"n":[1,"ä"]}' },
    expected: { status: 200, text: '{"got":{"n":[1,"ä"]}}' },
  },
  {
    title: 'JSON that is none',
    path: '/json',
    question: { headers: JSON_TYPE, body: '{"n":' },
    expected: refusal(400, 'RR_BODY_MALFORMED'),
  },
  {
    title: 'a body of another type than JSON',
    path: '/json',
    question: { headers: FORM_TYPE, body: 'n=1' },
    expected: refusal(415, 'RR_MEDIA_TYPE_UNSUPPORTED'),
  },
  {
    title: 'a form',
    path: '/form',
    question: { headers: FORM_TYPE, body: 'name=%C3%A4+b&empty=' },
    expected: { status: 200, text: '{"name":"ä b","empty":""}' },
  },
  ...LENGTHS.flatMap(bodies),
  {
    title: 'a body that is not what its content-encoding says',
    path: '/body',
    question: { headers: GZIP, body: 'plain' },
    expected: refusal(400, 'RR_BODY_MALFORMED'),
  },
  {
    title: 'a content-encoding that nobody knows',
    path: '/body',
    question: { headers: { 'content-encoding': 'snappy' }, body: 'plain' },
    expected: refusal(415, 'RR_MEDIA_TYPE_UNSUPPORTED'),
  },
  {
    title: 'cookies',
    path: '/cookies',
    question: { headers: { cookie: 'theme=dark; name=%C3%A4%20b' } },
    expected: {
      status: 200,
      headers: {
        'set-cookie': ['seen=%C3%A4%3B%20b; Path=/; HttpOnly', 'theme=light; Max-Age=60'],
      },
      text: '{"theme":"dark","name":"ä b"}',
    },
  },
  {
    title: 'a query parameter',
    path: '/query?p=1&q=%C3%A4+b&q=c',
    expected: { status: 200, text: '"ä b"' },
  },
  ...['%', '%zz', '%ff'].map((value) => ({
    title: `a query parameter of ${value}`,
    path: `/query?q=${value}`,
    expected: refusal(400, 'RR_QUERY_MALFORMED'),
  })),
]

const RESPONSES: readonly Exchange[] = [
  {
    title: 'a stream',
    path: '/stream',
    expected: { status: 200, headers: { 'transfer-encoding': 'chunked' }, text: LINES.join('') },
  },
  {
    title: '103 Early Hints',
    path: '/hints',
    expected: { status: 200, interim: [103], text: 'hinted' },
  },
  {
    title: 'lines of JSON',
    path: '/ndjson',
    expected: {
      headers: { 'content-type': 'application/x-ndjson' },
      text: /^\{"n":1\}\n\{"n":2\}\n\{"n":3\}\n$/,
    },
  },
  {
    title: 'the answer of the error handler, which pages of other origins may read',
    path: '/sold-out',
    question: { headers: { origin: ORIGIN } },
    expected: {
      status: 409,
      headers: { 'access-control-allow-origin': ORIGIN, vary: /Origin/ },
      text: /"detail":"sold out"/,
    },
  },
  {
    title: 'the answer to an error that nobody foresaw',
    path: '/fails',
    question: { headers: { origin: ORIGIN } },
    expected: {
      status: 500,
      headers: { 'access-control-allow-origin': ORIGIN },
      text: /^\{"title":"Internal Server Error","status":500\}$/,
    },
  },
  { title: 'the answer for nothing', path: '/none', expected: { status: 404 } },
]

const FILES: readonly Exchange[] = [
  {
    title: 'a file',
    path: '/file',
    expected: {
      status: 200,
      headers: { 'content-type': /^text\/plain/, 'content-length': '27', 'accept-ranges': 'bytes' },
      text: /^abc.*z\n$/,
    },
  },
  {
    title: 'a part of a file',
    path: '/file',
    question: { headers: { range: 'bytes=2-4' } },
    expected: { status: 206, headers: { 'content-range': 'bytes 2-4/27' }, text: /^cde$/ },
  },
  {
    title: 'the end of a file',
    path: '/file',
    question: { headers: { range: 'bytes=-2' } },
    expected: { status: 206, headers: { 'content-range': 'bytes 25-26/27' }, text: /^z\n$/ },
  },
  {
    title: 'a part that a file does not have',
    path: '/file',
    question: { headers: { range: 'bytes=27-' } },
    expected: { status: 416, headers: { 'content-range': 'bytes */27' } },
  },
  {
    title: 'a file of a folder',
    path: '/assets/letters.txt',
    expected: { status: 200, headers: { 'cache-control': 'no-cache' }, text: /^abc.*z\n$/ },
  },
  { title: 'no file of a folder', path: '/assets/numbers.txt', expected: { status: 404 } },
  { title: 'no listing of a folder', path: '/assets/', expected: { status: 404 } },
]

export const EXCHANGES: readonly Exchange[] = [...REQUESTS, ...RESPONSES, ...FILES]
