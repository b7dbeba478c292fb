import t from 'tap'
import type { Handler } from '../src/handler.ts'
import type { HttpRequest } from '../src/request.ts'
import { text } from '../src/response.ts'
import { Conversation, converse } from './support/conversation.ts'
import { CHUNKED, GET, NEXT, POST, request } from './support/messages.ts'
import { deferred } from './support/turns.ts'

/** The request as the handler sees it. */
async function received(input: string): Promise<HttpRequest> {
  let seen: HttpRequest | null = null
  await converse(input, {
    handler: (request) => {
      seen = request
      return text('')
    },
  })
  if (seen === null) throw new Error('refused')
  return seen
}

t.test('headers', async (t) => {
  const { headers } = await received(
    `${GET}X-A: 1\r\nx-a:2\r\nX-A:\r\nX-AB: no\r\nAccept: a, b\r\nCookie: c=1\r\ncookie: d=2\r\nE:\r\n\r\n`,
  )
  t.equal(headers.get('x-a'), '1, 2, ', 'repeats are joined (RFC 9110 §5.3)')
  t.equal(headers.get('X-A'), '1, 2, ', 'in any case')
  t.equal(headers.get('cookie'), 'c=1; d=2', 'cookies in their own way (RFC 6265 §5.4)')
  t.equal(headers.get('e'), '', 'an empty value is one')
  t.equal(headers.get('nothing'), null)
  t.equal(headers.get(''), null)
  t.equal(headers.get('x-a: 1'), null)
  t.ok(headers.has('HOST'))
  t.notOk(headers.has('hos'))
  t.same(headers.getAll('x-a'), ['1', '2', ''])
  t.same(headers.getAll('accept'), ['a, b'], 'a list in one field is one value')
  t.same(headers.getAll('nothing'), [])
  t.same([...headers].slice(0, 3), [
    ['host', 'a'],
    ['x-a', '1'],
    ['x-a', '2'],
  ])
  t.same([...headers.raw()].slice(0, 3), [
    ['Host', 'a'],
    ['X-A', '1'],
    ['x-a', '2'],
  ])
  t.same(Object.fromEntries(headers)['x-ab'], 'no')

  const none = await received(request('GET / HTTP/1.0'))
  t.same([...none.headers], [])
  t.equal(none.headers.get('host'), null)
  t.equal(none.host, '')

  const chunked = await received(`${CHUNKED}3\r\na:b\r\n0\r\n\r\n`)
  t.same(
    [...chunked.headers.raw()],
    [
      ['Host', 'a'],
      ['Transfer-Encoding', 'chunked'],
    ],
    'nothing of the body is taken for a field',
  )
})

t.test('headers stay what they were when the connection goes on', async (t) => {
  const first = await received(
    `${GET}X: first\r\n\r\n${request('GET /2 HTTP/1.1', 'Host: b', 'X: 2')}`,
  )
  t.equal(first.headers.get('x'), '2', 'this is the second one')
  const seen: HttpRequest[] = []
  const conversation = new Conversation({
    handler: (request) => {
      seen.push(request)
      return text('')
    },
  })
  conversation.send(`${GET}X: first\r\n\r\n`).sendBytes(request('PUT /2?b HTTP/1.0', 'X: second'))
  t.same(
    seen.map((one) => [
      one.method,
      one.path,
      one.queryString,
      one.httpVersion,
      one.headers.get('x'),
    ]),
    [
      ['GET', '/', '', '1.1', 'first'],
      ['PUT', '/2', 'b', '1.0', 'second'],
    ],
  )
})

t.test('headers.get compares names as letters without case, and nothing else so', async (t) => {
  const { headers } = await received(
    request('GET / HTTP/1.1', 'Host: a', 'a^b: 1', 'A~B: 2', 'c_d:x:y', 'E: f: g'),
  )
  t.equal(headers.get('a~b'), '2')
  t.equal(headers.get('A^B'), '1')
  for (const name of [
    'a>b',
    'a\u005eB ',
    'c\u007fd',
    'c?d',
    'c_d:x',
    'E: f',
    'e: f',
    'a\r\nb',
    ':',
  ]) {
    t.equal(headers.get(name), null, JSON.stringify(name))
  }
  t.equal(headers.get('c_d'), 'x:y')
  t.equal(headers.get('\u212a'), null, 'the Kelvin sign is no k')
})

t.test('query', async (t) => {
  const query = async (target: string): Promise<[string, string][]> => [
    ...(await received(request(`GET ${target} HTTP/1.1`, 'Host: a'))).query,
  ]
  t.same(await query('/'), [])
  t.same(await query('/?'), [])
  t.same(await query('/?a=1&b=2&a=3&c&=d&&'), [
    ['a', '1'],
    ['b', '2'],
    ['a', '3'],
    ['c', ''],
    ['', 'd'],
  ])
  t.same(await query('/?a+b=c%20d%2B%26'), [['a b', 'c d+&']])
  t.same(await query('/?a=b?c'), [['a', 'b?c']])
  t.same(await query('/??a=1'), [['?a', '1']], 'as URL has it')
  t.same(await query('/?%C3%A9=%E2%82%AC'), [['é', '€']])
  t.same(await query('/?__proto__=a&constructor=b'), [
    ['__proto__', 'a'],
    ['constructor', 'b'],
  ])
  const seen = await received(NEXT)
  t.equal(seen.query, seen.query, 'is made once')
})

t.test('host', async (t) => {
  const host = async (input: string): Promise<string> => (await received(input)).host
  t.equal(await host(request('GET / HTTP/1.1', 'Host: A:81')), 'A:81')
  t.equal(await host(request('GET / HTTP/1.1', 'Host:')), '')
  t.equal(await host(request('GET http://b:82/ HTTP/1.1', 'Host: a')), 'b:82')
  t.equal(await host(request('OPTIONS * HTTP/1.1', 'Host: a')), 'a')
})

t.test('id is unique, and the same each time', async (t) => {
  const ids: string[] = []
  await converse(NEXT.repeat(100), {
    handler: (request) => {
      ids.push(request.id)
      if (request.id !== ids.at(-1)) throw new Error('another id')
      return text('')
    },
  })
  t.equal(new Set(ids).size, 100)
  t.ok(ids.every((id) => /^[\w-]+$/.test(id)))
})

t.test('peer, local and tls are those of the connection', async (t) => {
  const seen = await received(NEXT)
  t.same(seen.peer, { address: '192.0.2.7', port: 49_152, family: 'IPv4' })
  t.same(seen.local, { address: '192.0.2.1', port: 8080, family: 'IPv4' })
  t.equal(seen.tls, null)
})

t.test('params, state and route are for a router to set', async (t) => {
  const seen = await received(NEXT)
  t.same([{ ...seen.params }, seen.state, seen.route], [{}, undefined, null])
  t.throws(() => {
    ;(seen.params as Record<string, string>)['a'] = 'shared by all'
  })
})

t.test('signal', async (t) => {
  await t.test('aborts when the client goes before its answer, with the reason', async (t) => {
    let signal: AbortSignal | null = null
    const conversation = await converse(NEXT, {
      handler: async (request) => {
        signal = request.signal
        return await deferred<never>().promise
      },
    })
    t.notOk((signal as AbortSignal | null)?.aborted)
    conversation.leave(new Error('ECONNRESET'))
    t.match((signal as AbortSignal | null)?.reason, {
      code: 'RR_REQUEST_ABORTED',
      cause: { message: 'ECONNRESET' },
    })
  })

  await t.test('is aborted already when it is first asked for after the client went', async (t) => {
    let seen: HttpRequest | null = null
    const conversation = await converse(NEXT, {
      handler: async (request) => {
        seen = request
        return await deferred<never>().promise
      },
    })
    conversation.leave()
    const { signal } = seen as unknown as HttpRequest
    t.match([signal.aborted, signal.reason], [true, { code: 'RR_REQUEST_ABORTED' }])
  })

  await t.test('does not abort once the answer was sent whole', async (t) => {
    const signals: AbortSignal[] = []
    let seen: HttpRequest | null = null
    const conversation = await converse(NEXT + NEXT, {
      handler: (request) => {
        if (seen === null) seen = request
        else signals.push(request.signal)
        return text('')
      },
    })
    conversation.leave()
    signals.push((seen as unknown as HttpRequest).signal)
    t.same(
      signals.map(({ aborted }) => aborted),
      [false, false],
    )
  })

  await t.test('does not abort for what becomes of a later request', async (t) => {
    const seen: HttpRequest[] = []
    const conversation = await converse(NEXT + NEXT, {
      handler: (request) => {
        seen.push(request)
        return seen.length === 1 ? text('') : deferred<never>().promise
      },
    })
    const early = seen[0]?.signal
    conversation.leave()
    t.same([early?.aborted, seen[1]?.signal.aborted], [false, true])
  })

  await t.test('aborts in the middle of an answer', async (t) => {
    let signal: AbortSignal | null = null
    const conversation = await converse(NEXT, {
      handler: (request) => {
        signal = request.signal
        return new Response(new ReadableStream())
      },
    })
    conversation.leave()
    t.ok((signal as AbortSignal | null)?.aborted)
  })

  await t.test('a listener that throws harms no other', async (t) => {
    const uncaught = deferred<unknown>()
    process.once('uncaughtException', (error) => uncaught.resolve(error))
    const error = new Error('a listener')
    let others = 0
    const conversation = await converse(NEXT, {
      handler: async ({ signal }) => {
        signal.addEventListener('abort', () => {
          throw error
        })
        signal.addEventListener('abort', () => void others++)
        return await deferred<never>().promise
      },
    })
    conversation.leave()
    t.equal(await uncaught.promise, error)
    t.equal(others, 1)
    t.same([conversation.started, conversation.finished], [1, 1])
  })
})

t.test('an AbortController is made only for a request whose signal is asked for', async (t) => {
  const Native = globalThis.AbortController
  let made = 0
  globalThis.AbortController = class extends Native {
    constructor() {
      super()
      made++
    }
  }
  t.teardown(() => {
    globalThis.AbortController = Native
  })
  const post = `${POST}Content-Length: 2\r\n\r\nhi`
  const serve = (handler: Handler): Promise<Conversation> =>
    converse((NEXT + post).repeat(50), { handler })

  const without = await serve(async (request) => {
    request.headers.get('host')
    return text(`${request.id} ${request.query.size} ${await request.text()}`)
  })
  t.equal(without.finished, 100)
  t.equal(made, 0, 'none for 100 requests, with bodies and without')

  const streamed = await serve(() => new Response('streamed'))
  t.equal(streamed.finished, 100)
  t.equal(made, 0, 'nor for answers that are streams')

  const asked = await serve((request) => {
    if (request.method === 'POST') return text('')
    void request.signal
    return text(String(request.signal.aborted))
  })
  t.equal(asked.finished, 100)
  t.equal(made, 50, 'one for each request that asks, however often')
})

t.test('the identifier can be set, to what logs and headers can carry', async (t) => {
  const request = await received(`${GET}\r\n`)
  request.id = 'from-the-proxy'
  t.equal(request.id, 'from-the-proxy')
  request.id = 'x'.repeat(256)
  for (const id of ['', 'x'.repeat(257), 'a b', 'a\r\nb', 'ä', 5 as unknown as string]) {
    t.throws(() => {
      request.id = id
    }, RangeError)
  }
  t.equal(request.id, 'x'.repeat(256))
})

t.test('middleware can abort the signal, before or after it is asked for', async (t) => {
  for (const isAskedFirst of [true, false]) {
    const seen: unknown[] = []
    const conversation = await converse(NEXT, {
      handler: (request) => {
        const signal = isAskedFirst ? request.signal : null
        request.abort(new Error('enough'))
        request.abort(new Error('again'))
        seen.push((signal ?? request.signal).reason, request.signal.aborted)
        return text('answered')
      },
    })
    t.match(seen, [{ message: 'enough' }, true])
    t.same(conversation.statuses(), [200], 'the answer is sent all the same')
  }
})
