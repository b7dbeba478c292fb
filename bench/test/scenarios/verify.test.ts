import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import type { Scenario } from '../../src/model.ts'
import { SCENARIOS, verify } from '../../src/scenarios/index.ts'
import { eventText, HELLO, pattern, TEXT_TYPE } from '../../src/scenarios/payloads.ts'

const scenario = (name: string): Scenario => SCENARIOS.find((one) => one.name === name)!

/** A server for one test; returns its address. */
async function serve(t: Test, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

interface Hello {
  readonly status?: number
  readonly type?: string | null
  readonly body?: string
}

/** A server of the scenario `hello`, wrong where `given` says so. */
const hello =
  ({ status = 200, type = TEXT_TYPE, body = HELLO }: Hello): RequestListener =>
  (_, response) => {
    response.statusCode = status
    if (type !== null) response.setHeader('Content-Type', type)
    response.end(body)
  }

t.test('a right answer has no problem', async (t) => {
  t.same(await verify(await serve(t, hello({})), scenario('hello')), [])
})

t.test('content-type: case and spaces do not count, the rest does', async (t) => {
  const right = await serve(t, hello({ type: 'Text/Plain;charset=UTF-8' }))
  t.same(await verify(right, scenario('hello')), [])
  const wrong = await serve(t, hello({ type: 'text/plain' }))
  t.same(await verify(wrong, scenario('hello')), [
    `GET /: content-type text/plain, expected ${TEXT_TYPE}`,
  ])
  const none = await serve(t, hello({ type: null }))
  t.same(await verify(none, scenario('hello')), [
    `GET /: content-type missing, expected ${TEXT_TYPE}`,
  ])
})

t.test('a wrong status, and every other thing that is wrong with it', async (t) => {
  const url = await serve(t, hello({ status: 500, type: 'text/html', body: 'no' }))
  t.same(await verify(url, scenario('hello')), [
    'GET /: status 500, expected 200',
    `GET /: content-type text/html, expected ${TEXT_TYPE}`,
    'GET /: body: 2 bytes, expected 13; it begins "no"',
  ])
})

t.test('a wrong body of the right length', async (t) => {
  const url = await serve(t, hello({ body: 'Hello, world!' }))
  t.same(await verify(url, scenario('hello')), [
    'GET /: body: differs at byte 7: "world!", expected "World!"',
  ])
})

t.test('a type where there should be none; a header that is missing or wrong', async (t) => {
  const url = await serve(t, (_, response) => {
    response.writeHead(302, { 'Content-Type': 'text/html' }).end()
  })
  t.same(await verify(url, scenario('redirect')), [
    'GET /old: content-type text/html, expected none',
    'GET /old: location missing, expected /new',
  ])
  const elsewhere = await serve(t, (_, response) => {
    response.writeHead(302, { Location: '/newer' }).end()
  })
  t.same(await verify(elsewhere, scenario('redirect')), [
    'GET /old: location /newer, expected /new',
  ])
})

t.test('an answer that is always 304', async (t) => {
  const etag = scenario('etag_304').requests[0]?.answer.headers[0]?.[1] as string
  const url = await serve(t, (_, response) => response.writeHead(304, { ETag: etag }).end())
  t.match((await verify(url, scenario('etag_304')))[0], /^GET \/page: status 304, expected 200$/)
})

t.test('an answer that is not compressed, or is of something else', async (t) => {
  const plain = await serve(t, hello({}))
  t.match(await verify(plain, scenario('gzip_response')), [
    /content-encoding missing, expected gzip/,
    /no gzip/,
  ])
})

t.test('a body that is echoed before the client was told to go on', async (t) => {
  const echo: RequestListener = (request, response) => {
    response.setHeader('Content-Type', 'application/octet-stream')
    request.pipe(response)
  }
  const url = await serve(t, echo)
  t.same(await verify(url, scenario('expect_100_continue')), [])
  t.same(await verify(url, scenario('chunked_request_body')), [])
  const mute = createServer(echo).on('checkContinue', echo).listen(0, '127.0.0.1')
  await once(mute, 'listening')
  t.teardown(() => mute.close())
  const { port } = mute.address() as AddressInfo
  t.same(await verify(`http://127.0.0.1:${port}`, scenario('expect_100_continue')), [
    'POST /echo: no interim answer 100',
  ])
})

t.test(
  'events: a part of an endless stream is enough; a wrong or repeated event is not',
  async (t) => {
    const events = (first: number): RequestListener => {
      return (_, response) => {
        response.setHeader('Content-Type', 'text/event-stream')
        for (let n = 0; n < 1000; n++) response.write(eventText(n < 3 ? n : n + first))
      }
    }
    t.same(await verify(await serve(t, events(0)), scenario('server_sent_events')), [])
    const wrong = await verify(await serve(t, events(-1)), scenario('server_sent_events'))
    t.match(wrong, [/body: event 3 is/])
    const silent = await serve(t, (_, response) => {
      response.setHeader('Content-Type', 'text/event-stream')
      response.end()
    })
    t.match(await verify(silent, scenario('server_sent_events')), [/no event/])
  },
)

t.test('no answer, half an answer, no server', async (t) => {
  const never = await serve(t, () => {})
  t.same(await verify(never, scenario('hello'), 200), ['GET /: timed out'])
  const half = await serve(t, (_, response) => {
    response.writeHead(200, { 'Content-Length': '13', 'Content-Type': TEXT_TYPE })
    response.write('Hello')
    setImmediate(() => response.destroy())
  })
  t.same(await verify(half, scenario('hello')), ['GET /: aborted'])
  const closed = createServer().listen(0, '127.0.0.1')
  await once(closed, 'listening')
  const { port } = closed.address() as AddressInfo
  closed.close()
  t.match(await verify(`http://127.0.0.1:${port}`, scenario('hello')), [/ECONNREFUSED/])
})

t.test('a server that is wrong throughout is not asked two hundred times', async (t) => {
  let asked = 0
  const url = await serve(t, (_, response) => {
    asked += 1
    response.writeHead(500).end(pattern(10))
  })
  t.equal((await verify(url, scenario('varied_paths_router'))).length, 5)
  t.ok(asked <= 5)
})
