// Schemas of routes: what reaches the handler, what is refused, over a real server.

import { setImmediate } from 'node:timers/promises'
import { type HandlerResult, json, problem, text } from '@rr/core'
import { listen } from '@rr/listener'
import { type } from 'arktype'
import t, { type Test } from 'tap'
import * as v from 'valibot'
import { z } from 'zod'
import { createRouter, type Router, type StandardSchema, ValidationError } from '../src/index.ts'
import { unused } from './support/requests.ts'

const form = { 'content-type': 'application/x-www-form-urlencoded' }

/** Serves a router, and gives what asks it. */
async function serve(
  t: Test,
  app: Router,
  onError?: (error: unknown) => void,
): Promise<(target: string, init?: RequestInit) => Promise<Response>> {
  const server = await listen(app, {
    host: '127.0.0.1',
    port: 0,
    onError: onError ?? ((error) => t.error(error)),
  })
  t.teardown(() => server.stop())
  return (target, init) => fetch(server.url + target, init)
}

function post(body: unknown): RequestInit {
  const headers = { 'content-type': 'application/json' }
  return { method: 'POST', headers, body: JSON.stringify(body) }
}

/** A schema of no library. */
function schemaOf<Output>(
  validate: (
    value: unknown,
  ) => ReturnType<StandardSchema<unknown, Output>['~standard']['validate']>,
): StandardSchema<unknown, Output> {
  return { '~standard': { version: 1, vendor: 'test', validate } }
}

const LIBRARIES: Record<string, StandardSchema<unknown, { name: string; age: number }>> = {
  zod: z.object({ name: z.string(), age: z.number() }),
  valibot: v.object({ name: v.string(), age: v.number() }),
  arktype: type({ name: 'string', age: 'number' }),
  'zod, asynchronous': z.object({ name: z.string(), age: z.number() }).refine(async () => {
    await setImmediate()
    return true
  }),
}

for (const [library, body] of Object.entries(LIBRARIES)) {
  t.test(`${library}: a body that matches is req.valid.body, another is a 422`, async (t) => {
    const app = createRouter().post('/', { schema: { body } }, ({ valid }) => json(valid.body))
    const ask = await serve(t, app)
    const good = await ask('/', post({ name: 'Alice', age: 30 }))
    t.equal(good.status, 200)
    t.same(await good.json(), { name: 'Alice', age: 30 })
    const bad = await ask('/', post({ name: 'Alice', age: 'old' }))
    t.equal(bad.status, 422)
    t.equal(bad.headers.get('content-type'), 'application/problem+json')
    const answer = (await bad.json()) as { errors: { message: unknown }[] }
    t.match(answer, {
      title: 'Unprocessable Entity',
      status: 422,
      detail: 'the request does not match what is expected here',
      errors: [{ in: 'body', path: ['age'] }],
    })
    t.type(answer.errors[0]?.message, 'string')
    t.equal((await ask('/', { method: 'POST' })).status, 422, 'no body is no object')
  })
}

t.test(
  'params, query, headers and body are each checked, and all faults told at once',
  async (t) => {
    const schema = {
      params: z.object({ id: z.coerce.number().int() }),
      query: v.object({ tag: v.array(v.string()), page: v.string() }),
      headers: type({ 'x-key': 'string >= 3', '+': 'ignore' }),
      body: z.object({ list: z.array(z.object({ n: z.number() })) }),
    }
    const app = createRouter().post('/items/:id', { schema }, ({ valid }) => json(valid))
    const ask = await serve(t, app)
    const init = post({ list: [{ n: 1 }] })
    const headers = { ...init.headers, 'X-Key': 'secret' }
    const good = await ask('/items/7?tag=a&tag=b&page=1', { ...init, headers })
    t.match(await good.json(), {
      params: { id: 7 },
      query: { tag: ['a', 'b'], page: '1' },
      headers: { 'x-key': 'secret' },
      body: { list: [{ n: 1 }] },
    })
    const bad = await ask('/items/x?tag=a', post({ list: [{ n: 1 }, { n: 'two' }] }))
    const { errors } = (await bad.json()) as { errors: { in: string; path: unknown[] }[] }
    t.same(
      errors.map((error) => [error.in, ...error.path]),
      [
        ['params', 'id'],
        ['query', 'tag'],
        ['query', 'page'],
        ['headers', 'x-key'],
        ['body', 'list', 1, 'n'],
      ],
    )
  },
)

t.test('a body is read by its media type', async (t) => {
  const body = schemaOf<unknown>((value) => ({ value }))
  const app = createRouter().post('/', { schema: { body } }, ({ valid }) =>
    json({ is: valid.body }),
  )
  const ask = await serve(t, app)
  const send = async (type: string | null, body: string | Uint8Array): Promise<unknown> => {
    // Bytes, because fetch names the type of a string.
    const headers: Record<string, string> = type === null ? {} : { 'content-type': type }
    const bytes = typeof body === 'string' ? Buffer.from(body) : Buffer.from(body)
    const response = await ask('/', { method: 'POST', headers, body: bytes })
    const answer = (await response.json()) as { is?: unknown }
    return response.status === 200 ? answer.is : response.status
  }
  t.same(await send('Application/JSON; charset=utf-8', '{"a":1}'), { a: 1 })
  t.same(await send('application/merge-patch+json', '[1]'), [1])
  t.same(await send(form['content-type'], 'a=1&b=%C3%A9+x&a=2&?c'), {
    a: ['1', '2'],
    b: 'é x',
    '?c': '',
  })
  t.equal(await send('application/json', '{"a":'), 400)
  for (const bad of ['a=%', 'a=%zz', 'a=%ff', Buffer.from([0x61, 0x3d, 0xff])]) {
    t.equal(await send(form['content-type'], bad), 400)
  }
  for (const other of [null, 'text/plain', 'application/jsonp', 'json', 'application/xml']) {
    t.equal(await send(other, '{"a":1}'), 415, String(other))
  }
})

t.test('a schema may change what it accepts, and none that is not there is read', async (t) => {
  const body = z.object({ n: z.number().default(5) }).transform(({ n }) => n * 2)
  const app = createRouter()
    .post('/', { schema: { body } }, ({ valid }) => text(String(valid.body)))
    .post('/raw', { schema: {} }, async (request) => text(await request.text()))
    .get('/none', (request) => text(String('valid' in request)))
  const ask = await serve(t, app)
  t.equal(await (await ask('/', post({}))).text(), '10')
  t.equal(await (await ask('/raw', post('x'))).text(), '"x"')
  t.equal(await (await ask('/none')).text(), 'false')
})

t.test('middleware of the route comes before its schemas', async (t) => {
  const app = createRouter().post(
    '/',
    { schema: { body: z.string() }, middleware: [() => problem(401)] },
    unused,
  )
  const ask = await serve(t, app)
  t.equal((await ask('/', post(5))).status, 401)
})

t.test('onError may answer for a request that does not match', async (t) => {
  const app = createRouter()
    .post('/', { schema: { body: z.string() } }, unused)
    .onError((error) => {
      if (!(error instanceof ValidationError)) throw error
      return json(error.faults, { status: 400 })
    })
  const response = await (await serve(t, app))('/', post(5))
  t.equal(response.status, 400)
  t.match(await response.json(), [{ in: 'body', path: [] }])
})

t.test('a schema that fails is a 500 for the log, now or later', async (t) => {
  const failure = new Error('the schema is broken')
  const errors: unknown[] = []
  const throws = (): never => {
    throw failure
  }
  const app = createRouter()
    .get('/now', { schema: { query: schemaOf(throws) } }, unused)
    .get('/later', { schema: { query: schemaOf(async () => throws()) } }, unused)
  const ask = await serve(t, app, (error) => errors.push(error))
  t.equal((await ask('/now')).status, 500)
  t.equal((await ask('/later')).status, 500)
  t.same(errors, [failure, failure])
})

t.test('a malformed query beside a schema that fails later ends no process', async (t) => {
  const params = schemaOf<unknown>(async () => {
    await setImmediate()
    throw new Error('nobody waits for this')
  })
  const query = schemaOf<unknown>((value) => ({ value }))
  const app = createRouter().get('/:x', { schema: { params, query } }, unused)
  const ask = await serve(t, app)
  t.equal((await ask('/a?x=%ff')).status, 400)
  await setImmediate()
})

t.test('keys such as __proto__ change nothing', async (t) => {
  const app = createRouter().post(
    '/',
    { schema: { query: z.record(z.string(), z.any()), body: z.looseObject({}) } },
    ({ valid }) => json([({} as Record<string, unknown>)['admin'], Object.keys(valid.query)]),
  )
  const ask = await serve(t, app)
  const query = '?__proto__=admin&constructor=b&__proto__[admin]=1'
  const response = await ask(`/${query}`, {
    ...post(0),
    body: '{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":1}}}',
  })
  t.equal(response.status, 200)
  const [admin] = (await response.json()) as unknown[]
  t.equal(admin, null)
  t.equal(({} as Record<string, unknown>)['admin'], undefined)
})

t.test('what is told of faults is bounded, however many a client makes', async (t) => {
  const issue = (count: number, text: string, depth: number) => ({
    issues: Array.from({ length: count }, () => ({
      message: text,
      path: Array.from({ length: depth }, () => ({ key: text })),
    })),
  })
  const errorsOf = (count: number, text: string, depth: number): readonly unknown[] => {
    const query = schemaOf(() => issue(count, text, depth))
    const app = createRouter().get('/', { schema: { query } }, unused)
    try {
      app.dispatch({ method: 'GET', path: '/', query: [] } as never)
    } catch (error) {
      return (error as ValidationError).faults
    }
    return []
  }
  for (const [count, told] of [
    [99, 99],
    [100, 100],
    [101, 100],
  ] as const) {
    t.equal(errorsOf(count, 'x', 1).length, told)
  }
  const [short] = errorsOf(1, 'x'.repeat(200), 32)
  t.match(short, { message: /^x{200}$/ })
  const [long] = errorsOf(1, 'x'.repeat(201), 33) as { path: string[] }[]
  t.match(long, { message: /^x{200}…$/ })
  t.equal(long?.path.length, 32)
  t.equal(long?.path[0]?.length, 201)
})

t.test('what is no schema is refused where the route is added', async (t) => {
  const code = 'RR_ROUTE_INVALID'
  const bad: unknown[] = [
    5,
    null,
    'body',
    { bodies: z.string() },
    { body: {} },
    { body: null },
    { body: () => true },
    { body: { '~standard': { version: 2, validate: () => {} } } },
    { body: { '~standard': { version: 1 } } },
  ]
  for (const schema of bad) {
    t.throws(() => createRouter().get('/', { schema } as never, unused), { code })
  }
})

t.test('response schemas', async (t) => {
  const response = z.object({ id: z.string() })
  const answers: Record<string, () => HandlerResult> = {
    good: () => json({ id: '1', more: 2 }),
    bad: () => json({ id: 1 }),
    later: async () => json({ id: 1 }),
    bytes: () => ({
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: Buffer.from('{"id":1}'),
    }),
    web: () => Response.json({ id: 1 }),
    broken: () => ({ status: 200, headers: { 'content-type': 'application/json' }, body: '{' }),
    problem: () => problem(404),
    empty: () => ({ status: 204 }),
    stream: () => new Response(new Blob(['x']).stream()),
  }
  const make = (checkResponses?: boolean): Router => {
    const app = createRouter(checkResponses === undefined ? {} : { checkResponses })
    for (const [name, handler] of Object.entries(answers)) {
      app.get(`/${name}`, { schema: { response } }, handler)
    }
    return app.get('/text', { schema: { response: z.literal('ok') } }, () => text('no'))
  }
  const statuses = async (app: Router, errors: unknown[]): Promise<Record<string, number>> => {
    const ask = await serve(t, app, (error) => errors.push(error))
    const found: Record<string, number> = {}
    for (const name of [...Object.keys(answers), 'text']) {
      const answer = await ask(`/${name}`)
      await answer.text()
      found[name] = answer.status
    }
    return found
  }
  const unchecked = { good: 200, bad: 200, later: 200, bytes: 200, web: 200, broken: 200 }
  const passed = { problem: 404, empty: 204, stream: 200 }

  await t.test('are checked in development: a 500, and the log says why', async (t) => {
    const errors: unknown[] = []
    t.same(await statuses(make(), errors), {
      good: 200,
      bad: 500,
      later: 500,
      bytes: 500,
      web: 500,
      broken: 500,
      ...passed,
      text: 500,
    })
    t.equal(errors.length, 6)
    t.match(errors[0], {
      code: 'RR_RESPONSE_MISMATCH',
      message: /GET \/bad does not match its schema: id: /,
    })
  })

  await t.test('are not checked in production, or as the option says', async (t) => {
    const before = process.env['NODE_ENV']
    t.teardown(() => {
      if (before === undefined) delete process.env['NODE_ENV']
      else process.env['NODE_ENV'] = before
    })
    process.env['NODE_ENV'] = 'production'
    const errors: unknown[] = []
    t.same(await statuses(make(), errors), { ...unchecked, ...passed, text: 200 })
    t.match(await statuses(make(true), errors), { bad: 500 })
    process.env['NODE_ENV'] = 'development'
    t.match(await statuses(make(false), errors), { bad: 200 })
  })
})
