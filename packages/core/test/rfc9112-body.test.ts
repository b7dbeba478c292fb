import t from 'tap'
import type { Handler } from '../src/handler.ts'
import { text } from '../src/response.ts'
import { type RequestCase, runCases } from './support/cases.ts'
import { Conversation } from './support/conversation.ts'
import { CHUNKED, NEXT, POST, request } from './support/messages.ts'

/** Answers with the body, in brackets. */
const echo: Handler = async (request) => text(`[${await request.text()}]`)

function bodies(conversation: Conversation): string[] {
  return conversation.responses().map(({ body }) => body)
}

t.test('RFC 9112 §6 Message Body', (t) => {
  runCases(
    t,
    [
      [
        'a request without Content-Length or Transfer-Encoding has no body',
        POST + '\r\n' + NEXT,
        [200, 200],
        'open',
      ],
      [
        'Content-Length: 0 is no body',
        `${POST}Content-Length: 0\r\n\r\n${NEXT}`,
        [200, 200],
        'open',
      ],
      [
        'a body has as many bytes as Content-Length says',
        `${POST}Content-Length: 5\r\n\r\nhello${NEXT}`,
        [200, 200],
        'open',
        { check: (t, conversation) => t.same(bodies(conversation), ['[hello]', '[]']) },
      ],
      [
        'a body is not read as a request, whatever it looks like',
        `${POST}Content-Length: ${NEXT.length}\r\n\r\n${NEXT}${NEXT}`,
        [200, 200],
        'open',
        { check: (t, conversation) => t.same(bodies(conversation), [`[${NEXT}]`, '[]']) },
      ],
      [
        'a method that has no use for a body may have one (RFC 9110 §9.3.1)',
        request('GET / HTTP/1.1', 'Host: a', 'Content-Length: 2') + `ab${NEXT}`,
        [200, 200],
        'open',
        { check: (t, conversation) => t.same(bodies(conversation), ['[ab]', '[]']) },
      ],
      [
        'a body of HTTP/1.0',
        request('POST / HTTP/1.0', 'Content-Length: 2') + 'ab',
        200,
        'closed',
        { check: (t, conversation) => t.same(bodies(conversation), ['[ab]']) },
      ],
    ],
    { handler: echo },
  )
  t.end()
})

t.test('RFC 9112 §6.1 Transfer-Encoding', (t) => {
  const codings: readonly (readonly [string, number])[] = [
    ['', 400],
    [' ', 400],
    [',', 400],
    ['gzip', 400],
    ['identity', 400],
    ['chunked, gzip', 400],
    ['chunked, identity', 400],
    ['chunked, chunked', 400],
    ['chunked,', 400],
    [',chunked', 400],
    ['gzip, chunked', 501],
    ['identity, chunked', 501],
    ['gzip,,chunked', 400],
    ['xchunked', 400],
    ['chunkedx', 400],
    ['x chunked', 400],
    ['chunked x', 400],
    ['chunked;q=1', 400],
    ['"chunked"', 400],
    ['chunked\x0b', 400],
    ['\x0bchunked', 400],
    ['chunked\xa0', 400],
  ]
  runCases(
    t,
    codings.map(
      ([coding, status]): RequestCase => [
        `'${coding}' is refused with ${status}`,
        `${POST}Transfer-Encoding: ${coding}\r\n\r\n0\r\n\r\n${NEXT}`,
        status,
        'closed',
      ],
    ),
  )
  const taken = ['chunked', 'CHUNKED', 'Chunked', ' \tchunked  ']
  runCases(
    t,
    taken.map(
      (coding): RequestCase => [
        `'${coding}' is taken`,
        `${POST}tRANSFER-eNCODING:${coding}\r\n\r\n0\r\n\r\n${NEXT}`,
        [200, 200],
        'open',
      ],
    ),
  )
  runCases(t, [
    [
      'chunked twice, in two fields, is refused',
      `${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${NEXT}`,
      400,
      'closed',
    ],
    [
      'another coding before chunked, in two fields, is refused',
      `${POST}Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${NEXT}`,
      400,
      'closed',
    ],
    [
      'an empty coding after chunked, in two fields, is refused',
      `${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding:\r\n\r\n0\r\n\r\n${NEXT}`,
      400,
      'closed',
    ],
    [
      'an empty coding before chunked, in two fields, is refused',
      `${POST}Transfer-Encoding:\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${NEXT}`,
      400,
      'closed',
    ],
    [
      'Transfer-Encoding in HTTP/1.0 is refused',
      request('POST / HTTP/1.0', 'Connection: keep-alive', 'Transfer-Encoding: chunked') +
        '0\r\n\r\n',
      400,
      'closed',
    ],
  ])
  t.end()
})

t.test('RFC 9112 §6.1, §6.3: Transfer-Encoding with Content-Length is refused', (t) => {
  const codings = ['chunked', 'gzip', 'identity', '', 'xchunked', 'gzip, chunked']
  const lengths = ['5', '0']
  runCases(
    t,
    codings.flatMap((coding) =>
      lengths.flatMap((length): RequestCase[] => [
        [
          `Content-Length: ${length}, then Transfer-Encoding: '${coding}'`,
          `${POST}Content-Length: ${length}\r\nTransfer-Encoding: ${coding}\r\n\r\n0\r\n\r\n${NEXT}`,
          400,
          'closed',
        ],
        [
          `Transfer-Encoding: '${coding}', then Content-Length: ${length}`,
          `${POST}Transfer-Encoding: ${coding}\r\nContent-Length: ${length}\r\n\r\n0\r\n\r\n${NEXT}`,
          400,
          'closed',
        ],
      ]),
    ),
  )
  t.end()
})

t.test('RFC 9112 §6.2, RFC 9110 §8.6 Content-Length', (t) => {
  const refused = [
    '',
    ' ',
    '+5',
    '-5',
    '-0',
    '5.0',
    '5e0',
    '0x5',
    '5 5',
    '5,5',
    '5, 5',
    '5, 6',
    '5;',
    '"5"',
    'five',
    'NaN',
    '5\x0b',
    '\x0b5',
    '5\xa0',
    '٥',
    '18446744073709551616',
    '99999999999999999999999999999999',
  ]
  runCases(
    t,
    refused.map(
      (length): RequestCase => [
        `'${length}' is refused`,
        Buffer.from(`${POST}Content-Length: ${length}\r\n\r\nhello${NEXT}`, 'utf8'),
        400,
        'closed',
      ],
    ),
  )
  runCases(t, [
    [
      'the same length twice is refused',
      `${POST}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello${NEXT}`,
      400,
      'closed',
    ],
    [
      'different lengths are refused',
      `${POST}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!${NEXT}`,
      400,
      'closed',
    ],
    [
      'a length that is above the limit and below 2^64 is too large',
      `${POST}Content-Length: 18446744073709551615\r\n\r\n`,
      413,
      'closed',
    ],
    [
      'leading zeros and space around the value are allowed',
      `${POST}cONTENT-lENGTH: \t 0005  \r\n\r\nhello${NEXT}`,
      [200, 200],
      'open',
    ],
  ])
  t.end()
})

t.test('RFC 9112 §8 Handling Incomplete Messages', (t) => {
  const incomplete: readonly (readonly [string, string])[] = [
    ['a request line', 'GET / HT'],
    ['a method', 'GE'],
    ['a field line', 'GET / HTTP/1.1\r\nHost'],
    ['a head', 'GET / HTTP/1.1\r\nHost: a\r\n\r'],
    ['a body', `${POST}Content-Length: 5\r\n\r\nhell`],
    ['a body of which nothing came', `${POST}Content-Length: 5\r\n\r\n`],
    ['a chunked body of which nothing came', CHUNKED],
    ['a chunk', `${CHUNKED}5\r\nhell`],
    ['a chunk without its CRLF', `${CHUNKED}5\r\nhello`],
    ['a chunked body without its last chunk', `${CHUNKED}5\r\nhello\r\n`],
    ['a last chunk', `${CHUNKED}5\r\nhello\r\n0\r\n`],
    ['trailers', `${CHUNKED}5\r\nhello\r\n0\r\nA: b\r\n`],
  ]
  runCases(
    t,
    incomplete.map(
      ([title, input]): RequestCase => [
        `${title} cut by the end of input is answered 400, and no body is given out as whole`,
        input,
        400,
        'closed',
      ],
    ),
    { handler: echo, finish: true },
  )
  runCases(
    t,
    [
      ['the end of input between requests is no error', NEXT, 200, 'closed'],
      ['the end of input before any request is answered with nothing', '', [], 'closed'],
      ['the end of input after an empty line is answered with nothing', '\r\n', [], 'closed'],
      ['the end of input after a CR is answered with nothing', '\r', [], 'closed'],
      ['what is whole is answered first', `${NEXT}${NEXT}GET`, [200, 200, 400], 'closed'],
    ],
    { finish: true },
  )
  t.test('a client that goes in the middle of a body is answered with nothing', async (t) => {
    const conversation = new Conversation({ handler: echo })
    await conversation.send(`${POST}Content-Length: 5\r\n\r\nhell`).leave().settle()
    t.equal(conversation.output, '')
    t.same([conversation.started, conversation.finished], [1, 1])
    t.same(conversation.errors, [], 'which is no error of the handler')
  })
  t.end()
})
