import t from 'tap'
import { createRouter } from '../src/index.ts'
import { paramsOf, served, unused } from './support/requests.ts'

t.test('a static pattern matches exactly its path', async (t) => {
  const app = createRouter().get('/', unused).get('/users', unused).get('/users/me', unused)
  t.equal(served(app, 'GET', '/'), '/')
  t.equal(served(app, 'GET', '/users'), '/users')
  t.equal(served(app, 'GET', '/users/me'), '/users/me')
  for (const path of ['/user', '/userss', '/Users', '/users/m', '/users/me/x', '/x']) {
    t.equal(served(app, 'GET', path), 'not-found', path)
  }
})

t.test('a trailing slash is a different path', async (t) => {
  const app = createRouter().get('/users', unused).get('/teams/', unused).get('/a/:x', unused)
  t.equal(served(app, 'GET', '/users/'), 'not-found')
  t.equal(served(app, 'GET', '/teams/'), '/teams/')
  t.equal(served(app, 'GET', '/teams'), 'not-found')
  t.equal(served(app, 'GET', '/a/1'), '/a/:x')
  t.equal(served(app, 'GET', '/a/1/'), 'not-found')
})

t.test('a parameter takes one segment that is not empty', async (t) => {
  const app = createRouter().get('/a/:x', unused).get('/b/:x/:y', unused).get('/c/:x/', unused)
  t.same(paramsOf(app, 'GET', '/a/1'), { x: '1' })
  t.same(paramsOf(app, 'GET', '/b/1/two'), { x: '1', y: 'two' })
  t.same(paramsOf(app, 'GET', '/c/1/'), { x: '1' })
  t.same(paramsOf(app, 'GET', '/a/:x'), { x: ':x' })
  for (const path of ['/a', '/a/', '/a/1/2', '/b//2', '/b/1/', '/c//', '/c/1']) {
    t.equal(served(app, 'GET', path), 'not-found', path)
  }
})

t.test('empty segments do not collapse', async (t) => {
  const app = createRouter().get('/a/b', unused).get('/x/:y', unused).get('/', unused)
  for (const path of ['//', '//a/b', '/a//b', '/a/b//', '/x//y']) {
    t.equal(served(app, 'GET', path), 'not-found', path)
  }
})

t.test('a wildcard takes the rest of the path, which may be empty after the slash', async (t) => {
  const app = createRouter().get('/files/*path', unused).get('/u/:id/*rest', unused)
  t.same(paramsOf(app, 'GET', '/files/a'), { path: 'a' })
  t.same(paramsOf(app, 'GET', '/files/a/b.txt'), { path: 'a/b.txt' })
  t.same(paramsOf(app, 'GET', '/files/a/'), { path: 'a/' })
  t.same(paramsOf(app, 'GET', '/files/'), { path: '' })
  t.same(paramsOf(app, 'GET', '/files//a'), { path: '/a' })
  t.same(paramsOf(app, 'GET', '/u/7/a/b'), { id: '7', rest: 'a/b' })
  t.equal(served(app, 'GET', '/files'), 'not-found')
  t.equal(served(app, 'GET', '/u/7'), 'not-found')
  t.equal(served(app, 'GET', '/u//a'), 'not-found')
})

t.test('a wildcard at the root takes every path', async (t) => {
  const app = createRouter().get('/*rest', unused)
  t.same(paramsOf(app, 'GET', '/'), { rest: '' })
  t.same(paramsOf(app, 'GET', '/a/b'), { rest: 'a/b' })
  t.equal(served(app, 'GET', '*'), 'bad-path')
})

t.test('static wins over parameter, parameter over wildcard, segment by segment', async (t) => {
  const patterns = ['/a/:x/*r', '/*r', '/:x/b', '/a/b', '/a/*r', '/a/:x', '/:x/:y', '/a/:x/c']
  const app = createRouter()
  for (const pattern of patterns) app.get(pattern, unused)
  t.equal(served(app, 'GET', '/a/b'), '/a/b')
  t.equal(served(app, 'GET', '/a/c'), '/a/:x')
  t.equal(served(app, 'GET', '/z/b'), '/:x/b')
  t.equal(served(app, 'GET', '/z/c'), '/:x/:y')
  t.equal(served(app, 'GET', '/z'), '/*r')
  t.equal(served(app, 'GET', '/a/'), '/a/*r')
  t.equal(served(app, 'GET', '/a/b/c'), '/a/:x/c')
  t.equal(served(app, 'GET', '/a/b/d'), '/a/:x/*r')
  t.equal(served(app, 'GET', '/z/b/c'), '/*r')
})

t.test('a branch that leads nowhere is left again', async (t) => {
  const app = createRouter()
    .get('/a/:x/c', unused)
    .get('/a/b/d', unused)
    .get('/:p/b/:q/e', unused)
    .get('/a/b/*rest', unused)
  t.equal(served(app, 'GET', '/a/b/c'), '/a/b/*rest')
  t.equal(served(app, 'GET', '/a/b/d'), '/a/b/d')
  t.equal(served(app, 'GET', '/a/z/c'), '/a/:x/c')
  t.same(paramsOf(app, 'GET', '/z/b/y/e'), { p: 'z', q: 'y' })

  const two = createRouter().get('/a/:x/c', unused).get('/a/b/d', unused)
  t.equal(served(two, 'GET', '/a/b/c'), '/a/:x/c')
  t.same(paramsOf(two, 'GET', '/a/b/c'), { x: 'b' })
  t.equal(served(two, 'GET', '/a/b/e'), 'not-found')
})

t.test('many static segments beside each other are told apart', async (t) => {
  const app = createRouter()
  // Equal length, equal ends: nothing but the whole segment distinguishes them.
  for (let i = 100; i < 400; i++) app.get(`/item${i}x/:id`, unused)
  for (let i = 100; i < 400; i++) t.equal(served(app, 'GET', `/item${i}x/1`), `/item${i}x/:id`)
  t.equal(served(app, 'GET', '/item400x/1'), 'not-found')
  t.equal(served(app, 'GET', '/item100/1'), 'not-found')
  t.equal(served(app, 'GET', '/item100xx/1'), 'not-found')
})

t.test('patterns for different methods may name the same parameter differently', async (t) => {
  const app = createRouter().get('/a/:x', unused).post('/a/:y', unused).all('/a/:z', unused)
  t.same(paramsOf(app, 'GET', '/a/1'), { x: '1' })
  t.same(paramsOf(app, 'POST', '/a/1'), { y: '1' })
  t.same(paramsOf(app, 'PUT', '/a/1'), { z: '1' })
})
