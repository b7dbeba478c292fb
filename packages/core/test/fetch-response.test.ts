import { Hono } from 'hono'
import { cors } from 'hono/cors'
import t from 'tap'
import { resolveApplication } from '../src/application.ts'
import type { FetchApplication } from '../src/handler.ts'
import { stream } from '../src/response.ts'
import { type Conversation, converse } from './support/conversation.ts'
import { NEXT, request } from './support/messages.ts'
import { turns } from './support/turns.ts'

function serve(fetch: FetchApplication['fetch'], input: string): Promise<Conversation> {
  return converse(input, { handler: resolveApplication({ fetch }).handler })
}

t.test('the Response', async (t) => {
  const answer = async (response: () => Response | Promise<Response>, input = NEXT + NEXT) => {
    const conversation = await serve(async () => await response(), input)
    await conversation.settle()
    return { conversation, response: conversation.responses()[0] }
  }

  await t.test('leaves whole when its body is there', async (t) => {
    const bodies: readonly (readonly [string, () => ConstructorParameters<typeof Response>[0]])[] =
      [
        ['text', () => 'héllo'],
        ['bytes', () => Buffer.from('héllo')],
        ['a buffer', () => new Uint8Array(Buffer.from('héllo')).buffer],
        ['search parameters', () => new URLSearchParams({ a: 'b€' })],
      ]
    for (const [title, body] of bodies) {
      const { response } = await answer(() => new Response(body()))
      t.ok(response?.headers.has('content-length'), title)
      t.ok((response?.body.length ?? 0) > 0)
    }
    const { response } = await answer(() => Response.json({ a: 'é' }))
    t.match(response, { status: 200, body: Buffer.from('{"a":"é"}').toString('latin1') })
    t.same(response?.headers.get('content-type'), ['application/json'])
    const large = await answer(() => new Response('x'.repeat(200_000)))
    t.equal(large.response?.headers.get('content-length')?.[0], '200000')
  })

  await t.test('is streamed when it is not', async (t) => {
    const parts = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from('a')
      await turns()
      yield Buffer.from('b')
    }
    const { response, conversation } = await answer(
      () => new Response(ReadableStream.from(parts())),
    )
    t.match(response, { body: 'ab', complete: true })
    t.same(response?.headers.get('transfer-encoding'), ['chunked'])
    t.equal(conversation.responses().length, 2)
    const form = new FormData()
    form.set('a', 'b')
    const multipart = await answer(() => new Response(form))
    t.match(multipart.response?.body, /name="a"\r\n\r\nb\r\n/)
    const blob = await answer(() => new Response(new Blob(['a', 'b'])))
    t.equal(blob.response?.body, 'ab')
  })

  await t.test('may have no body', async (t) => {
    const empty = await answer(() => new Response(null))
    t.match(empty.response, { status: 200, body: '' })
    t.same(empty.response?.headers.get('content-length'), ['0'])
    for (const status of [204, 205, 304]) {
      const { response, conversation } = await answer(() => new Response(null, { status }))
      t.equal(response?.status, status)
      t.equal(conversation.responses().length, 2)
    }
    const head = await answer(() => new Response('hello'), `HEAD${NEXT.slice(3)}${NEXT}`)
    t.same(head.response?.headers.get('content-length'), ['5'])
    t.equal(head.conversation.responses().length, 2)
  })

  await t.test('repeats Set-Cookie', async (t) => {
    const { response } = await answer(() => {
      const headers = new Headers({ 'set-cookie': 'a=1' })
      headers.append('Set-Cookie', 'b=2; Expires=Wed, 21 Oct 2015 07:28:00 GMT')
      headers.append('x', '1')
      headers.append('x', '2')
      return new Response(null, { headers })
    })
    t.same(response?.headers.get('set-cookie'), [
      'a=1',
      'b=2; Expires=Wed, 21 Oct 2015 07:28:00 GMT',
    ])
    t.same(response?.headers.get('x'), ['1, 2'])
  })

  await t.test('may redirect', async (t) => {
    const { response } = await answer(() => Response.redirect('http://b/c', 303))
    t.equal(response?.status, 303)
    t.same(response?.headers.get('location'), ['http://b/c'])
  })

  await t.test('that cannot be sent is answered 500', async (t) => {
    const used = async (): Promise<Response> => {
      const response = new Response('a')
      await response.text()
      return response
    }
    const partlyUsed = async (): Promise<Response> => {
      const response = new Response(ReadableStream.from([Buffer.from('a'), Buffer.from('b')]))
      const reader = response.body?.getReader()
      await reader?.read()
      reader?.releaseLock()
      return response
    }
    const locked = (): Response => {
      const response = new Response('a')
      response.body?.getReader()
      return response
    }
    const failing = (): Response =>
      new Response(
        new ReadableStream({
          start(controller) {
            controller.error(new Error('no'))
          },
        }),
      )
    const announced = (): Response => new Response('abc', { headers: { 'content-length': '2' } })
    for (const bad of [used, partlyUsed, locked, failing, announced, () => Response.error()]) {
      const { conversation } = await answer(bad)
      t.same(conversation.statuses(), [500, 500], bad.name)
      t.equal(conversation.errors.length, 2)
      t.ok(conversation.isOpen)
    }
  })

  await t.test('may be made by another implementation', async (t) => {
    const undici = await import('undici')
    const { response } = await answer(
      () => new undici.Response('hello', { headers: { 'x-a': 'b' } }) as unknown as Response,
    )
    t.match(response, { status: 200, body: 'hello' })
    t.same(response?.headers.get('x-a'), ['b'])
  })

  await t.test('may be one of rr, which can have trailers', async (t) => {
    async function* parts(): AsyncGenerator<string> {
      yield* ['a', 'b']
    }
    const conversation = await serve(
      () => stream(parts(), { trailers: () => ({ 'x-sum': 'c5' }) }),
      request('GET / HTTP/1.1', 'Host: a', 'TE: trailers'),
    )
    await conversation.settle()
    const response = conversation.responses()[0]
    t.match(response, { status: 200, body: 'ab', complete: true })
    t.same(response?.trailers.get('x-sum'), ['c5'])
  })

  await t.test('of an application that throws is 500', async (t) => {
    const error = new Error('no')
    const { conversation } = await answer(() => {
      throw error
    })
    t.same(conversation.statuses(), [500, 500])
    t.same(conversation.errors, [error, error])
  })
})

t.test('a Hono application is served unchanged', async (t) => {
  const app = new Hono()
  app.use('/api/*', cors())
  app.get('/', (c) => c.text('Hello Hono'))
  app.get('/users/:id', (c) => c.json({ id: c.req.param('id'), q: c.req.query('q') }))
  app.post('/echo', async (c) => c.body(await c.req.text(), 201, { 'x-own': 'y' }))
  app.get('/fail', () => {
    throw new Error('no')
  })
  app.get('/html', (c) => c.html('<p>é</p>'))
  const input = [
    request('GET / HTTP/1.1', 'Host: a'),
    request('GET /users/7?q=x HTTP/1.1', 'Host: a'),
    `POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello`,
    request('GET /missing HTTP/1.1', 'Host: a'),
    request('GET /html HTTP/1.1', 'Host: a'),
    request(
      'OPTIONS /api/x HTTP/1.1',
      'Host: a',
      'Origin: http://b',
      'Access-Control-Request-Method: GET',
    ),
    request('HEAD / HTTP/1.1', 'Host: a'),
  ].join('')
  const conversation = await serve((request) => app.fetch(request), input)
  await conversation.settle()
  t.match(conversation.responses(), [
    { status: 200, body: 'Hello Hono' },
    { status: 200, body: '{"id":"7","q":"x"}' },
    { status: 201, body: 'hello' },
    { status: 404 },
    { status: 200 },
    { status: 204 },
    { status: 200, body: '' },
  ])
  t.same(conversation.responses()[2]?.headers.get('x-own'), ['y'])
  t.same(conversation.errors, [])
})
