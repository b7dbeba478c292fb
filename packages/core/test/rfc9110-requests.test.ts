import t from 'tap'
import type { Handler } from '../src/handler.ts'
import { text } from '../src/response.ts'
import { type RequestCase, runCases } from './support/cases.ts'
import { Conversation, converse } from './support/conversation.ts'
import { GET, NEXT, POST, request } from './support/messages.ts'
import { deferred } from './support/turns.ts'

const echo: Handler = async (request) => text(await request.text())

t.test('RFC 9110 §9.1 Methods', (t) => {
  const known = [
    'GET',
    'HEAD',
    'POST',
    'PUT',
    'DELETE',
    'OPTIONS',
    'TRACE',
    'PATCH',
    'PROPFIND',
    'M-SEARCH',
    'QUERY',
  ]
  runCases(
    t,
    known.map(
      (method): RequestCase => [
        `${method} reaches the handler`,
        request(`${method} / HTTP/1.1`, 'Host: a') + NEXT,
        [200, 200],
        'open',
        { check: (t, { methods }) => t.same(methods, [method, 'GET']) },
      ],
    ),
  )
  const unknown = [
    'BREW',
    'get',
    'Get',
    'GETS',
    'GE',
    'G',
    'X-GET',
    'HEADER',
    'POSTAL',
    '!#$%&',
    'PLAY',
    'DESCRIBE',
  ]
  runCases(
    t,
    unknown.map(
      (method): RequestCase => [
        `${method} is refused with 501`,
        request(`${method} / HTTP/1.1`, 'Host: a') + NEXT,
        501,
        'closed',
      ],
    ),
  )
  t.end()
})

t.test('RFC 9110 §9.3.2 HEAD', (t) => {
  const head = request('HEAD / HTTP/1.1', 'Host: a')
  const length = (conversation: Conversation): string | undefined =>
    conversation.responses('HEAD')[0]?.headers.get('content-length')?.[0]
  runCases(t, [
    [
      'is answered with the fields of GET, without a body',
      head + NEXT,
      [200, 200],
      'open',
      {
        handler: ({ method }) => text(method === 'HEAD' ? 'hello' : ''),
        check: (t, conversation) => t.equal(length(conversation), '5'),
      },
    ],
    [
      'may be answered with the length that the application knows',
      head,
      200,
      'open',
      {
        handler: () => ({ status: 200, headers: { 'content-length': '12' } }),
        check: (t, conversation) => t.equal(length(conversation), '12'),
      },
    ],
    [
      'may be answered without a length',
      head + NEXT,
      [200, 200],
      'open',
      {
        handler: () => ({ status: 200 }),
        check: (t, conversation) => t.equal(length(conversation), undefined),
      },
    ],
    [
      'is answered without a body when the handler fails',
      head + NEXT,
      [500, 500],
      'open',
      {
        handler: () => {
          throw new Error('no')
        },
      },
    ],
    ...(
      [
        ['Host is missing', 'HEAD / HTTP/1.1\r\n\r\n', 400],
        ['the target is bad', 'HEAD /\0 HTTP/1.1\r\n\r\n', 400],
        ['the version is unknown', 'HEAD / HTTP/2.0\r\n\r\n', 505],
        ['a field is bad', 'HEAD / HTTP/1.1\r\nA : b\r\n\r\n', 400],
        ['the target is too long', `HEAD /${'x'.repeat(9000)} HTTP/1.1\r\n\r\n`, 414],
        ['a field is too long', `HEAD / HTTP/1.1\r\nA: ${'x'.repeat(9000)}\r\n\r\n`, 431],
        [
          'its body is too large',
          'HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\n\r\n',
          413,
        ],
        ['its expectation is unknown', 'HEAD / HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n', 417],
      ] as const
    ).map(
      ([why, input, status]): RequestCase => [
        `is refused without a body: ${why}`,
        input,
        status,
        'closed',
        { refusedMethod: 'HEAD' },
      ],
    ),
    [
      'before a refused request changes nothing for that one',
      `${head}GET / HTTP/1.1\r\n\r\n`,
      [200, 400],
      'closed',
      { check: (t, conversation) => t.match(conversation.responses()[1]?.body, /^Bad Request/) },
    ],
    [
      'before an empty line too many changes nothing for that one',
      `${head}\n`,
      [200, 400],
      'closed',
      { check: (t, conversation) => t.match(conversation.responses()[1]?.body, /^Bad Request/) },
    ],
  ])
  t.end()
})

t.test('RFC 9110 §9.3.6 CONNECT, §9.3.7 OPTIONS', (t) => {
  runCases(t, [
    ['CONNECT is refused', request('CONNECT a:80 HTTP/1.1', 'Host: a:80') + NEXT, 501, 'closed'],
    [
      'CONNECT with a path is refused',
      request('CONNECT / HTTP/1.1', 'Host: a') + NEXT,
      501,
      'closed',
    ],
    ['CONNECT in HTTP/1.0 is refused', request('CONNECT a:80 HTTP/1.0') + NEXT, 501, 'closed'],
    ['OPTIONS * reaches the handler', request('OPTIONS * HTTP/1.1', 'Host: a'), 200, 'open'],
    [
      'OPTIONS * with a body reaches the handler',
      request('OPTIONS * HTTP/1.1', 'Host: a', 'Content-Length: 2') + `ab${NEXT}`,
      [200, 200],
      'open',
    ],
  ])
  t.end()
})

t.test('RFC 9110 §7.8 Upgrade', (t) => {
  const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\n'
  runCases(
    t,
    [
      [
        'an upgrade that is not known is ignored',
        `${GET}${upgrade}\r\n${NEXT}`,
        [200, 200],
        'open',
      ],
      [
        'an upgrade to h2c is ignored',
        `${GET}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n${NEXT}`,
        [200, 200],
        'open',
      ],
      [
        'a body is read as ever',
        `${POST}${upgrade}Content-Length: 5\r\n\r\nhello${NEXT}`,
        [200, 200],
        'open',
        { check: (t, conversation) => t.equal(conversation.responses()[0]?.body, 'hello') },
      ],
      [
        'a chunked body is read as ever',
        `${POST}${upgrade}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n${NEXT}`,
        [200, 200],
        'open',
        { check: (t, conversation) => t.equal(conversation.responses()[0]?.body, 'hello') },
      ],
      [
        'close is honoured',
        `${GET}Connection: upgrade, close\r\nUpgrade: x\r\n\r\n${NEXT}`,
        200,
        'closed',
      ],
    ],
    { handler: echo },
  )
  t.end()
})

t.test('RFC 9110 §10.1.1 Expect', async (t) => {
  const expecting = `${POST}Expect: 100-continue\r\nContent-Length: 5\r\n\r\n`
  const chunked = `${POST}Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n`
  runCases(t, [
    [
      '100 (Continue) when the body is asked for',
      `${expecting}hello${NEXT}`,
      [100, 200, 200],
      'open',
      { handler: echo },
    ],
    [
      'a chunked body too, and any case',
      `${chunked.replace('100-c', '100-C')}5\r\nhello\r\n0\r\n\r\n${NEXT}`,
      [100, 200, 200],
      'open',
      { handler: echo },
    ],
    [
      'no 100 when the body is not asked for; the connection closes, as the body may come or not',
      expecting,
      200,
      'closed',
      {
        check: (t, conversation) =>
          t.same(conversation.responses()[0]?.headers.get('connection'), ['close']),
      },
    ],
    ['what follows is not taken for a request', `${expecting}${NEXT}`, 200, 'closed'],
    [
      'no 100 without a body',
      `${GET}Expect: 100-continue\r\n\r\n${NEXT}`,
      [200, 200],
      'open',
      { handler: echo },
    ],
    [
      'no 100 for a body of no length',
      `${POST}Expect: 100-continue\r\nContent-Length: 0\r\n\r\n${NEXT}`,
      [200, 200],
      'open',
      { handler: echo },
    ],
    [
      'HTTP/1.0 cannot expect: no 100',
      request('POST / HTTP/1.0', 'Expect: 100-continue', 'Content-Length: 5') + 'hello',
      200,
      'closed',
      { handler: echo },
    ],
    [
      'HTTP/1.0 cannot expect: nothing unknown is refused',
      request('GET / HTTP/1.0', 'Expect: x'),
      200,
      'closed',
    ],
    [
      'an unknown expectation is refused',
      `${POST}Expect: x\r\nContent-Length: 5\r\n\r\nhello${NEXT}`,
      417,
      'closed',
    ],
    ['an unknown one without a body is refused', `${GET}Expect: x\r\n\r\n${NEXT}`, 417, 'closed'],
    ['an empty expectation is refused', `${GET}Expect:\r\n\r\n${NEXT}`, 417, 'closed'],
    [
      'one more in the list is refused',
      `${POST}Expect: 100-continue, x\r\nContent-Length: 5\r\n\r\n`,
      417,
      'closed',
    ],
    [
      'parameters are refused',
      `${POST}Expect: 100-continue; a=b\r\nContent-Length: 5\r\n\r\n`,
      417,
      'closed',
    ],
    [
      'a second field is refused',
      `${POST}Expect: 100-continue\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n`,
      417,
      'closed',
    ],
    [
      'a body over the limit is refused before it is sent',
      `${POST}Expect: 100-continue\r\nContent-Length: 6\r\n\r\n`,
      413,
      'closed',
      { limits: { maxBodyBytes: 5 }, handler: echo },
    ],
  ])

  await t.test('100 is sent at once, and once', async (t) => {
    const conversation = await converse(expecting, { handler: echo })
    t.equal(conversation.output, 'HTTP/1.1 100 Continue\r\n\r\n')
    await conversation.send('hello').settle()
    t.same(conversation.statuses(), [100, 200])
    t.ok(conversation.isOpen)
  })

  await t.test('100 is sent when a handler asks late', async (t) => {
    const asked = deferred<void>()
    const conversation = await converse(expecting, {
      handler: async (request) => {
        await asked.promise
        return text(await request.text())
      },
    })
    t.equal(conversation.output, '')
    asked.resolve()
    await conversation.settle()
    t.same(conversation.statuses(), [100])
    await conversation.send(`hello${NEXT}`).settle()
    t.same(conversation.statuses(), [100, 200, 200])
  })

  await t.test('no 100 when the body has come already', async (t) => {
    const asked = deferred<void>()
    const conversation = await converse(`${expecting}hello${NEXT}`, {
      handler: async (request) => {
        await asked.promise
        return text(await request.text())
      },
    })
    asked.resolve()
    await conversation.settle()
    t.same(conversation.statuses(), [200, 200])
    t.ok(conversation.isOpen)
  })

  await t.test('a refusal by the handler before the body is final', async (t) => {
    const conversation = new Conversation({ handler: () => text('no', { status: 401 }) })
    await conversation.send(expecting).settle()
    t.same(conversation.statuses(), [401])
    await conversation.send('hello').send(NEXT).settle()
    t.same(conversation.statuses(), [401], 'a body that comes all the same is dropped')
  })
})
