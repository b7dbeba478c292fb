// The query: what it says, what is refused, and that it is read as URL reads it.

import fc from 'fast-check'
import t from 'tap'
import { findQueryParam, parseQuery } from '../src/query.ts'
import type { HttpRequest } from '../src/request.ts'
import { text } from '../src/response.ts'
import { converse } from './support/conversation.ts'

const MALFORMED = ['%', '%a', '%zz', '%ff', '%C3', '%C3%28', '%c0%af', '%ED%A0%80', '%u0041', 'x%']

t.test('queryParam gives the first value of a name, or null', async (t) => {
  const query = 'a=1&b=2&a=3&c&=d&&e=f=g&h+i=j+k%21&%6C=m&__proto__=n'
  const expected: Record<string, string | null> = {
    a: '1',
    b: '2',
    c: '',
    '': 'd',
    e: 'f=g',
    'h i': 'j k!',
    'h+i': null,
    l: 'm',
    '%6C': null,
    A: null,
    constructor: null,
  }
  for (const [name, value] of Object.entries(expected)) {
    t.equal(findQueryParam(query, name), value, name)
  }
  t.equal(findQueryParam(query, '__proto__'), 'n')
  t.equal(findQueryParam('', ''), null)
  t.equal(findQueryParam('&&', ''), null)
  t.equal(findQueryParam('?a=1', 'a'), null)
})

t.test('queryParam and query agree with URLSearchParams on every well-formed query', async () => {
  const piece = fc.constantFrom('a', 'b', '=', '&', '+', '%20', '%41', '%C3%A9', '?', '%26', '%3D')
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 24 }), (pieces) => {
      const query = pieces.join('')
      const reference = new URLSearchParams(`?${query}`)
      const names = ['', 'a', 'b', 'ab', 'A', ' ', 'é', '&', '=', 'a b', '+', ...reference.keys()]
      const differs = names.filter((name) => findQueryParam(query, name) !== reference.get(name))
      return differs.length === 0 && parseQuery(query).toString() === reference.toString()
    }),
  )
})

t.test('an encoding that is broken or not UTF-8 is refused with 400 when asked for', async (t) => {
  const answers = async (query: string, read: (request: HttpRequest) => unknown) => {
    const conversation = await converse(`GET /?${query} HTTP/1.1\r\nHost: a\r\n\r\n`, {
      handler: (request) => {
        read(request)
        return text('ok')
      },
    })
    t.same(conversation.errors, [], 'which is nothing for the log')
    return conversation.responses()[0]
  }
  for (const encoded of MALFORMED) {
    for (const query of [`a=${encoded}`, `${encoded}=1`, `b=1&a=${encoded}&c=2`, encoded]) {
      const response = await answers(query, (request) => request.query)
      t.match(response, { status: 400 }, query)
      t.match(JSON.parse(response?.body ?? ''), { code: 'RR_QUERY_MALFORMED', status: 400 })
      t.match(await answers(query, () => {}), { status: 200 }, 'and never before')
      t.match(await answers(query, (request) => request.queryString), { status: 200 })
    }
    const read = (request: HttpRequest): unknown => request.queryParam('a')
    t.match(await answers(`a=${encoded}`, read), { status: 400 })
    t.match(await answers(`a=1&b=${encoded}`, read), { status: 200 }, 'what is not read')
  }
})

t.test('a query made to be slow is read in one pass', async (t) => {
  const start = performance.now()
  for (const query of ['&'.repeat(1e6), 'a&'.repeat(5e5), '='.repeat(1e6), 'a=&'.repeat(3e5)]) {
    t.equal(findQueryParam(query, 'none'), null)
  }
  // Some 10 ms; with a search from each `&` it was minutes.
  t.ok(performance.now() - start < 5000)
})
