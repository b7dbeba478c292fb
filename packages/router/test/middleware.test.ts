// What wraps routes: order, scopes, what is refused, and the answers where there is no route.

import { HttpError, HttpResponse, type Middleware, problem, text } from '@rr/core'
import t from 'tap'
import { createRouter, type Router } from '../src/index.ts'
import { answer, fakeRequest, unused } from './support/requests.ts'

/** Notes in the answer's body that it was passed, so that the innermost comes first. */
function mark(name: string): Middleware {
  return async (_request, next) => {
    const response = await next()
    return response.with({ body: `${String(response.body ?? response.status)} ${name}` })
  }
}

async function bodyOf(app: Router, method: string, path: string): Promise<unknown> {
  return (await answer(app, method, path)).body
}

t.test('router, outer group, inner group, route: the first is outermost', async (t) => {
  const app = createRouter().use(mark('r1'), mark('r2'))
  app.get('/', () => text('root'))
  app.group('/a', (outer) => {
    outer.use(mark('outer')).get('/x', () => text('x'))
    outer.group('/b', (inner) => {
      inner
        .use(mark('i1'))
        .use(mark('i2'))
        .get('/y', { middleware: [mark('own1'), mark('own2')] }, () => text('y'))
    })
  })
  t.equal(await bodyOf(app, 'GET', '/'), 'root r2 r1')
  t.equal(await bodyOf(app, 'GET', '/a/x'), 'x outer r2 r1')
  t.equal(await bodyOf(app, 'GET', '/a/b/y'), 'y own2 own1 i2 i1 outer r2 r1')
})

t.test('a route without any has its handler called as it is', async (t) => {
  const value = { status: 200 }
  const app = createRouter()
    .get('/plain', () => value)
    .get('/other', { middleware: [mark('m')] }, () => value)
  t.equal(app.dispatch(fakeRequest('GET', '/plain')), value)
  t.not(app.dispatch(fakeRequest('GET', '/other')), value)
})

t.test('middleware finds params, state and route, and may answer itself', async (t) => {
  const seen: unknown[] = []
  const guard: Middleware = (request, next) => {
    seen.push({ ...request.params }, request.state, request.route)
    return request.state === 'open' ? next() : problem(403)
  }
  const app = createRouter()
    .use(guard)
    .get('/a/:id', { state: 'open' }, () => text('in'))
    .get('/b/:id', () => t.fail('is not reached') as never)
  t.equal(await bodyOf(app, 'GET', '/a/1'), 'in')
  t.equal((await answer(app, 'GET', '/b/2')).status, 403)
  t.same(seen, [{ id: '1' }, 'open', '/a/:id', { id: '2' }, undefined, '/b/:id'])
})

t.test('it is composed once, not for each request', async (t) => {
  let reads = 0
  const list = new Proxy([mark('m')], {
    get: (target, key, self) => {
      reads++
      return Reflect.get(target, key, self)
    },
  })
  const app = createRouter()
    .get('/', { middleware: list }, () => text('x'))
    .compile()
  const before = reads
  for (let i = 0; i < 3; i++) t.equal(await bodyOf(app, 'GET', '/'), 'x m')
  t.equal(reads, before)
})

t.test('a mounted router keeps its own inside those of the mount', async (t) => {
  const inner = createRouter().use(mark('inner'))
  inner.group('/g', (group) => group.use(mark('group')).get('/x', () => text('x')))
  const app = createRouter().use(mark('app'))
  app.group('/a', (group) => group.use(mark('a')).mount('/m', inner))
  app.mount('/n', inner)
  t.equal(await bodyOf(app, 'GET', '/a/m/g/x'), 'x group inner a app')
  t.equal(await bodyOf(app, 'GET', '/n/g/x'), 'x group inner app')
  t.equal(await bodyOf(inner, 'GET', '/g/x'), 'x group inner')
  const code = 'RR_ROUTE_INVALID'
  t.throws(() => inner.use(mark('late')), { code, message: /too late: the router was mounted/ })
  t.throws(() => inner.onError(() => problem(500)), { code })
})

t.test("the router's own wraps its 404, 405, 400, OPTIONS and fallback", async (t) => {
  const app = createRouter().use(mark('m')).get('/x', unused)
  t.match(await bodyOf(app, 'GET', '/y'), /"status":404} m$/)
  t.match(await bodyOf(app, 'POST', '/x'), /"status":405} m$/)
  t.match(await bodyOf(app, 'GET', '/%'), /"status":400} m$/)
  t.equal(await bodyOf(app, 'OPTIONS', '/x'), '204 m')
  t.equal(await bodyOf(app, 'OPTIONS', '*'), '204 m')
  t.match(await answer(app, 'POST', '/x'), { headers: { allow: 'GET, HEAD, OPTIONS' } })
  const other = createRouter()
    .use(mark('m'))
    .match(() => text('none'))
  t.equal(await bodyOf(other, 'GET', '/'), 'none m')
})

t.test("a group's wraps the 405 and OPTIONS of its paths, and no 404", async (t) => {
  const app = createRouter().use(mark('app'))
  app.group('/a', (a) => a.use(mark('a')).post('/x', { middleware: [mark('own')] }, unused))
  app.get('/:any/x', unused)
  t.equal(await bodyOf(app, 'OPTIONS', '/a/x'), '204 a app')
  t.match(await bodyOf(app, 'PUT', '/a/x'), /405} a app$/)
  t.equal(await bodyOf(app, 'OPTIONS', '/b/x'), '204 app')
  t.match(await bodyOf(app, 'GET', '/a/y'), /404} app$/)
})

t.test('middleware of a miss sees nothing of a route that was matched before', async (t) => {
  const inner = createRouter().use((request, next) => {
    t.same([{ ...request.params }, request.state, request.route], [{}, undefined, null])
    return next()
  })
  const outer = createRouter().all('/*x', { state: 1 }, (request) => inner.dispatch(request))
  t.equal((await answer(outer, 'GET', '/y')).status, 404)
})

t.test('use() after a route is refused, since it would be unclear what it wraps', async (t) => {
  const refused = {
    code: 'RR_ROUTE_INVALID',
    message: /use\(\) .*after a route .*middleware\.test/,
  }
  const add: [string, (app: Router) => void][] = [
    ['a route', (app) => app.get('/x', unused)],
    ['a route in a group', (app) => app.group('/a', (group) => group.get('/x', unused))],
    ['a mount', (app) => app.mount('/m', createRouter().get('/x', unused))],
  ]
  for (const [what, run] of add) {
    const app = createRouter()
    run(app)
    t.throws(() => app.use(mark('late')), refused, what)
    t.doesNotThrow(() => app.group('/other', (group) => group.use(mark('m')).get('/', unused)))
  }
  createRouter().group('/a', (group) => {
    group.get('/x', unused)
    t.throws(() => group.use(mark('late')), refused)
  })
})

t.test('what is no middleware is refused', async (t) => {
  const code = 'RR_ROUTE_INVALID'
  for (const bad of [undefined, null, 5, {}, [mark('m')]]) {
    t.throws(() => createRouter().use(bad as never), { code })
    t.throws(() => createRouter().get('/', { middleware: [bad] } as never, unused), { code })
  }
  t.throws(() => createRouter().get('/', { middleware: mark('m') } as never, unused), { code })
  t.throws(() => createRouter().onError('x' as never), { code })
})

t.test('onError answers for handlers and middleware of its scope, the inner first', async (t) => {
  const failing = (): never => {
    throw new HttpError(409, 'thrown')
  }
  const app = createRouter()
    .use(mark('m'))
    .onError((error) => text(`app: ${(error as Error).message}`))
  app.get('/x', failing)
  app.group('/a', (a) => {
    a.onError((error) => text(`a: ${(error as Error).message}`)).get('/x', failing)
    a.get('/mw', { middleware: [failing] }, unused)
    a.group('/b', (b) => {
      b.onError((error) => {
        throw error
      })
      b.get('/x', async () => failing())
    })
  })
  app.group('/c', (c) => c.use(failing).get('/x', unused))
  t.equal(await bodyOf(app, 'GET', '/x'), 'app: thrown', 'outside of the middleware')
  t.equal(await bodyOf(app, 'GET', '/a/x'), 'a: thrown m', 'inside of that of the router')
  t.equal(await bodyOf(app, 'GET', '/a/mw'), 'a: thrown m')
  t.equal(await bodyOf(app, 'GET', '/a/b/x'), 'a: thrown m', 'what it throws goes outwards')
  t.equal(await bodyOf(app, 'GET', '/c/x'), 'app: thrown')
  t.throws(() => app.onError(() => problem(500)), { code: 'RR_ROUTE_INVALID' }, 'compiled')
})

t.test('there is one onError a scope, which may come after routes', async (t) => {
  const app = createRouter()
    .get('/', () => {
      throw new Error('x')
    })
    .onError(() => text('late'))
  t.throws(() => app.onError(() => text('')), {
    code: 'RR_ROUTE_DUPLICATE',
    message: /onError\(\) .*after another \(.*middleware\.test/,
  })
  t.equal(await bodyOf(app, 'GET', '/'), 'late')
})

t.test('routeLimits are those of the route that would serve the request', async (t) => {
  const app = createRouter()
    .post('/small', { maxBodyBytes: 0 }, unused)
    .post('/files/*path', { maxBodyBytes: Number.MAX_SAFE_INTEGER, requestTimeoutMs: 5 }, unused)
    .get('/files/:id', unused)
    .get('/slow-reader', { sendTimeoutMs: 5 }, unused)
    .get('/health', { shed: false }, unused)
  t.strictSame(app.routeLimits('POST', '/small'), { maxBodyBytes: 0 })
  t.equal(app.routeLimits('POST', '/sm%61ll'), app.routeLimits('POST', '/small'), 'one object')
  t.strictSame(app.routeLimits('POST', '/files/a'), {
    maxBodyBytes: Number.MAX_SAFE_INTEGER,
    requestTimeoutMs: 5,
  })
  t.equal(app.routeLimits('GET', '/files/a'), undefined)
  t.equal(app.routeLimits('GET', '/slow-reader'), undefined, 'which is no limit of a body')
  t.strictSame(app.routeLimits('GET', '/health'), { shed: false })
  for (const path of ['/none', '/%', '*', '']) t.equal(app.routeLimits('POST', path), undefined)
  t.equal(createRouter().post('/x', unused).routeLimits('POST', '/x'), undefined)
  const mounted = createRouter().mount('/m', createRouter().put('/x', { maxBodyBytes: 1 }, unused))
  t.strictSame(mounted.routeLimits('PUT', '/m/x'), { maxBodyBytes: 1 })
})

t.test('sendTimeoutMs is set on the requests of the route, before its middleware', async (t) => {
  const seen: (number | undefined)[] = []
  const look: Middleware = (request, next) => {
    seen.push(request.sendTimeoutMs)
    return next()
  }
  const app = createRouter()
    .use(look)
    .get('/slow-reader', { sendTimeoutMs: 5 }, unused)
    .get('/other', unused)
  await app.dispatch(fakeRequest('GET', '/slow-reader'))
  await app.dispatch(fakeRequest('GET', '/other'))
  t.strictSame(seen, [5, undefined])
})

t.test('the limits of a route are within the bounds of the options of their names', async (t) => {
  const add = (options: unknown) => createRouter().post('/', options as never, unused)
  for (const [name, lowest, highest] of [
    ['maxBodyBytes', 0, Number.MAX_SAFE_INTEGER],
    ['requestTimeoutMs', 1, 86_400_000],
    ['minBytesPerSecond', 0, 1_073_741_824],
    ['minRateGraceMs', 0, 3_600_000],
    ['sendTimeoutMs', 1, 3_600_000],
  ] as const) {
    for (const value of [lowest, highest, undefined]) t.ok(add({ [name]: value }))
    for (const value of [lowest - 1, highest + 1, 1.5, Number.NaN, '5', null]) {
      const message = new RegExp(`${name} is a whole number from ${lowest} to ${highest}, not`)
      t.throws(() => add({ [name]: value }), { code: 'RR_ROUTE_INVALID', message })
    }
  }
  for (const shed of [true, false, undefined]) t.ok(add({ shed }))
  for (const shed of [0, 'no', null]) t.throws(() => add({ shed }), { code: 'RR_ROUTE_INVALID' })
})

t.test('asking for routeLimits does not disturb the request in hand', async (t) => {
  const app = createRouter().get('/a/:x', { maxBodyBytes: 1 }, (request) => {
    app.routeLimits('GET', '/a/other')
    return text(request.params.x)
  })
  const response = app.dispatch(fakeRequest('GET', '/a/1'))
  t.ok(response instanceof HttpResponse && response.body === '1')
})
