import fc from 'fast-check'
import t from 'tap'
import type { FormFields } from '../src/form-fields.ts'
import type { FormOptionsInput } from '../src/form-options.ts'
import { readBody } from './support/read-body.ts'

const TYPE = 'application/x-www-form-urlencoded'

async function formOf(
  body: string | Uint8Array,
  options?: FormOptionsInput,
  type: string = TYPE,
): Promise<[string, string][] | unknown> {
  return readBody({ body, type }, async (request) => [...(await request.form(options))])
}

t.test('a form is read as WHATWG URL §5.1 says', async (t) => {
  const forms = [
    'a=1&b=2&a=3',
    'a',
    'a=',
    '=b',
    '=',
    '&&a=1&&',
    'a=b=c',
    'a+b=c+d',
    '%61=%62',
    'a%26b=c%3Dd%2Be',
    'caf%C3%A9=%E2%82%AC%F0%9F%98%80',
    'é=€',
    '\ufeffa=1',
    'a=%EF%BB%BFb',
    'a=%00',
    'a=%0D%0A',
    '__proto__=1&constructor=2',
  ]
  for (const form of forms) t.same(await formOf(form), [...new URLSearchParams(form)], form)
  t.same(await formOf('?a=1'), [['?a', '1']])
})

t.test('any form made by URLSearchParams comes out as it went in', async (t) => {
  const pairs = fc.array(fc.tuple(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' })))
  await fc.assert(
    fc.asyncProperty(pairs, async (given) => {
      const encoded = new URLSearchParams(given)
      t.same(await formOf(encoded.toString()), [...encoded])
    }),
    { numRuns: 100, seed: 1 },
  )
})

t.test('bytes that are no form are refused, and only those', async (t) => {
  const pieces = fc.constantFrom(
    '%',
    '%2',
    '%zz',
    '%C3',
    '%A9',
    '%ED%A0%80',
    '%F4',
    '%90',
    'a',
    '=',
  )
  await fc.assert(
    fc.asyncProperty(fc.array(pieces, { maxLength: 8 }), async (list) => {
      const form = list.join('')
      let isValid = true
      try {
        decodeURIComponent(form)
      } catch {
        isValid = false
      }
      const result = await formOf(form)
      t.equal(result === 'RR_BODY_MALFORMED', !isValid, form)
    }),
    { numRuns: 300, seed: 2 },
  )
  const broken = [
    'a=%',
    'a=%4',
    'a=%g0',
    'a=%0g',
    '%',
    'a=%FF',
    'a=%C3',
    'a=%C3&b=%A9',
    'a=%C3x',
    'a=%C0%80',
    'a=%E0%80%80',
    'a=%ED%A0%80',
    'a=%F0%80%80%80',
    'a=%F4%90%80%80',
    'a=%F5%80%80%80',
    'a=%80',
    Buffer.from([0x61, 0x3d, 0xff]),
  ]
  for (const form of broken) t.equal(await formOf(form), 'RR_BODY_MALFORMED', String(form))
})

t.test('the number of fields is limited', async (t) => {
  const fields = (count: number): string => Array(count).fill('a=1').join('&')
  for (const [options, limit] of [
    [undefined, 1000],
    [{ maxFields: 3 }, 3],
  ] as const) {
    t.equal(((await formOf(fields(limit - 1), options)) as unknown[]).length, limit - 1)
    t.equal(((await formOf(fields(limit), options)) as unknown[]).length, limit)
    t.equal(await formOf(fields(limit + 1), options), 'RR_BODY_TOO_LARGE')
  }
  t.equal(await formOf('a&&&&&b', { maxFields: 2 }).then((all) => (all as []).length), 2)
  t.equal(await formOf('a', { maxFields: -1 }), 'RR_OPTION_INVALID')
  t.equal(await formOf('a', { maxField: 1 } as never), 'RR_OPTION_UNKNOWN')
})

t.test('a million fields cost no more than reading them', async (t) => {
  t.equal(await formOf('&'.repeat(500_000)).then((all) => (all as []).length), 0)
  t.equal(await formOf('a&'.repeat(500_000)), 'RR_BODY_TOO_LARGE')
})

t.test('only a form is read as one', async (t) => {
  for (const type of [
    TYPE,
    'Application/X-WWW-Form-Urlencoded',
    `${TYPE}; charset=utf-8`,
    `${TYPE};charset="UTF-8"`,
    `${TYPE} ; a=b`,
  ]) {
    t.same(await formOf('a=1', undefined, type), [['a', '1']], type)
  }
  for (const type of [
    'text/plain',
    'application/json',
    'multipart/form-data; boundary=a',
    `${TYPE}x`,
    `${TYPE}; charset=iso-8859-1`,
    `${TYPE}, ${TYPE}`,
  ]) {
    t.equal(await formOf('a=1', undefined, type), 'RR_MEDIA_TYPE_UNSUPPORTED', type)
  }
  t.equal(await readBody({ body: 'a=1' }, (r) => r.form()), 'RR_MEDIA_TYPE_UNSUPPORTED')
  t.same(await readBody({ body: '' }, async (r) => [...(await r.form())]), [], 'or no body')
})

t.test('fields are looked up as in URLSearchParams', async (t) => {
  const text = 'a=1&b=%32&a=3+4&caf%C3%A9=x&__proto__=p&toString='
  const form = (await readBody({ body: text, type: TYPE }, (r) => r.form())) as FormFields
  const same = new URLSearchParams(text)
  t.equal(form.size, same.size)
  for (const name of ['a', 'b', 'café', 'caf%C3%A9', '__proto__', 'toString', 'none', '']) {
    t.equal(form.get(name), same.get(name), name)
    t.same(form.getAll(name), same.getAll(name), name)
    t.equal(form.has(name), same.has(name), name)
    t.equal(form.has(name, '1'), same.has(name, '1'), name)
  }
  t.same([...form.keys()], [...same.keys()])
  t.same([...form.values()], [...same.values()])
  t.same([...form.entries()], [...same.entries()])
  t.equal(Object.getPrototypeOf(Object.fromEntries(form)), Object.prototype, 'no key pollutes')
  t.equal(({} as { p?: string }).p, undefined)
})
