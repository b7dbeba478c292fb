import type { HttpRequest } from '@rr/core'
import t from 'tap'
import { createRouter } from '../src/index.ts'
import { answer, fakeRequest } from './support/requests.ts'

t.test('a handler finds params, state and route on its request', async (t) => {
  const state = { limit: 10 }
  const seen: unknown[] = []
  const app = createRouter()
    .get('/static', (request) => {
      seen.push([{ ...request.params }, request.state, request.route])
      return { status: 200 }
    })
    .get('/users/:id', { state }, (request) => {
      seen.push([{ ...request.params }, request.state, request.route])
      t.equal(request.state, state, 'the same object for every request')
      return { status: 200 }
    })
  await answer(app, 'GET', '/static')
  await answer(app, 'GET', '/users/7')
  t.same(seen, [
    [{}, undefined, '/static'],
    [{ id: '7' }, { limit: 10 }, '/users/:id'],
  ])
})

t.test('what a handler returns or throws is passed on as it is', async (t) => {
  const value = { status: 201 }
  const later = Promise.resolve(value)
  const failure = new Error('handler')
  const app = createRouter()
    .get('/value', () => value)
    .get('/later', () => later)
    .get('/throw', () => {
      throw failure
    })
  t.equal(app.dispatch(fakeRequest('GET', '/value')), value)
  t.equal(app.dispatch(fakeRequest('GET', '/later')), later)
  t.throws(() => app.dispatch(fakeRequest('GET', '/throw')), failure)
})

t.test('a path that no pattern matches is a 404', async (t) => {
  t.same(await answer(createRouter(), 'GET', '/x'), {
    status: 404,
    headers: { 'content-type': 'application/problem+json' },
    body: '{"title":"Not Found","status":404}',
  })
})

t.test('the fallback takes paths that no pattern matches, and nothing else', async (t) => {
  const app = createRouter()
    .get('/x', { state: 1 }, () => ({ status: 200, body: 'x' }))
    .match((request) => ({ status: 200, body: `${request.method} ${request.route}` }))
  t.equal((await answer(app, 'GET', '/y')).body, 'GET null')
  t.equal((await answer(app, 'OPTIONS', '/y')).body, 'OPTIONS null')
  t.equal((await answer(app, 'GET', '/x')).body, 'x')
  t.equal((await answer(app, 'POST', '/x')).status, 405)
  t.equal((await answer(app, 'OPTIONS', '/x')).status, 204)
  t.equal((await answer(app, 'GET', '/%')).status, 400)
  t.equal((await answer(app, 'GET', '/../x')).status, 400)
})

t.test('routers may hand a request on to one another', async (t) => {
  const inner = createRouter()
    .get('/a/:inner', (request) => {
      t.same({ ...request.params }, { inner: '1' })
      t.equal(request.state, undefined)
      return { status: 200, body: String(request.route) }
    })
    .match((request) => {
      t.same({ ...(request as HttpRequest).params }, {})
      t.equal(request.state, undefined)
      return { status: 404, body: String(request.route) }
    })
  const outer = createRouter().all('/*outer', { state: 'outer' }, (request) =>
    inner.dispatch(request),
  )
  t.equal((await answer(outer, 'GET', '/a/1')).body, '/a/:inner')
  t.equal((await answer(outer, 'GET', '/b')).body, 'null')
})

t.test('the same router inside its own handler does not disturb the outer request', async (t) => {
  const app = createRouter()
    .get('/outer/:a/:b', (request) => {
      app.dispatch(fakeRequest('GET', '/inner/x'))
      return { status: 200, body: `${request.params.a} ${request.params.b}` }
    })
    .get('/inner/:c', () => ({ status: 200 }))
  t.equal((await answer(app, 'GET', '/outer/1/2')).body, '1 2')
})

t.test('an answer made for one request does not show in the next', async (t) => {
  const app = createRouter().get('/a/:x', () => ({ status: 200 }))
  const notFound = app.dispatch(fakeRequest('GET', '/')) as { status: number }
  t.throws(() => {
    notFound.status = 500
  }, TypeError)
  const one = fakeRequest('GET', '/a/1')
  const two = fakeRequest('GET', '/a/2')
  app.dispatch(one)
  app.dispatch(two)
  t.same([one.params['x'], two.params['x']], ['1', '2'])
})
