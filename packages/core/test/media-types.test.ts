import t from 'tap'
import { mainValue, parseParameters } from '../src/media-type.ts'
import { json } from '../src/response.ts'
import { Conversation } from './support/conversation.ts'
import { postMessage, readBody } from './support/read-body.ts'

t.test('json() reads what Content-Type calls JSON, or does not name', async (t) => {
  for (const type of [
    'application/json',
    'application/json; charset=utf-8',
    'Application/JSON ;a="b;c"',
    'text/json',
    'application/problem+json',
    'application/vnd.api+json; version=1',
  ]) {
    t.equal(await readBody({ body: '1', type }, (r) => r.json()), 1, type)
  }
  t.equal(await readBody({ body: '1' }, (r) => r.json()), 1, 'none')
})

t.test('json() refuses another type with 415', async (t) => {
  for (const type of [
    'text/plain',
    'text/plain;charset=UTF-8',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=a',
    'application/jsonp',
    'application/json+x',
    '+json',
    'a, b/c+json',
    'text/plain; a=application/json',
    'application/json, text/plain',
  ]) {
    t.equal(await readBody({ body: '1', type }, (r) => r.json()), 'RR_MEDIA_TYPE_UNSUPPORTED', type)
    t.equal(await readBody({ body: '1', type }, (r) => r.json({ anyType: true })), 1, 'or is told')
  }
  t.equal(
    await readBody({ body: '1', type: 'text/plain' }, async (request) => {
      await request.json().catch(() => {})
      return request.text()
    }),
    '1',
    'and leaves the body to be read otherwise',
  )
  const conversation = new Conversation({
    handler: async (request) => json(await request.json()),
  })
  await conversation.send(postMessage({ body: '1', type: 'text/plain' })).settle()
  t.match(conversation.responses(), [{ status: 415, body: /not JSON/ }])
  t.same(conversation.errors, [])
})

t.test('parameters (RFC 9110 §5.6.6)', (t) => {
  const cases: readonly (readonly [string, Record<string, string> | null])[] = [
    ['a/b', {}],
    ['a/b;', {}],
    ['a/b; ;c=d;', { c: 'd' }],
    ['a/b;c=d ; E="f"', { c: 'd', e: 'f' }],
    ['a/b;c="d;e=f"', { c: 'd;e=f' }],
    ['a/b;c=""', { c: '' }],
    ['a/b;c="d\\"e"', { c: 'd"e' }],
    ['a/b;c="d\\\\"', { c: 'd\\' }],
    ['a/b;c="d\\e"', { c: 'd\\e' }],
    ['a/b;__proto__=c', { ['__proto__']: 'c' }],
    ['a/b;c=d;c=d', null],
    ['a/b;c=d;C=e', null],
    ['a/b;c', null],
    ['a/b;c=', null],
    ['a/b;c=d e', null],
    ['a/b;c="d', null],
    ['a/b;c=d"e"', null],
    ['a/b;c =d', null],
    ['a/b;=d', null],
  ]
  for (const [value, expected] of cases) {
    const parameters = parseParameters(value)
    t.same(
      parameters === null ? null : [...parameters],
      expected && Object.entries(expected),
      value,
    )
    t.equal(mainValue(value), 'a/b')
  }
  t.end()
})

t.test('a value of any length is read in time in proportion to it', (t) => {
  const hostile = [
    `a/b${'; '.repeat(50_000)}`,
    `a/b;c="${'\\"'.repeat(50_000)}`,
    `a/b${' '.repeat(100_000)}x`,
    `a/b;${'c'.repeat(100_000)}`,
    `a/b${';c="d'.repeat(20_000)}`,
  ]
  const start = performance.now()
  for (const value of hostile) parseParameters(value)
  t.ok(performance.now() - start < 1000)
  t.end()
})
