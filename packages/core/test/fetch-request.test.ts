import t from 'tap'
import { resolveApplication } from '../src/application.ts'
import type { HttpRequest } from '../src/request.ts'
import { sourceRequest } from '../src/web-request.ts'
import { Conversation, converse } from './support/conversation.ts'
import { GET, NEXT, POST, request } from './support/messages.ts'
import { deferred, turns } from './support/turns.ts'

type Fetch = (request: Request) => Response | Promise<Response>

function serve(fetch: Fetch, input: string): Promise<Conversation> {
  return converse(input, { handler: resolveApplication({ fetch }).handler })
}

/** What `look` sees of the Request. */
async function seen<Value>(
  input: string,
  look: (request: Request) => Value,
): Promise<Awaited<Value>> {
  const result = Promise.withResolvers<Awaited<Value>>()
  const conversation = await serve(async (request) => {
    try {
      result.resolve(await look(request))
    } catch (error) {
      result.reject(error)
    }
    return new Response()
  }, input)
  if (conversation.started === 0) throw new Error(conversation.output)
  return await result.promise
}

const POST_HELLO = `${POST}Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello`

t.test('the Request', async (t) => {
  await t.test('is one, and says what was asked', async (t) => {
    const input = request(
      'PUT /a/../b%20c?d=e HTTP/1.1',
      'Host: Example.COM:80',
      'X-A: 1',
      'x-a: 2',
    )
    const [isRequest, method, url, headers, text] = await seen(input, (request) => [
      request instanceof Request,
      request.method,
      request.url,
      request.headers,
      String(request),
    ])
    t.equal(isRequest, true)
    t.equal(method, 'PUT')
    t.equal(url, 'http://example.com/b%20c?d=e', 'as URL has it')
    t.equal((headers as Headers).get('X-a'), '1, 2')
    t.equal(text, '[object Request]')
  })

  await t.test('has a URL whatever the target', async (t) => {
    const url = (line: string, ...fields: string[]): Promise<string> =>
      seen(request(line, ...fields), (request) => request.url)
    t.equal(await url('GET / HTTP/1.1', 'Host: a'), 'http://a/')
    t.equal(await url('GET /? HTTP/1.1', 'Host: a'), 'http://a/')
    t.equal(
      await url('GET //b/c HTTP/1.1', 'Host: a'),
      'http://a//b/c',
      'a path is never taken for a host',
    )
    t.equal(await url('GET /\\b HTTP/1.1', 'Host: a'), 'http://a//b')
    t.equal(await url('GET http://b:81/c?d HTTP/1.1', 'Host: a'), 'http://b:81/c?d')
    t.equal(
      await url('GET https://b/c HTTP/1.1', 'Host: a'),
      'http://b/c',
      'the scheme is that of the connection',
    )
    t.equal(await url('OPTIONS * HTTP/1.1', 'Host: a'), 'http://a/*')
    t.equal(await url('GET / HTTP/1.0'), 'http://192.0.2.1:8080/')
    t.equal(await url('GET / HTTP/1.1', 'Host:'), 'http://192.0.2.1:8080/')
    t.equal(await url('GET / HTTP/1.1', 'Host: [::1]:81'), 'http://[::1]:81/')
  })

  await t.test('has https over TLS', async (t) => {
    let url = ''
    const conversation = new Conversation({
      handler: resolveApplication({
        fetch: (request: Request) => {
          url = request.url
          return new Response()
        },
      }).handler,
    })
    conversation.transport.tls = {
      protocol: 'TLSv1.3',
      cipher: '',
      alpnProtocol: null,
      servername: null,
    }
    await conversation.send(NEXT).settle()
    t.equal(url, 'https://a/next')
  })

  await t.test('with a Host that no URL can have is the fault of the client', async (t) => {
    for (const host of ['1.2.3.256', 'a%00b', 'a%2fb', ':80']) {
      const conversation = await serve(
        (request) => new Response(request.url),
        request('GET / HTTP/1.1', `Host: ${host}`),
      )
      t.same(conversation.statuses(), [400], host)
      t.same(conversation.errors, [])
    }
  })

  await t.test('has its body, in every form', async (t) => {
    t.equal(await seen(POST_HELLO, (request) => request.text()), 'hello')
    t.equal((await seen(POST_HELLO, (request) => request.arrayBuffer())).byteLength, 5)
    t.equal((await seen(POST_HELLO, (request) => request.blob())).size, 5)
    t.equal((await seen(POST_HELLO, (request) => request.bytes())).length, 5)
    t.equal(await seen(POST_HELLO, (request) => new Response(request.body).text()), 'hello')
    const json = `${POST}Content-Length: 7\r\n\r\n{"a":1}`
    t.same(await seen(json, (request) => request.json()), { a: 1 })
    const form = `${POST}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n\r\na=b`
    t.equal(await seen(form, async (request) => (await request.formData()).get('a')), 'b')
    t.equal(await seen(NEXT, (request) => request.body), null)
    t.equal(await seen(NEXT, (request) => request.text()), '')
    t.equal(
      await seen(POST_HELLO, async (request) => [await request.text(), request.bodyUsed][1]),
      true,
    )
    t.equal(await seen(POST_HELLO, (request) => request.bodyUsed), false)
  })

  await t.test('can be cloned, copied and changed', async (t) => {
    t.same(
      await seen(POST_HELLO, async (request) => {
        const clone = request.clone()
        return [
          await clone.text(),
          await request.text(),
          clone instanceof Request,
          clone.url === request.url,
        ]
      }),
      ['hello', 'hello', true, true],
    )
    t.same(
      await seen(POST_HELLO, async (request) => {
        const copy = new Request(request)
        return [
          copy.method,
          copy.url,
          copy.headers.get('content-type'),
          await copy.text(),
          request.bodyUsed,
        ]
      }),
      ['POST', 'http://a/', 'text/plain', 'hello', true],
    )
    t.same(
      await seen(POST_HELLO, async (request) => {
        const copy = new Request(request, { method: 'PATCH', headers: { 'x-b': 'c' } })
        return [
          copy.method,
          copy.headers.get('x-b'),
          copy.headers.get('content-type'),
          await copy.text(),
        ]
      }),
      ['PATCH', 'c', null, 'hello'],
    )
    t.same(
      await seen(POST_HELLO, async (request) => {
        const copy = new Request('http://other/', request)
        return [copy.url, copy.method, await copy.text()]
      }),
      ['http://other/', 'POST', 'hello'],
      'as the init of another',
    )
    t.same(
      await seen(NEXT, (request) => {
        class Own extends Request {}
        const own = new Own(request)
        return [own instanceof Own, own instanceof Request, own.url]
      }),
      [true, true, 'http://a/next'],
    )
    t.equal(await seen(NEXT, () => new Request('http://b/').url), 'http://b/', 'others are as ever')
    t.equal(
      await seen(NEXT, (request) => {
        request.headers.set('x-own', 'y')
        return request.clone().headers.get('x-own')
      }),
      'y',
      'its headers can be changed before',
    )
  })

  await t.test('can be passed to fetch', async (t) => {
    // Nothing listens on a port of 0: what fails is the connection, not the Request.
    const error = await seen(request('GET http://127.0.0.1:0/ HTTP/1.1', 'Host: a'), (request) =>
      fetch(request).catch((error: unknown) => error),
    )
    t.ok(error instanceof TypeError)
    t.equal((error as Error).message, 'fetch failed')
    t.equal(
      await seen(NEXT, () => fetch('data:,hello').then((response) => response.text())),
      'hello',
    )
  })

  await t.test('has everything else that a Request has', async (t) => {
    const names = Object.getOwnPropertyNames(Request.prototype).filter(
      (name) => name !== 'constructor',
    )
    const missing = await seen(NEXT, (request) =>
      names.filter((name) => (request as unknown as Record<string, unknown>)[name] === undefined),
    )
    const expected = names.filter(
      (name) =>
        (new Request('http://a/') as unknown as Record<string, unknown>)[name] === undefined,
    )
    t.same(missing, expected)
    t.equal(await seen(NEXT, (request) => request.redirect), 'follow')
    t.type(
      await seen(NEXT, async (request) => (await import('node:util')).inspect(request)),
      'string',
    )
  })

  await t.test('has a signal that aborts when the client goes', async (t) => {
    const signals: AbortSignal[] = []
    const conversation = new Conversation({
      handler: resolveApplication({
        fetch: (request: Request) => {
          signals.push(request.signal)
          return Promise.withResolvers<Response>().promise
        },
      }).handler,
    })
    await conversation.send(NEXT).settle()
    t.same(
      signals.map(({ aborted }) => aborted),
      [false],
    )
    conversation.leave()
    t.same(
      signals.map(({ aborted }) => aborted),
      [true],
    )
  })

  await t.test('leads back to the request that rr made it from', async (t) => {
    const source = await seen(NEXT, (request) => sourceRequest(request))
    t.equal((source as HttpRequest | null)?.peer.address, '192.0.2.7')
    t.equal(sourceRequest(new Request('http://a/')), null)
    const derived = await seen(NEXT, (request) => [
      sourceRequest(request),
      sourceRequest(request.clone()),
      sourceRequest(new Request(request)),
      sourceRequest(new Request('http://b/', request)),
      sourceRequest(new Request(new Request(request), { method: 'PUT' })),
    ])
    t.ok(derived[0] !== null && derived[0] !== undefined)
    t.same(
      derived.map((one) => one === derived[0]),
      [true, true, true, true, true],
      'and the same of what is made from it',
    )
    t.equal(sourceRequest({} as Request), null)
  })

  await t.test('rejects when its body cannot be read, and never throws', async (t) => {
    const input = `${POST}Content-Encoding: unknown\r\nContent-Length: 5\r\n\r\nhello`
    const decompressBodies = true
    for (const name of ['arrayBuffer', 'blob', 'bytes', 'formData', 'json', 'text'] as const) {
      let body: Promise<unknown> | null = null
      const fetch: Fetch = (request) => {
        body = request[name]()
        return new Response()
      }
      const { handler } = resolveApplication({ fetch })
      const conversation = await converse(input, { handler, limits: { decompressBodies } })
      t.same(conversation.statuses(), [200])
      await t.rejects(async () => await body, { code: 'RR_MEDIA_TYPE_UNSUPPORTED' }, name)
    }
  })

  await t.test('may fail to be read before anybody waits: no unhandled rejection', async (t) => {
    const unhandled: unknown[] = []
    const listener = (reason: unknown): void => void unhandled.push(reason)
    process.on('unhandledRejection', listener)
    const go = deferred<void>()
    const caught: unknown[] = []
    const fetch: Fetch = async (request) => {
      const body = request.json()
      await go.promise
      await body.catch((error: unknown) => caught.push(error))
      return new Response()
    }
    const gone = await serve(fetch, `${POST}Content-Length: 5\r\n\r\nhell`)
    gone.leave()
    await serve(fetch, `${POST}Content-Length: 5\r\n\r\nhello`)
    await turns(20)
    go.resolve()
    await turns(5)
    process.off('unhandledRejection', listener)
    t.same(unhandled, [])
    t.match(caught, [{ code: 'RR_REQUEST_ABORTED' }, { name: 'SyntaxError' }])
  })

  await t.test('repeats cookies in one field', async (t) => {
    const input = `${GET}Cookie: a=1\r\nCookie: b=2\r\n\r\n`
    t.equal(await seen(input, (request) => request.headers.get('cookie')), 'a=1; b=2')
  })
})
