import type { Handler, Middleware, ResponseValue } from '@rr/core'
import { type } from 'arktype'
import t from 'tap'
import * as v from 'valibot'
import { z } from 'zod'
import { createRouter, type SchemaOutput, type StandardSchema } from '../src/index.ts'

/** What is tested here is that this file compiles, and that each @ts-expect-error is needed. */

type Equal<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

function assertType<_Check extends true>(): void {}

const ok: ResponseValue = { status: 200 }

t.test('schemas of each library are schemas, and their outputs are known', async () => {
  const fromZod = z.object({ id: z.coerce.number() })
  const fromValibot = v.object({ id: v.pipe(v.string(), v.transform(Number)) })
  const fromArktype = type({ id: 'string.numeric.parse' })
  const all: StandardSchema[] = [fromZod, fromValibot, fromArktype]
  assertType<Equal<SchemaOutput<typeof fromZod>, { id: number }>>()
  assertType<Equal<SchemaOutput<typeof fromValibot>, { id: number }>>()
  assertType<Equal<SchemaOutput<typeof fromArktype>, { id: number }>>()
  t.equal(all.length, 3)
})

t.test('the handler sees what the schemas make of the request', async () => {
  const app = createRouter()
  const schema = {
    params: z.object({ id: z.coerce.number() }),
    query: v.object({ page: v.optional(v.string()) }),
    headers: type({ 'x-key': 'string' }),
    body: z.string().transform((text) => text.length),
    response: z.object({ done: z.boolean() }),
  }
  app.post('/users/:id', { schema, state: 1 }, (request) => {
    assertType<Equal<typeof request.valid.params, { id: number }>>()
    assertType<Equal<typeof request.valid.query, { page?: string | undefined }>>()
    assertType<Equal<typeof request.valid.headers, { 'x-key': string }>>()
    assertType<Equal<typeof request.valid.body, number>>()
    assertType<Equal<typeof request.params, { readonly id: string }>>()
    assertType<Equal<typeof request.state, number>>()
    // @ts-expect-error what is answered is no part of the request
    request.valid.response
    // @ts-expect-error what was validated is not to be replaced
    request.valid.body = 1
    return ok
  })
  app.post('/inline', { schema: { body: z.object({ name: z.string() }) } }, async (request) => {
    assertType<Equal<typeof request.valid.body, { name: string }>>()
    assertType<Equal<typeof request.state, undefined>>()
    // @ts-expect-error there is no schema of the query
    request.valid.query
    // @ts-expect-error the body has no such property
    request.valid.body.age
    return ok
  })
  app.on('QUERY', '/on/:x', { schema: { body: v.number() } }, (request) => {
    assertType<Equal<typeof request.valid.body, number>>()
    return ok
  })
  app.group('/g/:g', (group) => {
    group.put('/:x', { schema: { params: type({ g: 'string', x: 'string' }) } }, (request) => {
      assertType<Equal<typeof request.valid.params, { g: string; x: string }>>()
      assertType<Equal<typeof request.params, { readonly g: string; readonly x: string }>>()
      return ok
    })
  })
})

t.test('a route without schemas has nothing validated', async () => {
  const app = createRouter()
  const own: Middleware = (_request, next) => next()
  app.get('/1', (request) => {
    assertType<Equal<typeof request.valid, undefined>>()
    return ok
  })
  app.get('/2', { state: 'x', middleware: [own], maxBodyBytes: 5 }, (request) => {
    assertType<Equal<typeof request.valid, undefined>>()
    assertType<Equal<typeof request.state, string>>()
    return ok
  })
  app.get('/3', { middleware: [(request, next) => (request.path === '/' ? next() : ok)] }, () => ok)
})

t.test('shared handlers fit routes that validate what they need', async (t) => {
  const any: Handler = () => ok
  const wantsName: Handler<unknown, unknown, { readonly body: { name: string } }> = (request) => ({
    status: 200,
    body: request.valid.body.name,
  })
  const named = { schema: { body: z.object({ name: z.string(), age: z.number() }) } }
  const app = createRouter()
  app.post('/1', named, any).post('/2', named, wantsName)
  // @ts-expect-error the route validates nothing
  app.post('/3', wantsName)
  // @ts-expect-error the route validates something else
  app.post('/4', { schema: { body: z.object({ age: z.number() }) } }, wantsName)
  t.throws(() => {
    // @ts-expect-error there is no such part
    app.post('/5', { schema: { bodies: z.string() } }, any)
  })
  t.throws(() => {
    // @ts-expect-error this is no schema
    app.post('/6', { schema: { body: { type: 'string' } } }, any)
  })
})
