import type { DrainNotice, HttpRequest } from '@rr/core'
import t, { type Test } from 'tap'
import { listen } from '../src/listen.ts'
import { serve } from '../src/serve.ts'
import type { Server } from '../src/server.ts'
import app from './fixtures/long-answers.ts'
import { EventLog } from './support/event-log.ts'
import { fixtureUrl } from './support/fixture-url.ts'
import { RawClient } from './support/raw-client.ts'
import { answer } from './support/test-server.ts'
import { until } from './support/until.ts'

const HOUR_MS = 3_600_000
const OPTIONS = { host: '127.0.0.1', port: 0 }

const WAYS: readonly { readonly name: string; readonly start: () => Promise<Server> }[] = [
  { name: 'listen()', start: () => listen(app, OPTIONS) },
  {
    name: 'serve(), 2 workers',
    start: () => serve(fixtureUrl('long-answers.ts'), { ...OPTIONS, workers: 2 }),
  },
]

interface Opened {
  readonly server: Server
  connect(): Promise<RawClient>
}

async function open(t: Test, start: () => Promise<Server>): Promise<Opened> {
  const server = await start()
  const clients: RawClient[] = []
  t.teardown(async () => {
    for (const client of clients) client.close()
    await server.stop()
  })
  return {
    server,
    async connect() {
      const client = await RawClient.connect(server.port)
      clients.push(client)
      return client
    },
  }
}

async function openStreams(
  { connect }: Opened,
  path: string,
  count: number,
): Promise<readonly RawClient[]> {
  const clients = await Promise.all(Array.from({ length: count }, connect))
  for (const client of clients) {
    client.get(path)
    await client.expect(/data: begun\n\n/)
  }
  return clients
}

async function nextNotice(client: RawClient): Promise<DrainNotice> {
  const text = await client.expect(/event: notice\ndata: .*\n\n/)
  return JSON.parse(/\ndata: (.*)\n\n$/.exec(text)![1]!) as DrainNotice
}

for (const { name, start } of WAYS) {
  t.test(`${name}: a drain does not wait for event streams that end at it`, async (t) => {
    const opened = await open(t, start)
    const clients = await openStreams(opened, '/events', 5)
    const drained = opened.server.drain({ timeoutMs: HOUR_MS })
    for (const client of clients) {
      // The end of the chunked body: an EventSource that gets it connects again.
      await client.expect(/event: bye\ndata: \n\n\r\n0\r\n\r\n/)
      t.equal(await client.ended(), 'end')
      client.close()
    }
    t.strictSame(await drained, { drained: true }, 'an hour before its deadline')
  })

  t.test(`${name}: a notice ends event streams, and stops nothing`, async (t) => {
    const opened = await open(t, start)
    const { server, connect } = opened
    const clients = await openStreams(opened, '/events', 5)
    server.notifyDrain({ timeoutMs: HOUR_MS })
    for (const client of clients) {
      await client.expect(/event: bye\ndata: \n\n\r\n0\r\n\r\n/)
      await answer(client, '/', /ok/)
      t.equal(client.ending, null, 'the connection stays')
    }
    t.equal(server.status(), 'accepting')
    const later = await connect()
    t.equal(await answer(later, '/knows', /true/), 'true')
    t.notMatch(await answer(later, '/', /ok/), /connection: close/i)
    const [back] = await openStreams(opened, '/events', 1)
    t.equal(server.info().inFlight, 1, 'who comes back to this server is not sent away again')
    for (const client of [...clients, later]) client.close()
    const drained = server.drain({ timeoutMs: HOUR_MS })
    await back!.expect(/event: bye\n/)
    await back!.ended()
    back!.close()
    t.strictSame(await drained, { drained: true })
  })

  t.test(`${name}: a notice, a drain and its sooner deadline are told in turn`, async (t) => {
    const opened = await open(t, start)
    const { server } = opened
    const clients = await openStreams(opened, '/notices', 4)
    const toldAll = (): Promise<readonly DrainNotice[]> => Promise.all(clients.map(nextNotice))
    const beforeMs = Date.now()
    server.notifyDrain({ timeoutMs: HOUR_MS })
    const expected = await toldAll()
    const afterMs = Date.now()
    for (const { deadlineMs, isStopping } of expected) {
      t.equal(isStopping, false)
      // The server's clock and this one are each cut to the millisecond.
      t.ok(deadlineMs >= beforeMs + HOUR_MS - 2 && deadlineMs <= afterMs + HOUR_MS + 2)
    }
    const drained = server.drain({ timeoutMs: HOUR_MS })
    const stopping = await toldAll()
    t.ok(stopping.every(({ isStopping }) => isStopping))
    server.notifyDrain({ timeoutMs: 1 })
    void server.drain({ timeoutMs: 2 * HOUR_MS })
    void server.drain({ timeoutMs: HOUR_MS / 2 })
    const sooner = await toldAll()
    for (const [index, { deadlineMs, isStopping }] of sooner.entries()) {
      t.ok(isStopping)
      t.ok(deadlineMs < stopping[index]!.deadlineMs)
      t.ok(
        deadlineMs > beforeMs + HOUR_MS / 4,
        'later ones and those without stopping are not told',
      )
    }
    for (const client of clients) {
      await client.ended()
      client.close()
    }
    t.strictSame(await drained, { drained: true })
    t.doesNotThrow(() => server.notifyDrain(), 'nor is there anybody to tell after the end')
  })

  t.test(`${name}: options of notifyDrain() are checked`, async (t) => {
    const { server, connect } = await open(t, start)
    t.throws(() => server.notifyDrain({ timeoutMs: -1 }), {
      code: 'RR_OPTION_INVALID',
      message: /^notifyDrain\(\)/,
    })
    t.throws(() => server.notifyDrain({ timeout: 1 } as never), { code: 'RR_OPTION_UNKNOWN' })
    t.equal(await answer(await connect(), '/knows', /false/), 'false')
  })
}

t.test('a worker that takes the place of another knows of the notice', async (t) => {
  const log = new EventLog()
  const url = fixtureUrl('long-answers.ts')
  const { server, connect } = await open(t, () =>
    serve(url, { ...OPTIONS, workers: 1, onEvent: log.listener }),
  )
  server.notifyDrain({ timeoutMs: HOUR_MS })
  t.match(log.of('drain-expected'), [{ timeoutMs: HOUR_MS }])
  await answer(await connect(), '/exit', /about to exit/)
  await log.wait('worker-listening', 2)
  t.equal(await answer(await connect(), '/knows', /true/), 'true')
  await until(() => server.info().inFlight === 0, 'the answer')
})

t.test('who drains the server on hearing of it is not overtaken by the notice', async (t) => {
  const heard: boolean[][] = []
  const app = (request: HttpRequest): Promise<never> => {
    const own: boolean[] = []
    heard.push(own)
    request.onDrain(({ isStopping }) => {
      own.push(isStopping)
      void server.drain({ timeoutMs: 0 })
    })
    return new Promise(() => {})
  }
  const opened = await open(t, () => listen(app, OPTIONS))
  const { server, connect } = opened
  for (let count = 0; count < 3; count++) (await connect()).get('/')
  await until(() => heard.length === 3, 'the requests')
  server.notifyDrain({ timeoutMs: HOUR_MS })
  t.same(heard, [[false, true], [true], [true]])
  t.match(await server.closed, { drained: false, remaining: 3 })
})
