import t from 'tap'
import { createRouter, type Router } from '../src/index.ts'
import { answer, served, unused } from './support/requests.ts'

function allowOf(app: Router, method: string, path: string): string {
  const lookup = app.find(method, path)
  return 'allow' in lookup ? lookup.allow : lookup.outcome
}

t.test('each method has its own handler', async (t) => {
  const app = createRouter()
    .get('/x', () => ({ status: 200, body: 'get' }))
    .post('/x', () => ({ status: 200, body: 'post' }))
    .put('/x', () => ({ status: 200, body: 'put' }))
    .delete('/x', () => ({ status: 200, body: 'delete' }))
    .patch('/x', () => ({ status: 200, body: 'patch' }))
    .head('/x', () => ({ status: 200, body: 'head' }))
    .options('/x', () => ({ status: 200, body: 'options' }))
    .on('QUERY', '/x', () => ({ status: 200, body: 'query' }))
  for (const method of ['get', 'post', 'put', 'delete', 'patch', 'head', 'options', 'query']) {
    t.equal((await answer(app, method.toUpperCase(), '/x')).body, method)
  }
})

t.test('RFC 9110 §15.5.6: a path without the method gets 405 with Allow', async (t) => {
  const app = createRouter().get('/x', unused).delete('/x', unused).on('QUERY', '/x', unused)
  t.same(await answer(app, 'POST', '/x'), {
    status: 405,
    headers: {
      'content-type': 'application/problem+json',
      allow: 'GET, HEAD, DELETE, OPTIONS, QUERY',
    },
    body: '{"title":"Method Not Allowed","status":405}',
  })
  t.equal(served(app, 'get', '/x'), 'method-not-allowed', 'methods are case-sensitive')
  t.equal(served(app, 'POST', '/y'), 'not-found')
})

t.test('Allow does not depend on the order of registration', async (t) => {
  const one = createRouter().on('B', '/x', unused).on('A', '/x', unused).put('/x', unused)
  const two = createRouter().put('/x', unused).on('A', '/x', unused).on('B', '/x', unused)
  t.equal(allowOf(one, 'POST', '/x'), 'PUT, OPTIONS, A, B')
  t.equal(allowOf(two, 'POST', '/x'), 'PUT, OPTIONS, A, B')
})

t.test('a less specific pattern serves a method that a more specific one lacks', async (t) => {
  const app = createRouter()
    .get('/users/me', unused)
    .delete('/users/:id', unused)
    .patch('/users/*rest', unused)
    .get('/:a/:b', unused)
  t.equal(served(app, 'GET', '/users/me'), '/users/me')
  t.equal(served(app, 'DELETE', '/users/me'), '/users/:id')
  t.equal(served(app, 'PATCH', '/users/me'), '/users/*rest')
  t.equal(served(app, 'GET', '/users/you'), '/:a/:b')
})

t.test('the methods of a path are those of all patterns that match it', async (t) => {
  const app = createRouter()
    .get('/users/me', unused)
    .delete('/users/:id', unused)
    .patch('/users/*rest', unused)
    .put('/teams/:id', unused)
  t.equal(allowOf(app, 'POST', '/users/me'), 'GET, HEAD, PATCH, DELETE, OPTIONS')
  t.equal(allowOf(app, 'POST', '/users/you'), 'PATCH, DELETE, OPTIONS')
  t.equal(allowOf(app, 'OPTIONS', '/users/'), 'PATCH, OPTIONS')
  t.equal(allowOf(app, 'POST', '/users/%6de'), 'GET, HEAD, PATCH, DELETE, OPTIONS')
})

t.test('RFC 9110 §9.3.2: HEAD falls to GET', async (t) => {
  const app = createRouter().get('/x', unused).get('/a/:id', unused).post('/p', unused)
  t.equal(served(app, 'HEAD', '/x'), '/x')
  t.equal(served(app, 'HEAD', '/a/1'), '/a/:id')
  t.equal(served(app, 'HEAD', '/p'), 'method-not-allowed')
})

t.test('an explicit HEAD wins over GET, and GET over all', async (t) => {
  const app = createRouter()
    .all('/x', () => ({ status: 200, body: 'all' }))
    .get('/x', () => ({ status: 200, body: 'get' }))
    .head('/x', () => ({ status: 200, body: 'head' }))
    .all('/y', () => ({ status: 200, body: 'all' }))
    .get('/y', () => ({ status: 200, body: 'get' }))
  t.equal((await answer(app, 'HEAD', '/x')).body, 'head')
  t.equal((await answer(app, 'HEAD', '/y')).body, 'get')
})

t.test('HEAD follows the most specific pattern with GET, not a less specific HEAD', async (t) => {
  const app = createRouter().get('/users/me', unused).head('/users/:id', unused)
  t.equal(served(app, 'HEAD', '/users/me'), '/users/me')
  t.equal(served(app, 'HEAD', '/users/1'), '/users/:id')
  t.equal(served(app, 'GET', '/users/1'), 'method-not-allowed')
})

t.test('RFC 9110 §9.3.7: OPTIONS is answered with 204 and Allow', async (t) => {
  const app = createRouter().get('/x', unused).post('/x', unused).put('/a/:id', unused)
  t.same(await answer(app, 'OPTIONS', '/x'), {
    status: 204,
    headers: { allow: 'GET, HEAD, POST, OPTIONS' },
    body: null,
  })
  t.equal(allowOf(app, 'OPTIONS', '/a/1'), 'PUT, OPTIONS')
  t.equal(served(app, 'OPTIONS', '/y'), 'not-found')
})

t.test('an explicit OPTIONS wins over the automatic one', async (t) => {
  const app = createRouter()
    .get('/x', unused)
    .options('/x', () => ({ status: 200, body: 'own' }))
  t.equal((await answer(app, 'OPTIONS', '/x')).body, 'own')
})

t.test('RFC 9110 §9.3.7: OPTIONS * lists the methods of the whole table', async (t) => {
  const app = createRouter().get('/x', unused).on('PROPFIND', '/a/:id', unused)
  t.same(await answer(app, 'OPTIONS', '*'), {
    status: 204,
    headers: { allow: 'GET, HEAD, OPTIONS, PROPFIND' },
    body: null,
  })
  t.equal(allowOf(createRouter(), 'OPTIONS', '*'), 'OPTIONS')
  const common = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'
  t.equal(allowOf(createRouter().all('/x', unused), 'OPTIONS', '*'), common)
  t.equal(allowOf(createRouter().match(unused), 'OPTIONS', '*'), common)
  t.equal((await answer(app, 'GET', '*')).status, 400, 'only OPTIONS has the asterisk form')
})

t.test('all takes any method that the pattern has no route for', async (t) => {
  const app = createRouter()
    .get('/x', () => ({ status: 200, body: 'get' }))
    .all('/x', () => ({ status: 200, body: 'all' }))
  t.equal((await answer(app, 'GET', '/x')).body, 'get')
  for (const method of ['POST', 'OPTIONS', 'PROPFIND', 'TRACE']) {
    t.equal((await answer(app, method, '/x')).body, 'all', method)
  }
})

t.test('all of a more specific pattern wins over the method of a less specific one', async (t) => {
  const app = createRouter().get('/a/:x', unused).all('/a/b', unused).all('/*rest', unused)
  t.equal(served(app, 'GET', '/a/b'), '/a/b')
  t.equal(served(app, 'GET', '/a/c'), '/a/:x')
  t.equal(served(app, 'POST', '/a/c'), '/*rest')
  t.equal(served(app, 'OPTIONS', '/a/c'), '/*rest')
})

t.test('on refuses what is no method', async (t) => {
  for (const method of ['', 'GET ', 'A B', 'É', 'A/B', 'CONNECT', '*', 'get', 'Post']) {
    t.throws(() => createRouter().on(method, '/x', unused), { code: 'RR_ROUTE_INVALID' }, method)
  }
  t.throws(() => createRouter().on('get', '/x', unused), /case-sensitive, it is GET/)
  t.equal(served(createRouter().on('custom', '/x', unused), 'custom', '/x'), '/x')
  t.equal(served(createRouter().on('GET', '/x', unused), 'HEAD', '/x'), '/x')
})
