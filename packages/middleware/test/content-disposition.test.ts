import t from 'tap'
import { contentDisposition } from '../src/content-disposition.ts'
import { mediaTypeOf } from '../src/media-type.ts'

t.test('RFC 6266 §4.1 without a name there is the type alone', async (t) => {
  t.equal(contentDisposition('attachment'), 'attachment')
  t.equal(contentDisposition('inline', null), 'inline')
})

t.test('RFC 6266 §4.3 a plain name is quoted', async (t) => {
  t.equal(contentDisposition('attachment', 'a b;c,d.txt'), 'attachment; filename="a b;c,d.txt"')
})

t.test('RFC 8187 §3.2.1 a name beyond ASCII is sent in both forms', async (t) => {
  t.equal(
    contentDisposition('attachment', "€ it's (1)*!.txt"),
    `attachment; filename="_ it's (1)*!.txt"; ` +
      `filename*=UTF-8''%E2%82%AC%20it%27s%20%281%29%2A!.txt`,
  )
  t.equal(
    contentDisposition('inline', '😀'),
    'inline; filename="_"; filename*=UTF-8\'\'%F0%9F%98%80',
  )
})

t.test(
  'RFC 6266 appendix D quotes, backslashes and percents do not stand in the quoted form',
  async (t) => {
    t.equal(
      contentDisposition('attachment', '"%41'),
      'attachment; filename="__41"; filename*=UTF-8\'\'%22%2541',
    )
  },
)

t.test('RFC 6266 §4.3 a name leads to no other folder', async (t) => {
  t.equal(
    contentDisposition('attachment', '../..\\etc/passwd'),
    'attachment; filename=".._.._etc_passwd"',
  )
})

t.test('a name that looks like another type by marks of direction does not', async (t) => {
  t.equal(contentDisposition('attachment', 'a\u202egpj.exe'), 'attachment; filename="a_gpj.exe"')
})

t.test('header injection by a file name is refused', async (t) => {
  for (const bad of ['a\r\nset-cookie: x=1', 'a\nb', 'a\0b', 'a\x7f', 'a\x85b', 'a\u2028b']) {
    t.throws(() => contentDisposition('attachment', bad), { code: 'RR_HEADER_INVALID' })
  }
})

t.test('half of a surrogate pair does not throw', async (t) => {
  t.equal(
    contentDisposition('attachment', 'a\ud800'),
    'attachment; filename="a_"; filename*=UTF-8\'\'a%EF%BF%BD',
  )
})

t.test('RFC 9110 §8.3 types by extension, text as UTF-8', async (t) => {
  t.equal(mediaTypeOf('a.html'), 'text/html; charset=utf-8')
  t.equal(mediaTypeOf('A.HTML'), 'text/html; charset=utf-8')
  t.equal(mediaTypeOf('a.mjs'), 'text/javascript; charset=utf-8')
  t.equal(mediaTypeOf('a.css'), 'text/css; charset=utf-8')
  t.equal(mediaTypeOf('a.json'), 'application/json')
  t.equal(mediaTypeOf('a.svg'), 'image/svg+xml')
  t.equal(mediaTypeOf('a.woff2'), 'font/woff2')
  t.equal(mediaTypeOf('a.wasm'), 'application/wasm')
  t.equal(mediaTypeOf('a.avif'), 'image/avif')
})

t.test('without a known extension it is application/octet-stream', async (t) => {
  for (const name of [
    'README',
    'js',
    '.html',
    'a.',
    'a.nonsense',
    '',
    'a.constructor',
    'a.__proto__',
  ]) {
    t.equal(mediaTypeOf(name), 'application/octet-stream', name)
  }
})
