// Cookies: read as RFC 6265 §5.4 has clients send them, written as §4.1 has servers set them.

import fc from 'fast-check'
import t from 'tap'
import { type CookieOptions, cookie, deleteCookie } from '../src/cookie.ts'
import { RequestCookies } from '../src/request-cookies.ts'
import { empty, redirect, text } from '../src/response.ts'
import { converse } from './support/conversation.ts'
import { NEXT } from './support/messages.ts'

const code = 'RR_COOKIE_INVALID'

t.test('a request without the field has none', async (t) => {
  let size = -1
  await converse(NEXT, {
    handler: (request) => {
      const { cookies } = request
      size = cookies.size
      if (request.cookies !== cookies) throw new Error('made again')
      return text(String(request.cookies.get('a')))
    },
  })
  t.equal(size, 0)
})

t.test('RFC 6265 §5.4: names and values, in the order sent, over repeated fields', async (t) => {
  let seen: unknown = null
  await converse('GET / HTTP/1.1\r\nHost: a\r\nCookie: a=1; b=2\r\ncookie: a=3;c=x=y\r\n\r\n', {
    handler: ({ cookies }) => {
      seen = [[...cookies], cookies.get('a'), cookies.getAll('a'), cookies.has('c'), cookies.size]
      return text('')
    },
  })
  const pairs = [
    ['a', '1'],
    ['b', '2'],
    ['a', '3'],
    ['c', 'x=y'],
  ]
  t.same(seen, [pairs, '1', ['1', '3'], true, 4], 'the first is that of the longest path')
})

t.test('names are case-sensitive, and no name is special', async (t) => {
  const cookies = new RequestCookies('__proto__=a; constructor=b; A=c')
  t.equal(cookies.get('__proto__'), 'a')
  t.equal(cookies.get('constructor'), 'b')
  t.equal(cookies.get('toString'), null)
  t.same(cookies.getAll('hasOwnProperty'), [])
  t.equal(cookies.get('a'), null)
  t.equal(({} as Record<string, unknown>)['a'], undefined)
})

t.test('what is no cookie is passed over, and the rest is read', async (t) => {
  const bad = ['', ';', 'none', '=v', 'a b=1', 'x=%', 'x=%zz', 'x=%ff', '\u00e9=1', 'x"=1', '\t']
  for (const one of bad) {
    t.same([...new RequestCookies(`a=1; ${one}; b=2`)], [...new RequestCookies('a=1; b=2')], one)
  }
  t.same(
    [...new RequestCookies('a="1 2";b="; c=""')],
    [
      ['a', '1 2'],
      ['b', '"'],
      ['c', ''],
    ],
  )
})

t.test('what cookie() writes is what request.cookies reads', async (t) => {
  const value = fc.string({ unit: 'grapheme', maxLength: 100 })
  fc.assert(
    fc.property(value, (value) => {
      const written = cookie('n', value)
      return /^n=[!-~]*$/.test(written) && new RequestCookies(written).get('n') === value
    }),
  )
  t.equal(cookie('n', '"a;b, c\\%=\r\nx'), 'n=%22a%3Bb%2C%20c%5C%25=%0D%0Ax')
})

t.test('the attributes', async (t) => {
  t.equal(
    cookie('id', '7', {
      path: '/app',
      domain: 'example.com',
      maxAgeSeconds: 60,
      expires: new Date(Date.UTC(2030, 0, 2, 3, 4, 5)),
      secure: true,
      httpOnly: true,
      sameSite: 'lax',
      partitioned: true,
      priority: 'high',
    }),
    'id=7; Path=/app; Domain=example.com; Max-Age=60; Expires=Wed, 02 Jan 2030 03:04:05 GMT; ' +
      'Secure; HttpOnly; SameSite=Lax; Partitioned; Priority=High',
  )
  t.equal(cookie('id', '', { secure: false, httpOnly: false }), 'id=')
  t.equal(
    deleteCookie('id', { path: '/' }),
    'id=; Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT',
  )
})

t.test('a name or attribute that would add another is refused', async (t) => {
  const bad: [name: string, options?: Record<string, unknown>][] = [
    [''],
    ['a b'],
    ['a=b'],
    ['a;b'],
    ['a\r\nset-cookie: b'],
    ['é'],
    ['a', { path: '/; domain=evil' }],
    ['a', { path: '/\r\nx: y' }],
    ['a', { path: '/é' }],
    ['a', { path: 'a' }],
    ['a', { path: '' }],
    ['a', { domain: 'a.b; secure' }],
    ['a', { domain: 'a..b' }],
    ['a', { domain: '' }],
    ['a', { domain: '-a.b' }],
    ['a', { domain: 'a b' }],
    ['a', { maxAgeSeconds: 1.5 }],
    ['a', { maxAgeSeconds: '1; secure' }],
    ['a', { maxAgeSeconds: Number.NaN }],
    ['a', { expires: new Date(Number.NaN) }],
    ['a', { expires: '; secure' }],
    ['a', { expires: new Date(8e15) }],
    ['a', { expires: new Date(Date.UTC(1600, 11, 31)) }],
    ['a', { sameSite: 'lax; secure' }],
    ['a', { sameSite: 'constructor' }],
    ['a', { priority: 'x' }],
    ['a', { secure: 'no' }],
    ['a', { httpOnly: 1 }],
  ]
  for (const [name, options] of bad) {
    t.throws(() => cookie(name, 'v', options as CookieOptions), { code }, JSON.stringify(options))
  }
  t.throws(() => cookie('a', '\ud800'), { code })
  t.throws(() => cookie('a', 5 as never), { code })
  t.throws(() => cookie('a', '', { httponly: true } as CookieOptions), {
    code: 'RR_OPTION_UNKNOWN',
    message: /did you mean 'httpOnly'/,
  })
})

t.test(
  'RFC 6265bis §4.1.3: the prefixes, and what SameSite=None and Partitioned need',
  async (t) => {
    const host = { secure: true, path: '/' }
    t.ok(cookie('__Host-a', 'v', host))
    t.ok(cookie('__Secure-a', 'v', { secure: true, domain: 'a.b' }))
    t.ok(cookie('a', 'v', { sameSite: 'none', secure: true }))
    const bad: [name: string, options: CookieOptions][] = [
      ['__Host-a', { path: '/' }],
      ['__Host-a', { secure: true }],
      ['__Host-a', { ...host, path: '/x' }],
      ['__Host-a', { ...host, domain: 'a.b' }],
      ['__HOST-a', { path: '/' }],
      ['__Secure-a', {}],
      ['__secure-a', { secure: false }],
      ['a', { sameSite: 'none' }],
      ['a', { partitioned: true }],
    ]
    for (const [name, options] of bad) {
      t.throws(() => cookie(name, 'v', options), { code }, name + JSON.stringify(options))
    }
  },
)

t.test('sizes that clients would drop are refused', async (t) => {
  t.ok(cookie('abc', 'v'.repeat(4092)))
  t.ok(cookie('abc', 'v'.repeat(4093)))
  t.throws(() => cookie('abc', 'v'.repeat(4094)), { code })
  t.throws(() => cookie('abc', 'é'.repeat(683)), { code }, 'as it is sent: 6 bytes each')
  t.ok(cookie('a', 'v', { path: `/${'p'.repeat(1022)}` }))
  t.ok(cookie('a', 'v', { path: `/${'p'.repeat(1023)}` }))
  t.throws(() => cookie('a', 'v', { path: `/${'p'.repeat(1024)}` }), { code })
})

t.test('responses carry a Set-Cookie field for each', async (t) => {
  const cookies = [cookie('a', '1'), cookie('b', '2')]
  const given = [
    text('x', { cookies }),
    text('x', { cookies, headers: { 'x-a': 'b' } }),
    empty({ cookies }),
    redirect('/next', 303, { cookies }),
    text('x', { cookies: ['a=1'] }).with({ cookies: ['b=2'] }),
    text('x').with({ headers: { 'set-cookie': 'a=1' }, cookies: ['b=2'] }),
  ]
  for (const response of given) {
    const conversation = await converse(NEXT, { handler: () => response })
    t.same(conversation.responses()[0]?.headers.get('set-cookie'), ['a=1', 'b=2'])
  }
  t.equal(redirect('/next').status, 302)
  t.throws(() => text('', { cookies: ['a=1\r\nx: y'] }), { code: 'RR_HEADER_INVALID' })
})
