import { text } from '@rr/core'
import t, { type Test } from 'tap'
import { type ListenOptions, listen } from '../src/listen.ts'
import type { Server } from '../src/server.ts'
import { EventLog } from './support/event-log.ts'
import { RawClient } from './support/raw-client.ts'
import { listenTroubles } from './support/test-server.ts'
import { until } from './support/until.ts'

async function start(t: Test, app: unknown, options: ListenOptions = {}): Promise<Server> {
  const server = await listen(app, { host: '127.0.0.1', port: 0, ...options })
  t.teardown(() => server.stop())
  return server
}

async function connect(t: Test, server: Server): Promise<RawClient> {
  const client = await RawClient.connect(server.port)
  t.teardown(() => client.close())
  return client
}

t.test('takes the application in every form', async (t) => {
  const forms: [string, unknown][] = [
    ['handler', () => text('served')],
    ['fetch', { fetch: () => new Response('served') }],
    ['router', { dispatch: () => text('served') }],
  ]
  for (const [name, app] of forms) {
    const server = await start(t, app)
    t.equal(await (await fetch(server.url)).text(), 'served', name)
  }
  await t.rejects(listen({ answer: 42 }), { code: 'RR_APPLICATION_INVALID' })
})

t.test('onError and onAccess are told in the same thread', async (t) => {
  const errors: unknown[] = []
  const accessed: [string, number][] = []
  const error = new Error('from the handler')
  const app = (request: { path: string }) => {
    if (request.path === '/throw') throw error
    return text('fine')
  }
  const server = await start(t, app, {
    onError: (thrown, request) => errors.push([thrown, request?.path]),
    onAccess: ({ request, status }) => accessed.push([request.path, status]),
  })
  await fetch(`${server.url}/throw`)
  await fetch(`${server.url}/fine`)
  t.strictSame(errors, [[error, '/throw']])
  t.strictSame(accessed, [
    ['/throw', 500],
    ['/fine', 200],
  ])
})

for (const way of ['throws', 'rejects']) {
  t.test(`a hook that ${way} is a warning, and harms no request`, async (t) => {
    const log = new EventLog()
    const fail = (from: string): void | Promise<void> => {
      const error = new Error(`from ${from}`)
      if (way === 'rejects') return Promise.reject(error)
      throw error
    }
    const app = (request: { path: string }) => {
      if (request.path === '/throw') throw new Error('from the handler')
      return text('fine')
    }
    const server = await start(t, app, {
      onEvent: log.listener,
      onError: () => fail('onError'),
      onAccess: () => fail('onAccess'),
    })
    for (let count = 0; count < 3; count++) {
      t.equal((await fetch(`${server.url}/throw`)).status, 500)
      t.equal(await (await fetch(`${server.url}/fine`)).text(), 'fine')
    }
    const told = log.of('warning').map(({ code, message }) => [code, message])
    t.strictSame(told.toSorted(), [
      ['RR_HOOK_FAILED', 'onAccess failed: Error: from onAccess'],
      ['RR_HOOK_FAILED', 'onError failed: Error: from onError'],
    ])
  })
}

t.test('a host name: host and url tell the address that is bound', async (t) => {
  const server = await start(t, () => text('served'), { host: 'localhost' })
  t.match(server.host, /^(127\.0\.0\.1|::1)$/)
  t.match(server.url, /^http:\/\/(127\.0\.0\.1|\[::1\]):\d+$/)
  t.match(server.info(), { host: server.host, url: server.url })
})

t.test('without onError there is an event', async (t) => {
  const log = new EventLog()
  const app = () => {
    throw new Error('from the handler')
  }
  const server = await start(t, app, { onEvent: log.listener })
  await fetch(`${server.url}/throw`)
  t.match(await log.wait('handler-error'), {
    error: { message: 'from the handler' },
    request: { target: '/throw' },
  })
})

t.test('without onEvent troubles are shown on the console', async (t) => {
  const shown: string[] = []
  const { error } = console
  console.error = (line: string) => shown.push(line)
  t.teardown(() => {
    console.error = error
  })
  const server = await start(t, () => {
    throw new Error('from the handler')
  })
  await fetch(`${server.url}/throw`)
  await until(() => shown.length > 0, 'the line')
  t.match(
    shown[0],
    /^rr: handler of GET \/throw failed in worker 1: Error: from the handler\n {4}at /,
  )
})

t.test('a port that is taken: RR_BIND_FAILED, and what setup made is torn down', async (t) => {
  const server = await start(t, () => text(''))
  let tornDown = 0
  const { defineApp } = await import('@rr/core')
  const app = defineApp({ handler: () => text(''), teardown: () => void tornDown++ })
  await t.rejects(listen(app, { host: '127.0.0.1', port: server.port }), {
    code: 'RR_BIND_FAILED',
    cause: { code: 'EADDRINUSE' },
  })
  t.equal(tornDown, 1)
})

t.test("what setup throws is the caller's", async (t) => {
  await t.rejects(listenTroubles(t, {}, { setup: 'throw' }), { name: 'RangeError' })
})

t.test('the addresses of wildcards lead to this machine', async (t) => {
  const server = await start(t, () => text('served'), { host: '0.0.0.0' })
  t.equal(server.host, '0.0.0.0')
  t.equal(server.url, `http://127.0.0.1:${server.port}`)
  const six = await start(t, () => text('served'), { host: '::' }).catch(() => null)
  if (six === null) {
    t.comment('no IPv6 here')
    return
  }
  t.equal(six.url, `http://[::1]:${six.port}`)
  t.equal(await (await fetch(six.url)).text(), 'served')
})

t.test('time limits run on the wheel: an incomplete head, an idle connection', async (t) => {
  const server = await start(t, () => text('served'), {
    headersTimeoutMs: 150,
    keepAliveTimeoutMs: 150,
  })
  const slow = await connect(t, server)
  slow.send('GET / HTTP/1.1\r\nHost:')
  t.match(await slow.expect(/\r\n\r\n/), /^HTTP\/1\.1 408 /)
  const idle = await connect(t, server)
  idle.get('/')
  await idle.expect(/served/)
  t.equal(await idle.ended(), 'end')
  t.match(server.info().rejections, { total: 1, requests: { 408: 1 } })
})
