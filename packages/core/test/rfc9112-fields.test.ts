import t from 'tap'
import { text } from '../src/response.ts'
import { type RequestCase, runCases } from './support/cases.ts'
import { converse } from './support/conversation.ts'
import { GET, NEXT } from './support/messages.ts'

t.test('RFC 9112 §5 Field Syntax, RFC 9110 §5.1 Field Names', (t) => {
  const refused: readonly (readonly [string, string])[] = [
    ['an empty name', ': b'],
    ['a name with a space', 'A b: c'],
    ['a name with a separator', 'A(b): c'],
    ['a name with a slash', 'A/b: c'],
    ['a name with NUL', 'A\0: c'],
    ['a name with a control', 'A\x01: c'],
    ['a name with DEL', 'A\x7f: c'],
    ['a name with a byte above ASCII', 'A\xe9: c'],
    ['a line without a colon', 'A'],
    ['a line without a colon, but with a space', 'A b'],
  ]
  runCases(
    t,
    refused.map(
      ([title, line]): RequestCase => [
        `${title} is refused`,
        `${GET}${line}\r\n\r\n${NEXT}`,
        400,
        'closed',
      ],
    ),
  )
  runCases(t, [
    [
      'all characters of a token make a name',
      `${GET}!#$%&'*+-.^_\`|~09AZaz: b\r\n\r\n`,
      200,
      'open',
    ],
    ['a field may have any name', `${GET}__proto__: a\r\nconstructor: b\r\n\r\n`, 200, 'open'],
  ])
  t.end()
})

t.test('RFC 9112 §5.1 Field Line Parsing', async (t) => {
  runCases(t, [
    ['a space before the colon is refused', `${GET}A : b\r\n\r\n${NEXT}`, 400, 'closed'],
    ['a tab before the colon is refused', `${GET}A\t: b\r\n\r\n${NEXT}`, 400, 'closed'],
    [
      'a space before the colon of Content-Length is refused',
      `${GET}Content-Length : 5\r\n\r\nhello${NEXT}`,
      400,
      'closed',
    ],
    [
      'a space before the colon of Transfer-Encoding is refused',
      `${GET}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${NEXT}`,
      400,
      'closed',
    ],
  ])
  let seen: unknown = null
  await converse(`${GET}A:b\r\nC: \t d e \t\r\nF:\r\nG:  \r\nh:i:j\r\n\r\n`, {
    handler: ({ headers }) => {
      seen = [...headers.raw()]
      return text('')
    },
  })
  t.same(
    seen,
    [
      ['Host', 'a'],
      ['A', 'b'],
      ['C', 'd e'],
      ['F', ''],
      ['G', ''],
      ['h', 'i:j'],
    ],
    'whitespace around a value is not part of it',
  )
})

t.test('RFC 9110 §5.5 Field Values', async (t) => {
  const refused: readonly (readonly [string, string])[] = [
    ['NUL', 'a\0b'],
    ['NUL at the start', '\0'],
    ['a control', 'a\x01b'],
    ['a vertical tab', 'a\vb'],
    ['a form feed', 'a\fb'],
    ['a backspace', '\bb'],
    ['ESC', 'a\x1b[31m'],
    ['DEL', 'a\x7fb'],
    ['a bare CR', 'a\rb'],
    ['a bare CR at the end', 'a\r'],
    ['a bare LF', 'a\nb'],
    ['LF before CR', 'a\n\rb'],
  ]
  runCases(
    t,
    refused.map(
      ([title, value]): RequestCase => [
        `${title} is refused`,
        `${GET}A: ${value}\r\n\r\n${NEXT}`,
        400,
        'closed',
      ],
    ),
  )
  let value: string | null = null
  await converse(`${GET}A: \x80\xe9\xff "\\ \t\x21\x7e\r\n\r\n`, {
    handler: ({ headers }) => {
      value = headers.get('a')
      return text('')
    },
  })
  t.equal(value, '\x80\xe9\xff "\\ \t\x21\x7e', 'obs-text is taken, a character a byte')
})

t.test('RFC 9112 §5.2 Obsolete Line Folding', (t) => {
  runCases(t, [
    ['a folded value is refused', `${GET}A: b\r\n c\r\n\r\n${NEXT}`, 400, 'closed'],
    ['a value folded with a tab is refused', `${GET}A: b\r\n\tc\r\n\r\n${NEXT}`, 400, 'closed'],
    ['a fold after an empty value is refused', `${GET}A:\r\n b\r\n\r\n${NEXT}`, 400, 'closed'],
    ['a fold that is empty is refused', `${GET}A: b\r\n \r\n\r\n${NEXT}`, 400, 'closed'],
    ['a folded Host is refused', `GET / HTTP/1.1\r\nHost:\r\n a\r\n\r\n${NEXT}`, 400, 'closed'],
    [
      'a folded Transfer-Encoding is refused',
      `${GET}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n${NEXT}`,
      400,
      'closed',
    ],
    [
      'a folded Content-Length is refused',
      `${GET}Content-Length: 1\r\n 2\r\n\r\nhello world!${NEXT}`,
      400,
      'closed',
    ],
  ])
  t.end()
})
