// Access logs made by the application itself.

import { empty, HttpError, type HttpRequest, type HttpResponse, json, stream, text } from '@rr/core'
import t, { type Test } from 'tap'
import {
  type AccessLogOptions,
  type AccessRecord,
  accessLog,
  combinedLine,
  jsonLine,
} from '../src/access-log.ts'
import { requestId } from '../src/request-id.ts'
import { TestServer } from './support/server.ts'

async function* chunks(): AsyncGenerator<string> {
  yield 'streamed'
}

function answer({ path }: HttpRequest): HttpResponse {
  if (path === '/missing') throw new HttpError(404, 'none')
  if (path === '/broken') throw new TypeError('a fault')
  if (path === '/empty') return empty()
  if (path === '/stream') return stream(chunks())
  if (path === '/known') return stream(chunks(), { headers: { 'content-length': '8' } })
  return path === '/json' ? json({ a: 'ä' }) : text('hello')
}

function start(t: Test, options: AccessLogOptions): Promise<TestServer> {
  return TestServer.compose(t, [requestId({ trust: true }), accessLog(options)], answer)
}

const RECORD: AccessRecord = {
  time: '2026-11-03T09:08:07.006Z',
  method: 'GET',
  path: '/a',
  httpVersion: '1.1',
  status: 200,
  bytes: 5,
  durationMs: 1.234,
  client: '192.0.2.1',
  peer: '10.0.0.1',
  requestId: 'abc',
  referrer: null,
  userAgent: 'test/1.0',
}

t.test('a record tells of the request and its answer', async (t) => {
  const records: AccessRecord[] = []
  const server = await start(t, { log: (record) => records.push(record) })
  const headers = { 'user-agent': 'test/1.0', referer: 'https://a.test/', 'x-request-id': 'given' }
  const before = Date.now()
  await server.ask({ path: '/json?secret=1', headers })
  const [record] = records
  t.match(record, {
    method: 'GET',
    path: '/json',
    httpVersion: '1.1',
    status: 200,
    bytes: 10,
    client: '127.0.0.1',
    peer: '127.0.0.1',
    requestId: 'given',
    referrer: 'https://a.test/',
    userAgent: 'test/1.0',
  })
  const time = Date.parse(record?.time ?? '')
  t.ok(time >= before - 1 && time <= Date.now())
  t.ok((record?.durationMs ?? -1) >= 0)
})

for (const [path, method, status, bytes] of [
  ['/', 'GET', 200, 5],
  ['/', 'HEAD', 200, 0],
  ['/', 'POST', 200, 5],
  ['/empty', 'GET', 204, 0],
  ['/stream', 'GET', 200, null],
  ['/known', 'GET', 200, 8],
  ['/missing', 'GET', 404, null],
  ['/broken', 'GET', 500, null],
] as const) {
  t.test(`${method} ${path}: ${status}, ${bytes} bytes`, async (t) => {
    const records: AccessRecord[] = []
    const server = await start(t, { log: (record) => records.push(record) })
    t.equal((await server.ask({ path, method })).status, status)
    t.match(records, [{ path, method, status, bytes, userAgent: null, referrer: null }])
  })
}

t.test('a log that throws harms no answer, and is a warning once', async (t) => {
  const warnings: string[] = []
  const onWarning = (warning: Error): void => void warnings.push(warning.message)
  process.on('warning', onWarning)
  t.teardown(() => process.off('warning', onWarning))
  const server = await start(t, {
    log: () => {
      throw new Error('disk full')
    },
  })
  for (const [path, status] of [
    ['/', 200],
    ['/missing', 404],
    ['/', 200],
  ] as const) {
    t.equal((await server.ask({ path })).status, status)
  }
  t.same(warnings, ['accessLog() could not log: disk full'])
})

t.test('without a function, lines of JSON go to stdout', async (t) => {
  const lines: string[] = []
  const { write } = process.stdout
  process.stdout.write = ((line: string) => lines.push(line)) as unknown as typeof write
  try {
    const server = await start(t, {})
    await server.ask()
  } finally {
    process.stdout.write = write
  }
  const own = lines.filter((line) => line.startsWith('{"time"'))
  t.equal(own.length, 1)
  t.match(JSON.parse(own[0] ?? ''), { method: 'GET', path: '/', status: 200, bytes: 5 })
})

t.test('a line of JSON', async (t) => {
  t.equal(jsonLine(RECORD), `${JSON.stringify(RECORD)}\n`)
})

t.test('a line of the combined format', async (t) => {
  t.equal(
    combinedLine(RECORD),
    '192.0.2.1 - - [03/Nov/2026:09:08:07 +0000] "GET /a HTTP/1.1" 200 5 "-" "test/1.0"\n',
  )
  t.match(combinedLine({ ...RECORD, bytes: null }), / 200 - "-"/)
})

t.test(
  'prevents a client from forging or breaking lines, and from reaching a terminal',
  async (t) => {
    const evil = '"\n{"forged":1}\r\n\\\x1b[2J\x07\x7f\x9b31m\u2028\u202e\ud800é'
    const record = { ...RECORD, path: evil, userAgent: evil, referrer: evil, method: evil }
    for (const line of [jsonLine(record), combinedLine(record)]) {
      t.match(line, /^[\x20-\x7e]+\n$/)
    }
    t.same(JSON.parse(jsonLine(record)), record, 'nothing of it is lost')
    const quotes = combinedLine(record).match(/(?<!\\)"/g)
    t.equal(quotes?.length, 6)
  },
)

t.test('long fields are cut', async (t) => {
  for (const [length, kept] of [
    [1023, 1023],
    [1024, 1024],
    [1025, 1024],
  ] as const) {
    const record = { ...RECORD, userAgent: 'x'.repeat(length) }
    t.match(jsonLine(record), new RegExp(`"x{${kept}}"`))
    t.match(combinedLine(record), new RegExp(`"x{${kept}}"`))
  }
})

t.test('options that cannot be are refused when it is made', async (t) => {
  t.throws(() => accessLog({ logs: 1 } as object), {
    code: 'RR_OPTION_UNKNOWN',
    message: "accessLog(): unknown option 'logs'; did you mean 'log'?",
  })
  t.throws(() => accessLog({ log: true } as object), { code: 'RR_OPTION_INVALID' })
})
