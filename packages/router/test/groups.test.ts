import t from 'tap'
import { createRouter } from '../src/index.ts'
import { paramsOf, served, unused } from './support/requests.ts'

t.test('a group puts its prefix before its patterns', async (t) => {
  const app = createRouter()
    .group('/api', (api) => {
      api.get('/x', unused).get('/:id', unused).get('/files/*path', unused)
    })
    .get('/x', unused)
  t.equal(served(app, 'GET', '/api/x'), '/api/x')
  t.same(paramsOf(app, 'GET', '/api/7'), { id: '7' })
  t.same(paramsOf(app, 'GET', '/api/files/a/b'), { path: 'a/b' })
  t.equal(served(app, 'GET', '/x'), '/x')
  t.equal(served(app, 'GET', '/apix'), 'not-found')
})

t.test("the pattern '/' in a group is the prefix itself", async (t) => {
  const app = createRouter().group('/users', (users) => users.get('/', unused))
  t.equal(served(app, 'GET', '/users'), '/users')
  t.equal(served(app, 'GET', '/users/'), 'not-found')
})

t.test('groups nest, and prefixes may have parameters', async (t) => {
  const app = createRouter().group('/teams/:team', (team) => {
    team.get('/', unused).group('/members', (members) => {
      members.get('/', unused).delete('/:id', unused)
    })
  })
  t.same(paramsOf(app, 'GET', '/teams/a'), { team: 'a' })
  t.same(paramsOf(app, 'GET', '/teams/a/members'), { team: 'a' })
  t.same(paramsOf(app, 'DELETE', '/teams/a/members/1'), { team: 'a', id: '1' })
})

t.test("the prefix '/' adds nothing", async (t) => {
  const app = createRouter()
    .group('/', (root) => root.get('/', unused).get('/a', unused))
    .mount('/', createRouter().get('/b', unused))
  t.same(
    app.routes().map(({ pattern }) => pattern),
    ['/', '/a', '/b'],
  )
})

t.test('a prefix that is no prefix is refused', async (t) => {
  const other = createRouter().get('/', unused)
  for (const prefix of ['', 'api', '/api/', '/a//b', '/*rest', '/:', '/..', '/a?b', '/:x/:x']) {
    const code = 'RR_ROUTE_INVALID'
    t.throws(() => createRouter().group(prefix, () => {}), { code }, `group ${prefix}`)
    t.throws(() => createRouter().mount(prefix, other), { code }, `mount ${prefix}`)
  }
  t.throws(() => createRouter().group('/:x', (group) => group.get('/:x', unused)), /twice/)
  t.throws(() => createRouter().group('/a', (group) => group.get('x', unused)), /start with/)
})

t.test('an asynchronous group is refused, since its routes would come too late', async (t) => {
  t.throws(() => createRouter().group('/a', async () => {}), { code: 'RR_ROUTE_INVALID' })
})

t.test('mount copies the routes of another router', async (t) => {
  const users = createRouter().get('/', unused).get('/:id', unused)
  const app = createRouter()
    .get('/:page', unused)
    .mount('/users', users)
    .group('/v2', (v2) => v2.mount('/teams/:team/users', users))
  t.equal(served(app, 'GET', '/users'), '/users')
  t.same(paramsOf(app, 'GET', '/users/1'), { id: '1' })
  t.same(paramsOf(app, 'GET', '/v2/teams/a/users/1'), { team: 'a', id: '1' })
  t.equal(served(app, 'GET', '/x'), '/:page')
  t.equal(served(users, 'GET', '/1'), '/:id', 'the mounted router still serves by itself')
})

t.test('state goes with a mounted route', async (t) => {
  const other = createRouter().get('/x', { state: { limit: 3 } }, (request) => ({
    status: 200,
    body: String(request.state.limit),
  }))
  const app = createRouter().mount('/m', other)
  const answer = app.dispatch({ method: 'GET', path: '/m/x' } as never)
  t.same(answer, { status: 200, body: '3' })
})

t.test('a mounted router takes no more routes, since the copy would lack them', async (t) => {
  const other = createRouter()
  createRouter().mount('/m', other)
  t.throws(() => other.get('/x', unused), /too late: the router was mounted \(.*groups\.test\.ts/)
})

t.test('a duplicate through mount or group names both places and the mount', async (t) => {
  const other = createRouter().get('/:b', unused)
  t.throws(() => createRouter().get('/m/:a', unused).mount('/m', other), {
    code: 'RR_ROUTE_DUPLICATE',
    message:
      /GET \/m\/:b \(.*groups\.test\.ts:\d+:\d+, mounted at .*:\d+:\d+\).* GET \/m\/:a \(.*groups/,
  })
  t.throws(
    () =>
      createRouter()
        .get('/m/:a', unused)
        .group('/m', (group) => group.get('/:b', unused)),
    { code: 'RR_ROUTE_DUPLICATE' },
  )
})

t.test('a mount that cannot be is refused', async (t) => {
  const code = 'RR_ROUTE_INVALID'
  const app = createRouter()
  t.throws(() => app.mount('/x', app), { code, message: /of the router itself/ })
  t.throws(() => app.group('/g', (group) => group.mount('/x', app)), { code })
  t.throws(() => app.mount('/x', createRouter().match(unused)), { code, message: /fallback/ })
  t.throws(() => app.mount('/:id', createRouter().get('/:id', unused)), { code, message: /twice/ })
})
