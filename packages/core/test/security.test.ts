import t from 'tap'
import type { Handler } from '../src/handler.ts'
import { text } from '../src/response.ts'
import { Conversation, converse } from './support/conversation.ts'
import { CHUNKED, GET, NEXT, POST, request } from './support/messages.ts'

/** The request that an attacker hides in, or behind, another. */
const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n'
const LENGTH = `Content-Length: ${SMUGGLED.length}`
const CODING = 'Transfer-Encoding: chunked'
const LAST = '0\r\n\r\n'

type Vector = readonly [title: string, input: string, status?: number]

const LENGTH_AND_CODING: readonly Vector[] = [
  ['CL.TE', `${POST}${LENGTH}\r\n${CODING}\r\n\r\n${LAST}`],
  ['TE.CL', `${POST}${CODING}\r\n${LENGTH}\r\n\r\n${LAST}`],
  ['CL.TE with HTTP/1.0', `POST / HTTP/1.0\r\n${LENGTH}\r\n${CODING}\r\n\r\n${LAST}`],
  ['CL.TE with a length of 0', `${POST}Content-Length: 0\r\n${CODING}\r\n\r\n${LAST}`],
  ['CL.CL with different lengths', `${POST}Content-Length: 0\r\n${LENGTH}\r\n\r\n`],
  ['CL.CL in one field', `${POST}Content-Length: 0, ${SMUGGLED.length}\r\n\r\n`],
  ['a length with a plus', `${POST}Content-Length: +${SMUGGLED.length}\r\n\r\n`],
  ['a length with a minus', `${POST}Content-Length: -${SMUGGLED.length}\r\n\r\n`],
  ['a length in hexadecimal', `${POST}Content-Length: 0x10\r\n\r\n`],
  ['a length with a suffix', `${POST}Content-Length: ${SMUGGLED.length}abc\r\n\r\n`],
  ['a length with a vertical tab', `${POST}Content-Length: \x0b${SMUGGLED.length}\r\n\r\n`],
  ['a length that wraps at 2^64', `${POST}Content-Length: 18446744073709551616\r\n\r\n`],
  ['an empty length', `${POST}Content-Length:\r\n\r\n`],
  ['0.CL: a length in a folded line', `${POST}Content-Length:\r\n ${SMUGGLED.length}\r\n\r\n`],
  [
    '0.CL: an expectation that is nearly known',
    `${POST}Expect: y 100-continue\r\n${LENGTH}\r\n\r\n`,
    417,
  ],
  [
    'CVE-2021-22959: a space before the colon of a length',
    `${POST}Content-Length : ${SMUGGLED.length}\r\n\r\n`,
  ],
  ['CVE-2024-27982: a space before a length', `POST / HTTP/1.1\r\n ${LENGTH}\r\nHost: a\r\n\r\n`],
  [
    'CVE-2020-8201: CR within the name of a length',
    `${POST}Content\rLength: ${SMUGGLED.length}\r\n\r\n`,
  ],
]

const CODINGS: readonly Vector[] = [
  ['a prefix', `${POST}Transfer-Encoding: xchunked\r\n\r\n${LAST}`],
  [
    'CVE-2022-32213: a coding that only begins with chunked',
    `${POST}Transfer-Encoding: chunkedchunked\r\n\r\n${LAST}`,
  ],
  ['something before chunked', `${POST}Transfer-Encoding: abc, chunked\r\n\r\n${LAST}`, 501],
  ['something after chunked', `${POST}Transfer-Encoding: chunked, identity\r\n\r\n${LAST}`],
  ['a comma after chunked', `${POST}Transfer-Encoding: chunked,\r\n\r\n${LAST}`],
  ['a parameter', `${POST}Transfer-Encoding: chunked;foo=bar\r\n\r\n${LAST}`],
  ['quotes', `${POST}Transfer-Encoding: "chunked"\r\n\r\n${LAST}`],
  ['apostrophes', `${POST}Transfer-Encoding: 'chunked'\r\n\r\n${LAST}`],
  ['CVE-2019-15605: a vertical tab', `${POST}Transfer-Encoding: \x0bchunked\r\n\r\n${LAST}`],
  ['a form feed', `${POST}Transfer-Encoding: chunked\x0c\r\n\r\n${LAST}`],
  ['NUL', `${POST}Transfer-Encoding: chunked\0\r\n\r\n${LAST}`],
  ['DEL', `${POST}Transfer-Encoding: \x7fchunked\r\n\r\n${LAST}`],
  ['a no-break space', `${POST}Transfer-Encoding: \xa0chunked\r\n\r\n${LAST}`],
  ['a space before the colon', `${POST}Transfer-Encoding : chunked\r\n\r\n${LAST}`],
  ['a tab before the colon', `${POST}Transfer-Encoding\t: chunked\r\n\r\n${LAST}`],
  ['a space before the name', `POST / HTTP/1.1\r\n ${CODING}\r\nHost: a\r\n\r\n${LAST}`],
  ['LF before the colon', `${POST}Transfer-Encoding\n: chunked\r\n\r\n${LAST}`],
  ['LF before the name', `${POST}X: y\n${CODING}\r\n\r\n${LAST}`],
  [
    'CVE-2022-35256: a field that does not end with CRLF, but CR',
    `${POST}X: y\r${CODING}\r\n\r\n${LAST}`,
  ],
  ['CVE-2023-30589: CR after an empty value', `${POST}X:\r${CODING}\r\n\r\n${LAST}`],
  ['CR before the name', `${POST}X: y\r\n\r${CODING}\r\n\r\n${LAST}`],
  ['CVE-2022-32214: fields that end with LF', `${POST}X: y\n${CODING}\n\r\n${LAST}`],
  [
    'CVE-2022-32215: a value in two lines',
    `${POST}Transfer-Encoding: chunked\r\n , chunked-false\r\n\r\n${LAST}`,
  ],
  [
    'CVE-2022-32215: a value in the second line',
    `${POST}Transfer-Encoding:\r\n chunked\r\n\r\n${LAST}`,
  ],
  [
    'CVE-2020-8287: two fields, the second one unknown',
    `${POST}${CODING}\r\nTransfer-Encoding: chunked-false\r\n\r\n${LAST}`,
  ],
  ['two fields, the first one unknown', `${POST}Transfer-Encoding: x\r\n${CODING}\r\n\r\n${LAST}`],
  ['no value', `${POST}Transfer-Encoding:\r\n\r\n${LAST}`],
  ['no value, and a length', `${POST}Transfer-Encoding:\r\n${LENGTH}\r\n\r\n`],
  ['a length, and no value', `${POST}${LENGTH}\r\nTransfer-Encoding:\r\n\r\n`],
  ['HTTP/1.0', `POST / HTTP/1.0\r\nConnection: keep-alive\r\n${CODING}\r\n\r\n${LAST}`],
]

const CHUNKS: readonly Vector[] = [
  ['LF after a size', `${CHUNKED}1\na\r\n${LAST}`],
  ['LF after the last chunk', `${CHUNKED}0\n\r\n`],
  ['LF as the last line', `${CHUNKED}0\r\n\n`],
  ['CVE-2021-22960, EXT.TERM: LF in an extension', `${CHUNKED}2;\nxx\r\n${LAST}`],
  ['EXT.TERM: LF in the value of an extension', `${CHUNKED}2;a=b\nxx\r\n${LAST}`],
  ['EXT.TERM: LF in a quoted extension', `${CHUNKED}2;a="\n"\r\nxx\r\n${LAST}`],
  ['CR in an extension', `${CHUNKED}2;a\rxx\r\n${LAST}`],
  ['TERM.SPILL: a chunk with two bytes too many', `${CHUNKED}1\r\naXX\r\n${LAST}`],
  ['TERM.SPILL: a chunk that ends with other bytes', `${CHUNKED}1\r\naXX0\r\n\r\n`],
  ['ONE.TWO: a chunk that ends with LF', `${CHUNKED}1\r\na\n${LAST}`],
  ['a chunk that ends with CR', `${CHUNKED}1\r\na\r${LAST}`],
  ['a size with a prefix', `${CHUNKED}0x1\r\na\r\n${LAST}`],
  ['a size with a plus', `${CHUNKED}+1\r\na\r\n${LAST}`],
  ['a negative size', `${CHUNKED}-1\r\na\r\n${LAST}`],
  ['a size that wraps at 2^32', `${CHUNKED}100000001 \r\na\r\n${LAST}`],
  ['a size that wraps at 2^64', `${CHUNKED}10000000000000001\r\na\r\n${LAST}`],
  ['a space after a size', `${CHUNKED}1 \r\na\r\n${LAST}`],
  ['an empty size', `${CHUNKED}\r\n${LAST}`],
  ['a trailer that frames', `${CHUNKED}0\r\n${LENGTH}\r\n\r\n`],
  ['a trailer that routes', `${CHUNKED}0\r\nHost: b\r\n\r\n`],
  ['a trailer that authorises', `${CHUNKED}0\r\nAuthorization: x\r\n\r\n`],
  ['a folded trailer', `${CHUNKED}0\r\nX: y\r\n z\r\n\r\n`],
]

const HEADS: readonly Vector[] = [
  ['CVE-2022-32214: heads that end with LF', 'GET / HTTP/1.1\nHost: a\n\n'],
  ['CVE-2025-23167: a head that ends with CRLF CR', `${GET}\rX`],
  ['two versions in a request line', 'GET / HTTP/1.1 HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a request line without a version', `GET /\r\nHost: a\r\n\r\n`],
  ['CR in a target', 'GET /\rX HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['two Hosts', `${GET}Host: b\r\n\r\n`],
  ['a Host with userinfo', 'GET / HTTP/1.1\r\nHost: a@b\r\n\r\n'],
  ['a Host with a path', 'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n'],
  ['a Host in a folded line', 'GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n'],
  ['a space after a name: Host', 'GET / HTTP/1.1\r\nHost : a\r\n\r\n'],
]

const GROUPS: readonly (readonly [string, readonly Vector[]])[] = [
  ['RFC 9112 §11.2 Request Smuggling: by lengths', LENGTH_AND_CODING],
  ['RFC 9112 §11.2 Request Smuggling: by codings (TE.TE)', CODINGS],
  ['RFC 9112 §11.2 Request Smuggling: by chunks', CHUNKS],
  ['RFC 9112 §11.2 Request Smuggling: by heads', HEADS],
]

for (const [group, vectors] of GROUPS) {
  t.test(group, async (t) => {
    for (const [title, input, status = 400] of vectors) {
      for (const behaviour of ['reads', 'ignores'] as const) {
        const paths: string[] = []
        const handler: Handler = async (request) => {
          paths.push(request.path)
          if (behaviour === 'reads') await request.bytes()
          return text('')
        }
        const conversation = new Conversation({ handler })
        await conversation.send(NEXT + input + SMUGGLED).settle()
        await conversation.send(SMUGGLED).settle()
        const statuses = conversation.statuses()
        // A handler that does not wait for the body may have answered before it shows.
        const expected = [[200, status]]
        if (behaviour === 'ignores') expected.push([200, 200])
        const outcome = JSON.stringify([statuses, conversation.transport.isEnded])
        t.ok(
          expected.some((one) => outcome === JSON.stringify([one, true])),
          `${title}; the handler ${behaviour} the body: ${outcome}`,
        )
        t.notOk(paths.includes('/smuggled'), `${title}: nothing behind it is handled`)
      }
    }
  })
}

t.test('CL.0: a body that nobody reads is not taken for a request', async (t) => {
  const inputs = [
    `${POST}${LENGTH}\r\n\r\n${SMUGGLED}`,
    `${GET}${LENGTH}\r\n\r\n${SMUGGLED}`,
    `${CHUNKED}${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`,
    `${POST}${LENGTH}\r\nExpect: 100-continue\r\n\r\n${SMUGGLED}`,
    `${POST}${LENGTH}\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n${SMUGGLED}`,
  ]
  for (const input of inputs) {
    const paths: string[] = []
    const handler: Handler = ({ path }) => {
      paths.push(path)
      return text('')
    }
    for (const feed of ['send', 'sendBytes'] as const) {
      const conversation = new Conversation({ handler })
      await conversation[feed](input + NEXT).settle()
      t.notOk(paths.includes('/smuggled'))
    }
  }
})

t.test('RFC 9110 §7.2: the target decides whom a request is for, not Host', async (t) => {
  let seen: unknown = null
  await converse(request('GET http://real/ HTTP/1.1', 'Host: other'), {
    handler: ({ host }) => {
      seen = host
      return text('')
    },
  })
  t.equal(seen, 'real')
})

t.test('refusals do not reflect what the client sent', async (t) => {
  const marker = 'xq7marker'
  const inputs = [
    `${marker} / HTTP/1.1\r\n\r\n`,
    `GET ${marker} HTTP/1.1\r\n\r\n`,
    `GET /${marker}\0 HTTP/1.1\r\n\r\n`,
    `GET http://${marker}@a/ HTTP/1.1\r\nHost: a\r\n\r\n`,
    `GET / HTTP/${marker}\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: ${marker} \x7f\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: ${marker}/\r\n\r\n`,
    `${GET}${marker}(: a\r\n\r\n`,
    `${GET}Expect: ${marker}\r\n\r\n`,
    `${POST}Transfer-Encoding: ${marker}, chunked\r\n\r\n`,
    `${POST}Content-Length: ${marker}\r\n\r\n`,
    `${CHUNKED}${marker}\r\n`,
    `${CHUNKED}0\r\nHost: ${marker}\r\n\r\n`,
  ]
  for (const input of inputs) {
    const conversation = await converse(input, { handler: async (r) => text(await r.text()) })
    const refusal = conversation.responses()[0]
    t.ok((refusal?.status ?? 0) >= 400)
    t.notMatch(conversation.output, marker)
    t.match(refusal?.headers.get('content-type'), ['text/plain; charset=utf-8'])
    t.doesNotThrow(() =>
      new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(refusal?.body ?? '', 'latin1')),
    )
  }
})

t.test('a field name cannot reach a prototype', async (t) => {
  let seen: unknown = null
  await converse(`${GET}__proto__: a\r\nconstructor: b\r\n\r\n`, {
    handler: ({ headers, query, params }) => {
      seen = [
        headers.get('__proto__'),
        headers.get('constructor'),
        headers.get('toString'),
        headers.has('hasOwnProperty'),
        query.get('__proto__'),
        Object.getPrototypeOf(params),
      ]
      return text('')
    },
  })
  t.same(seen, ['a', 'b', null, false, null, null])
  t.equal(({} as Record<string, unknown>)['a'], undefined)
})
