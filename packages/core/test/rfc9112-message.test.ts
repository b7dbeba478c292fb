import t from 'tap'
import type { HttpRequest } from '../src/request.ts'
import { text } from '../src/response.ts'
import { type RequestCase, runCases } from './support/cases.ts'
import { converse } from './support/conversation.ts'
import { GET, NEXT, request } from './support/messages.ts'

t.test('RFC 9112 §2.2 Message Parsing', (t) => {
  runCases(t, [
    ['one CRLF before the request line is ignored', `\r\n${NEXT}\r\n${NEXT}`, [200, 200], 'open'],
    [
      'more than one empty line before the request line is refused',
      `\r\n\r\n${NEXT}`,
      400,
      'closed',
    ],
    ['a bare LF before the request line is refused', `\n${NEXT}`, 400, 'closed'],
    ['a bare CR before the request line is refused', `\r${NEXT}`, 400, 'closed'],
    [
      'a line ends with CRLF: a bare LF after the request line is refused',
      'GET / HTTP/1.1\nHost: a\r\n\r\n',
      400,
      'closed',
    ],
    [
      'a bare LF after a field line is refused',
      'GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n',
      400,
      'closed',
    ],
    ['a bare LF as the empty line is refused', 'GET / HTTP/1.1\r\nHost: a\r\n\n', 400, 'closed'],
    [
      'a bare CR within the request line is refused',
      'GET /\r HTTP/1.1\r\nHost: a\r\n\r\n',
      400,
      'closed',
    ],
    ['a bare CR within a field line is refused', `${GET}X: a\rb\r\n\r\n`, 400, 'closed'],
    ['a bare CR as the empty line is refused', `${GET}\rX`, 400, 'closed'],
    [
      'whitespace between the request line and the first field is refused',
      'GET / HTTP/1.1\r\n Host: a\r\n\r\n',
      400,
      'closed',
    ],
    ['whitespace before the request line is refused', ` ${NEXT}`, 400, 'closed'],
    [
      'something that is not HTTP is refused',
      '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
      400,
      'closed',
    ],
  ])
  t.end()
})

t.test('RFC 9112 §2.3 HTTP Version', (t) => {
  const versions: readonly (readonly [string, number])[] = [
    ['HTTP/0.9', 505],
    ['HTTP/1.2', 505],
    ['HTTP/1.9', 505],
    ['HTTP/2.0', 505],
    ['HTTP/3.0', 505],
    ['HTTP/1.10', 400],
    ['HTTP/11.1', 400],
    ['HTTP/1', 400],
    ['HTTP/1.', 400],
    ['HTTP/.1', 400],
    ['HTTP/a.b', 400],
    ['HTTP/1,1', 400],
    ['http/1.1', 400],
    ['HTTPS/1.1', 400],
    ['HTTP /1.1', 400],
    ['ICE/1.0', 400],
    ['RTSP/1.0', 400],
  ]
  runCases(
    t,
    versions.map(([version, status]) => [
      `${version} is refused with ${status}`,
      `GET / ${version}\r\nHost: a\r\n\r\n${NEXT}`,
      status,
      'closed',
    ]),
  )
  runCases(t, [
    [
      'the preface of HTTP/2 is refused with 505',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      505,
      'closed',
    ],
    [
      'every answer is HTTP/1.1, to HTTP/1.0 too',
      request('GET / HTTP/1.0'),
      200,
      'closed',
      { check: (t, { output }) => t.match(output, /^HTTP\/1\.1 200 OK\r\n/) },
    ],
  ])
  t.end()
})

t.test('RFC 9112 §3 Request Line', (t) => {
  const refused: readonly (readonly [string, string])[] = [
    ['two spaces before the target', 'GET  / HTTP/1.1'],
    ['two spaces after the target', 'GET /  HTTP/1.1'],
    ['a tab instead of the first space', 'GET\t/ HTTP/1.1'],
    ['a tab instead of the second space', 'GET /\tHTTP/1.1'],
    ['a space after the version', 'GET / HTTP/1.1 '],
    ['a space in the target', 'GET /a b HTTP/1.1'],
    ['no target', 'GET HTTP/1.1'],
    ['no version', 'GET /'],
    ['a method alone', 'GET'],
    ['NUL in the target', 'GET /\0 HTTP/1.1'],
    ['a control in the target', 'GET /\x01 HTTP/1.1'],
    ['DEL in the target', 'GET /\x7f HTTP/1.1'],
    ['a byte above ASCII in the target', 'GET /\xe9 HTTP/1.1'],
    ['a form feed in the target', 'GET /\f HTTP/1.1'],
    ['a control in the method', 'GE\x01T / HTTP/1.1'],
    ['a separator in the method', 'GET( / HTTP/1.1'],
  ]
  runCases(
    t,
    refused.map(([title, line]) => [
      `${title} is refused`,
      request(line, 'Host: a') + NEXT,
      400,
      'closed',
    ]),
  )
  t.end()
})

/** What a handler sees of the request line. */
async function seenBy(input: string): Promise<Record<string, string | null> | null> {
  let seen: Record<string, string | null> | null = null
  const handler = ({ method, target, path, queryString, host }: HttpRequest) => {
    seen = { method, target, path, queryString, host }
    return text('')
  }
  await converse(input, { handler })
  return seen
}

t.test('RFC 9112 §3.2.1 Origin Form', async (t) => {
  const targets: readonly (readonly [string, string, string])[] = [
    ['/', '/', ''],
    ['/where?q=now', '/where', 'q=now'],
    ['/?', '/', ''],
    ['/a?b?c', '/a', 'b?c'],
    ['/a%2Fb%00', '/a%2Fb%00', ''],
    ['//a//b', '//a//b', ''],
    ['/../a/./b', '/../a/./b', ''],
    ['/a;b=c,d', '/a;b=c,d', ''],
    ['/a|b"<>\\^`{}', '/a|b"<>\\^`{}', ''],
    ['/http://b/', '/http://b/', ''],
  ]
  for (const [target, path, queryString] of targets) {
    t.same(
      await seenBy(request(`GET ${target} HTTP/1.1`, 'Host: a:8080')),
      { method: 'GET', target, path, queryString, host: 'a:8080' },
      `${target}: nothing is decoded or normalised`,
    )
  }
  runCases(t, [
    [
      'a fragment is refused, in the path and in the query (§3.2)',
      request('GET /a#b HTTP/1.1', 'Host: a'),
      400,
      'closed',
    ],
    [
      'a fragment in the query is refused',
      request('GET /a?b#c HTTP/1.1', 'Host: a'),
      400,
      'closed',
    ],
  ])
})

t.test('RFC 9112 §3.2.2 Absolute Form', async (t) => {
  const targets: readonly (readonly [string, string, string, string])[] = [
    ['http://b/', 'b', '/', ''],
    ['http://b', 'b', '/', ''],
    ['HTTPS://B:443/x?y', 'B:443', '/x', 'y'],
    ['http://b?y', 'b', '/', 'y'],
    ['http://b:/x', 'b:', '/x', ''],
    ['http://[::1]:80/x', '[::1]:80', '/x', ''],
    ['http://b/c/http://d?e', 'b', '/c/http://d', 'e'],
  ]
  for (const [target, host, path, queryString] of targets) {
    t.same(
      await seenBy(request(`GET ${target} HTTP/1.1`, 'Host: ignored')),
      { method: 'GET', target, path, queryString, host },
      `${target}: its authority replaces Host`,
    )
  }
  const refused = [
    'http:///x',
    'http://',
    'http://:80/',
    'http://u@b/',
    'http://u:p@b/',
    'http://b:80:80/',
    'http://b:65536/',
    'http://b:x/',
    'http://[::1/',
    'http://b]/',
    'http://b%/',
    'http://b#c',
    'ftp://b/',
    'ws://b/',
    'mailto:b',
    'urn:b:c',
    'b/c',
    'b:80',
  ]
  runCases(
    t,
    refused.map((target) => [
      `${target} is refused`,
      request(`GET ${target} HTTP/1.1`, 'Host: a'),
      400,
      'closed',
    ]),
  )
  runCases(t, [
    ['Host is required and checked all the same', request('GET http://b/ HTTP/1.1'), 400, 'closed'],
  ])
})

t.test('RFC 9112 §3.2.3 Authority Form, §3.2.4 Asterisk Form', async (t) => {
  runCases(t, [
    [
      'the authority form is for CONNECT only, which is not implemented',
      request('CONNECT b:80 HTTP/1.1', 'Host: b:80') + NEXT,
      501,
      'closed',
    ],
    ['the asterisk form is for OPTIONS only', request('GET * HTTP/1.1', 'Host: a'), 400, 'closed'],
    [
      'an asterisk with something after it is no target',
      request('OPTIONS *x HTTP/1.1', 'Host: a'),
      400,
      'closed',
    ],
  ])
  t.same(await seenBy(request('OPTIONS * HTTP/1.1', 'Host: a')), {
    method: 'OPTIONS',
    target: '*',
    path: '*',
    queryString: '',
    host: 'a',
  })
  t.match(
    await seenBy(request('OPTIONS http://b HTTP/1.1', 'Host: a')),
    { path: '*', host: 'b' },
    'an absolute form without a path is the asterisk form for OPTIONS',
  )
  t.match(await seenBy(request('OPTIONS http://b/ HTTP/1.1', 'Host: a')), { path: '/' })
  t.match(await seenBy(request('OPTIONS http://b?c HTTP/1.1', 'Host: a')), {
    path: '/',
    queryString: 'c',
  })
})

t.test('RFC 9112 §3.2 Host', (t) => {
  const hosts: readonly (readonly [string, boolean])[] = [
    ['a', true],
    ['a.example.:80', true],
    ['A-b_c~d', true],
    ["!$&'()*+,;=", true],
    ['a%20b', true],
    ['127.0.0.1', true],
    ['1.2.3.256', true],
    ['[::1]', true],
    ['[::ffff:1.2.3.4]:8080', true],
    ['[v1.a:b]', true],
    ['', true],
    ['a:', true],
    ['a:65535', true],
    ['a:65536', false],
    ['a:-1', false],
    ['a:8 0', false],
    ['a:80:80', false],
    ['a b', false],
    ['a\tb', false],
    ['a/b', false],
    ['a?b', false],
    ['a#b', false],
    ['a\\b', false],
    ['a@b', false],
    ['a"b', false],
    ['a<b>', false],
    ['a%', false],
    ['a%2', false],
    ['a%zz', false],
    ['::1', false],
    ['[::1', false],
    ['[::1]x', false],
    ['[]', false],
    ['[::g]', false],
    ['a\xe9', false],
    ['http://a', false],
  ]
  const cases: RequestCase[] = hosts.map(([host, isValid]) => [
    `Host '${host}' is ${isValid ? 'taken' : 'refused'}`,
    request('GET / HTTP/1.1', `Host: ${host}`),
    isValid ? 200 : 400,
    isValid ? 'open' : 'closed',
  ])
  runCases(t, cases)
  runCases(t, [
    [
      'a request of HTTP/1.1 without Host is refused',
      request('GET / HTTP/1.1', 'Hos: a', 'Hosts: a') + NEXT,
      400,
      'closed',
    ],
    ['a request of HTTP/1.0 without Host is taken', request('GET / HTTP/1.0'), 200, 'closed'],
    [
      'a request of HTTP/1.0 with a bad Host is refused',
      request('GET / HTTP/1.0', 'Host: a b'),
      400,
      'closed',
    ],
    [
      'more than one Host is refused, even if all are the same',
      request('GET / HTTP/1.1', 'Host: a', 'X: y', 'hOST: a') + NEXT,
      400,
      'closed',
    ],
    [
      'more than one Host is refused in HTTP/1.0 too',
      request('GET / HTTP/1.0', 'Host: a', 'Host: a'),
      400,
      'closed',
    ],
    [
      'the name Host is case-insensitive, its value may have space around it',
      request('GET / HTTP/1.1', 'HoSt: \t a \t'),
      200,
      'open',
    ],
  ])
  t.end()
})
