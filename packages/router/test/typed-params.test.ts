import type { Handler, HttpRequest, ResponseValue } from '@rr/core'
import t from 'tap'
import { createRouter, type PathParams, type Router } from '../src/index.ts'

/** What is tested here is that this file compiles, and that each @ts-expect-error is needed. */

type Equal<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

function assertType<_Check extends true>(): void {}

const ok: ResponseValue = { status: 200 }

t.test('PathParams names the parameters of a pattern', async () => {
  assertType<Equal<PathParams<'/users/:id'>, { readonly id: string }>>()
  assertType<Equal<PathParams<'/:a/b/:c'>, { readonly a: string; readonly c: string }>>()
  assertType<Equal<PathParams<'/:a/*rest'>, { readonly a: string; readonly rest: string }>>()
  assertType<Equal<PathParams<'/files/*path'>, { readonly path: string }>>()
  assertType<Equal<keyof PathParams<'/plain/path'>, never>>()
  assertType<Equal<keyof PathParams<'/'>, never>>()
  assertType<Equal<PathParams<string>, { readonly [name: string]: string }>>()
  assertType<Equal<PathParams<`/api/${string}`>, { readonly [name: string]: string }>>()
})

t.test('handlers see the parameters and the state of their route', async () => {
  const app = createRouter()
  app.get('/users/:id', (request) => {
    assertType<Equal<typeof request.params, { readonly id: string }>>()
    assertType<Equal<typeof request.state, undefined>>()
    // @ts-expect-error the pattern has no such parameter
    request.params.name
    // @ts-expect-error parameters are not to be changed
    request.params.id = ''
    return ok
  })
  app.post('/a/:x', { state: { limit: 1 } }, (request) => {
    assertType<Equal<typeof request.state, { limit: number }>>()
    // @ts-expect-error the state has no such property
    request.state.max
    // @ts-expect-error the pattern has no such parameter
    request.params.y
    return ok
  })
  app.on('QUERY', '/q/:q', { state: 'text' }, (request) => {
    assertType<Equal<typeof request.state, string>>()
    assertType<Equal<typeof request.params, { readonly q: string }>>()
    return ok
  })
  app.get('/plain', (request) => {
    // @ts-expect-error the pattern has no parameter
    request.params.id
    return ok
  })
  app.match((request) => {
    // @ts-expect-error the fallback has no parameters
    request.params.id
    return ok
  })
  const dynamic = `/dynamic/${String(1)}` as string
  app.get(dynamic, (request) => {
    assertType<Equal<(typeof request.params)['any'], string>>()
    return ok
  })
})

t.test('prefixes add their parameters', async () => {
  createRouter().group('/teams/:team', (team) => {
    team.get('/', (request) => {
      assertType<Equal<typeof request.params, { readonly team: string }>>()
      return ok
    })
    team.group('/members', (members) => {
      members.get('/:id', (request) => {
        assertType<Equal<typeof request.params, { readonly team: string; readonly id: string }>>()
        // @ts-expect-error neither pattern nor prefix has it
        request.params.other
        return ok
      })
    })
  })
})

t.test('a router can be made for the parameters of a prefix', async () => {
  const members = createRouter<'/teams/:team'>()
  members.get('/:id', (request) => {
    assertType<Equal<typeof request.params, { readonly team: string; readonly id: string }>>()
    return ok
  })
  createRouter().mount('/teams/:team', members)
  createRouter().group('/teams/:team', (team) => team.mount('/members', members))
  createRouter().mount('/other/:team/:more', members)
  // @ts-expect-error the prefix lacks `team`
  createRouter().mount('/members', members)
  createRouter().mount('/anywhere', createRouter())
})

t.test('shared handlers fit routes that give them what they need', async () => {
  const any: Handler = () => ok
  const wantsId: Handler<{ readonly id: string }> = (request) => ({
    status: 200,
    body: request.params.id,
  })
  const wantsNothing = (_request: HttpRequest) => ok
  const wantsLimit: Handler<unknown, { limit: number }> = (request) => ({
    status: request.state.limit,
  })
  const app: Router = createRouter()
  app.get('/1/:id', any).get('/2/:id', wantsId).get('/3/:id/:more', wantsId)
  app.get('/4', wantsNothing).get('/5', { state: { limit: 200 } }, wantsLimit)
  // @ts-expect-error the pattern lacks `id`
  app.get('/6', wantsId)
  // @ts-expect-error the route has no state
  app.get('/7', wantsLimit)
  // @ts-expect-error the state is another
  app.get('/8', { state: 'text' }, wantsLimit)
  t.throws(() => {
    // @ts-expect-error there is no such option
    app.get('/9', { stat: 1 }, any)
  })
  t.throws(() => {
    // @ts-expect-error a response is not a handler
    app.get('/10', ok)
  })
})
