import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { createRouter } from '../src/index.ts'
import { normalizePath } from '../src/path-normal-form.ts'
import { answer, paramsOf, served, unused } from './support/requests.ts'

t.test('parameters are percent-decoded as UTF-8', async (t) => {
  const app = createRouter().get('/a/:x', unused).get('/f/*path', unused)
  t.same(paramsOf(app, 'GET', '/a/caf%C3%A9'), { x: 'café' })
  t.same(paramsOf(app, 'GET', '/a/caf%c3%a9'), { x: 'café' })
  t.same(paramsOf(app, 'GET', '/a/a%20b+c'), { x: 'a b+c' }, 'a plus is a plus in a path')
  t.same(paramsOf(app, 'GET', '/a/%F0%9F%98%80'), { x: '\u{1F600}' })
  t.same(paramsOf(app, 'GET', '/a/100%25'), { x: '100%' })
  t.same(paramsOf(app, 'GET', '/a/%2541'), { x: '%41' }, 'decoded once')
  t.same(paramsOf(app, 'GET', '/a/%3F%23'), { x: '?#' })
  t.same(paramsOf(app, 'GET', '/f/%C3%A9/%C3%BC'), { path: 'é/ü' })
})

t.test('an encoded slash stays inside its segment', async (t) => {
  const app = createRouter().get('/a/:x', unused).get('/a/:x/:y', unused).get('/f/*path', unused)
  t.same(paramsOf(app, 'GET', '/a/b%2Fc'), { x: 'b/c' })
  t.same(paramsOf(app, 'GET', '/a/b%2fc/d'), { x: 'b/c', y: 'd' })
  t.same(paramsOf(app, 'GET', '/a/%2F'), { x: '/' })
  t.same(paramsOf(app, 'GET', '/f/@scope%2Fname/x'), { path: '@scope/name/x' })
  t.equal(served(app, 'GET', '/a%2Fb'), 'not-found')
  t.equal(served(createRouter().get('/a/b', unused), 'GET', '/a%2Fb'), 'not-found')
  t.equal(served(createRouter().get('/a%2fb', unused), 'GET', '/a%2Fb'), '/a%2fb')
})

t.test('a static segment matches however the request encodes it', async (t) => {
  const app = createRouter()
    .get('/café', unused)
    .get('/hello', unused)
    .get('/a b/:x', unused)
    .get('/v1/users%3Abatch', unused)
    .get('/%7Euser/:x', unused)
    .get('/a|b', unused)
    .get('/50%25', unused)
  t.equal(served(app, 'GET', '/caf%C3%A9'), '/café')
  t.equal(served(app, 'GET', '/caf%c3%a9'), '/café')
  t.equal(served(app, 'GET', '/%63af%c3%A9'), '/café')
  t.equal(served(app, 'GET', '/%68ello'), '/hello')
  t.equal(served(app, 'GET', '/%68%65%6C%6c%6f'), '/hello')
  t.equal(served(app, 'GET', '/a%20b/1'), '/a b/:x')
  t.equal(served(app, 'GET', '/v1/users:batch'), '/v1/users%3Abatch')
  t.equal(served(app, 'GET', '/v1/users%3abatch'), '/v1/users%3Abatch')
  t.equal(served(app, 'GET', '/~user/1'), '/%7Euser/:x')
  t.equal(served(app, 'GET', '/%7euser/1'), '/%7Euser/:x')
  t.equal(served(app, 'GET', '/a|b'), '/a|b')
  t.equal(served(app, 'GET', '/a%7Cb'), '/a|b')
  t.equal(served(app, 'GET', '/50%25'), '/50%25')
  t.equal(served(app, 'GET', '/%68ell'), 'not-found')
  t.equal(served(app, 'POST', '/%68ello'), 'method-not-allowed')
})

t.test('an encoded path still prefers the static pattern', async (t) => {
  const app = createRouter().get('/:x', unused).get('/hello', unused).post('/:x', unused)
  t.equal(served(app, 'GET', '/%68ello'), '/hello')
  t.same(paramsOf(app, 'POST', '/%68ello'), { x: 'hello' })
})

t.test('a path that is not percent-encoded UTF-8 is a 400, whatever would match it', async (t) => {
  const app = createRouter().get('/a/:x', unused).get('/f/*path', unused).match(unused)
  const bad = ['%', '%4', '%zz', '%C3', '%A9', '%C3%28', '%c0%af', '%ED%A0%80', '%F5%80%80%80']
  for (const encoded of [...bad, '%C3/%A9', '%u0041', '%%41', '%-1', '% 1', '%+1']) {
    for (const prefix of ['/a/', '/f/', '/nothing/']) {
      t.equal(served(app, 'GET', prefix + encoded), 'bad-path', prefix + encoded)
    }
  }
  t.same(await answer(app, 'GET', '/a/%'), {
    status: 400,
    headers: { 'content-type': 'application/problem+json' },
    body:
      '{"title":"Bad Request",' +
      '"detail":"the path has a dot segment or is not percent-encoded UTF-8","status":400}',
  })
})

t.test('RFC 3986 §6.2.2.3: a dot segment is a 400, however it is encoded', async (t) => {
  const app = createRouter()
    .get('/', unused)
    .get('/a/:x', unused)
    .get('/f/*path', unused)
    .get('/a/:x/deep/:y', unused)
  const dots = ['.', '..', '%2e', '%2E%2e', '.%2E', '%2e.']
  for (const dot of dots) {
    const paths = [`/${dot}`, `/a/${dot}`, `/${dot}/a`, `/f/${dot}/x`, `/f/x/${dot}`, `/a/${dot}/`]
    for (const path of [...paths, `/f/1/2/3/4/5/${dot}/6`, `/no/${dot}/thing`]) {
      t.equal(served(app, 'GET', path), 'bad-path', path)
    }
  }
  for (const name of ['...', '.x', 'x.', '..x', '.well-known', '%2e%2e%2e', 'a..b', '%252e']) {
    t.equal(served(app, 'GET', `/a/${name}`), '/a/:x', name)
    t.equal(served(app, 'GET', `/f/1/2/3/4/5/6/${name}`), '/f/*path', name)
  }
})

t.test('a wildcard never holds a dot segment, also not behind an encoded slash', async (t) => {
  const app = createRouter().get('/f/*path', unused).get('/a/:x', unused)
  for (const path of [
    'a%2F..%2Fb',
    '..%2f..%2fetc',
    'a%2f.',
    '%2F%2e%2e',
    'x/%2e%2e%2Fy',
    '.%2f',
  ]) {
    t.equal(served(app, 'GET', `/f/${path}`), 'bad-path', path)
  }
  t.same(paramsOf(app, 'GET', '/f/a%2F..b%2Fc'), { path: 'a/..b/c' })
  t.same(paramsOf(app, 'GET', '/a/..%2Fb'), { x: '../b' }, 'one segment is data, not a path')
})

t.test('the normal form of a path', async (t) => {
  const paths = fc
    .array(fc.constantFrom('/', 'a', '%', '%2F', '%41', '%e2%82%ac', '.', '%C3', ':', '%3a', '%zz'))
    .map((parts) => `/${parts.join('')}`)

  t.test('is what clients send by themselves', async (t) => {
    t.equal(normalizePath('/caf%c3%a9/%7e%3a/%2f%3F%00'), '/caf%C3%A9/~:/%2F%3F%00')
    t.equal(normalizePath('/a|b'), '/a|b')
  })

  t.test('is its own normal form and decodes to the same segments', async () => {
    const decoded = (path: string) => path.split('/').map(decodeURIComponent)
    fc.assert(
      fc.property(paths, (path) => {
        const normal = normalizePath(path)
        if (normal === null) return true
        assert.deepEqual(decoded(normal), decoded(path))
        return normalizePath(normal) === normal
      }),
      { numRuns: 1000 },
    )
  })

  t.test('is null exactly when the path cannot be decoded', async () => {
    const canDecode = (path: string) => {
      try {
        decodeURIComponent(path)
        return true
      } catch {
        return false
      }
    }
    fc.assert(
      fc.property(paths, (path) => (normalizePath(path) !== null) === canDecode(path)),
      { numRuns: 1000 },
    )
  })

  t.test('is the same for all ways to encode the same segments', async () => {
    const encodeFully = (character: string) =>
      [...Buffer.from(character)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (text) => {
        const full = normalizePath(`/${[...text].map(encodeFully).join('')}`)
        return full === normalizePath(`/${encodeURIComponent(text)}`)
      }),
      { numRuns: 1000 },
    )
  })
})
