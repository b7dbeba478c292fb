import t from 'tap'
import { defineApp, resolveApplication } from '../src/application.ts'
import { text } from '../src/response.ts'
import { converse } from './support/conversation.ts'
import { NEXT } from './support/messages.ts'

const context = { workerId: 1, workers: 1 }

async function bodyOf(value: unknown): Promise<string | undefined> {
  const { handler } = resolveApplication(value)
  const conversation = await converse(NEXT, { handler })
  return conversation.responses()[0]?.body
}

t.test('an application may be', async (t) => {
  class Router {
    readonly greeting = 'router'
    dispatch() {
      return text(this.greeting)
    }
  }
  class Web {
    readonly greeting = 'web'
    fetch() {
      return new Response(this.greeting)
    }
  }
  t.equal(await bodyOf(() => text('function')), 'function')
  t.equal(await bodyOf(async () => text('async function')), 'async function')
  t.equal(await bodyOf(new Router()), 'router', 'a router, which keeps its this')
  t.equal(await bodyOf(new Web()), 'web', 'an object with fetch, which keeps its this')
  t.equal(await bodyOf(defineApp({ handler: new Router() })), 'router')
  t.equal(await bodyOf(defineApp({ handler: new Web() })), 'web')
})

t.test('a handler function has no this', async (t) => {
  let self: unknown = 'not called'
  await converse(NEXT, {
    handler(this: unknown) {
      self = this
      return text('')
    },
  })
  t.not(self, 'not called')
  t.notOk(self instanceof Object && 'onRequest' in self)
})

t.test('setup and teardown are those of defineApp, or nothing', async (t) => {
  const calls: unknown[] = []
  const app = resolveApplication(
    defineApp({
      handler: () => text(''),
      setup: (given) => void calls.push(['setup', given]),
      teardown: async (given) => void calls.push(['teardown', given]),
    }),
  )
  await app.setup(context)
  await app.teardown(context)
  t.same(calls, [
    ['setup', context],
    ['teardown', context],
  ])
  const plain = resolveApplication(() => text(''))
  t.equal(await plain.setup(context), undefined)
  t.equal(await plain.teardown(context), undefined)
})

t.test('anything else is refused, and the message says what was found', (t) => {
  const bad: readonly (readonly [unknown, string])[] = [
    [undefined, 'nothing'],
    [null, 'null'],
    ['app', 'a string'],
    [5, 'a number'],
    [{}, 'an empty object'],
    [{ get: 1, post: 2 }, 'an object with get, post'],
    [{ fetch: 'no function' }, 'an object with fetch'],
    [Promise.resolve(), 'an empty object'],
  ]
  for (const [value, found] of bad) {
    t.throws(() => resolveApplication(value), {
      code: 'RR_APPLICATION_INVALID',
      message: new RegExp(`, not ${found}$`),
    })
    t.throws(() => resolveApplication(defineApp({ handler: value as never })), {
      code: 'RR_APPLICATION_INVALID',
    })
  }
  t.end()
})

t.test('routes in a module of their own', (t) => {
  const routes = new URL('file:///srv/routes.ts')
  const app = resolveApplication(defineApp({ routes, setup: () => {} }))
  t.equal(app.routesUrl, routes.href)
  t.equal(app.hasLifeCycle, true)
  t.throws(() => app.handler(null as never), { code: 'RR_SERVER_STATE' }, 'not loaded')
  const handler = (): ReturnType<typeof text> => text('')
  t.equal(app.resolveRoutes(handler).handler, handler)
  t.throws(() => app.resolveRoutes(5), { code: 'RR_APPLICATION_INVALID' })
  t.throws(() => app.resolveRoutes(defineApp({ handler })), { code: 'RR_APPLICATION_INVALID' })
  for (const bad of ['./routes.ts', null, 5, {}]) {
    t.throws(() => resolveApplication(defineApp({ routes: bad as never })), {
      code: 'RR_APPLICATION_INVALID',
      message: /takes the URL of a module/,
    })
  }
  t.throws(() => resolveApplication(defineApp({ routes, handler } as never)), {
    code: 'RR_APPLICATION_INVALID',
    message: /not both/,
  })
  t.match(resolveApplication(handler), { routesUrl: null, hasLifeCycle: false })
  t.match(resolveApplication(defineApp({ handler })), { routesUrl: null, hasLifeCycle: false })
  t.match(resolveApplication(defineApp({ handler, teardown() {} })), { hasLifeCycle: true })
  t.end()
})
