// What the diagnostics channels are told of connections, workers and drains, and where.

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { RequestChannels } from '@rr/core'
import t, { type Test } from 'tap'
import {
  type ConnectionMessage,
  type DrainEndedMessage,
  type DrainStartedMessage,
  SERVER_CHANNELS,
  type ServerChannels,
} from '../src/diagnostics.ts'
import { serve } from '../src/serve.ts'
import { fixtureUrl } from './support/fixture-url.ts'
import { SharedCounters } from './support/shared-counters.ts'
import { answer, listenTroubles, serveTroubles } from './support/test-server.ts'
import { until } from './support/until.ts'

/** Collects what a channel is told until the test ends. */
function hear<Name extends keyof ServerChannels>(t: Test, name: Name): ServerChannels[Name][]
function hear<Name extends keyof RequestChannels>(t: Test, name: Name): RequestChannels[Name][]
function hear(t: Test, name: string): unknown[] {
  const heard: unknown[] = []
  const listener = (message: unknown): void => void heard.push(message)
  subscribe(name, listener)
  t.teardown(() => unsubscribe(name, listener))
  return heard
}

t.test('a connection is told of when it is open and when it has gone, by one object', async (t) => {
  const [opened, closed] = [hear(t, 'rr:connection:open'), hear(t, 'rr:connection:close')]
  const { server, connect } = await listenTroubles(t)
  const client = await connect()
  await answer(client, '/', /ok/)
  t.equal(opened.length, 1)
  const { port } = client.socket.address() as { port: number }
  t.match(opened[0], {
    workerId: 1,
    protocol: 'http/1.1',
    peer: { address: '127.0.0.1', port, family: 'IPv4' },
    local: { address: '127.0.0.1', port: server.port },
    error: null,
  })
  await answer(client, '/', /ok/)
  t.equal(closed.length, 0)
  client.close()
  await until(() => closed.length === 1, 'the close')
  t.equal(closed[0], opened[0])
  t.equal(opened.length, 1)
})

t.test(
  'a connection that was reset has the error; who hears only of the end has the peer',
  async (t) => {
    const closed: ConnectionMessage[] = hear(t, 'rr:connection:close')
    const { connect } = await listenTroubles(t)
    const client = await connect()
    await answer(client, '/', /ok/)
    client.socket.resetAndDestroy()
    await until(() => closed.length === 1, 'the close')
    t.match(closed[0]?.error, { code: 'ECONNRESET' })
    t.equal(closed[0]?.peer.address, '127.0.0.1')
  },
)

t.test('the end of a request whose client has gone still tells who that was', async (t) => {
  const [started, ended] = [hear(t, 'rr:request:start'), hear(t, 'rr:request:end')]
  const { connect } = await listenTroubles(t)
  const client = await connect()
  client.get('/wait')
  await until(() => started.length === 1, 'the request')
  client.socket.resetAndDestroy()
  await until(() => ended.length === 1, 'the end')
  t.match(ended[0], { status: 0, error: { code: 'RR_REQUEST_ABORTED' } })
  t.equal(ended[0]?.request.peer.address, '127.0.0.1')
})

t.test('a connection whose PROXY protocol header does not come was never open', async (t) => {
  const refused = hear(t, 'rr:refusal')
  const [opened, closed] = [hear(t, 'rr:connection:open'), hear(t, 'rr:connection:close')]
  const { connect } = await listenTroubles(t, {
    proxyProtocol: 'require',
    trustedProxies: ['127.0.0.1'],
  })
  const wrong = await connect()
  wrong.send('GET / HTTP/1.1\r\n\r\n')
  await wrong.ended()
  await until(() => refused.length === 1, 'the refusal')
  const right = await connect()
  right.send('PROXY TCP4 192.0.2.1 198.51.100.2 1 2\r\n')
  await answer(right, '/', /ok/)
  right.close()
  await until(() => closed.length > 0, 'the close')
  t.match(closed, [{ peer: { address: '192.0.2.1' } }])
  t.strictSame(opened, closed)
})

for (const [overload, status] of [
  ['answer', 503],
  ['close', 0],
] as const) {
  t.test(`a connection over maxConnections is a refusal (overload: ${overload})`, async (t) => {
    const refused = hear(t, 'rr:refusal')
    const opened = hear(t, 'rr:connection:open')
    const { connect } = await listenTroubles(t, { maxConnections: 1, overload })
    await answer(await connect(), '/', /ok/)
    // The reset may be there before the client knows that it is connected.
    await connect().catch(() => {})
    await until(() => refused.length === 1, 'the refusal')
    t.match(refused, [
      {
        workerId: 1,
        status,
        cause: 'connections',
        peer: { address: '127.0.0.1' },
      },
    ])
    t.equal(opened.length, 1, 'it was never open')
  })
}

t.test('listen(): the worker listens, the server and its worker drain', async (t) => {
  const listening = hear(t, 'rr:worker:listening')
  const started: DrainStartedMessage[] = hear(t, 'rr:drain:started')
  const ended: DrainEndedMessage[] = hear(t, 'rr:drain:ended')
  const { server, connect } = await listenTroubles(t)
  t.match(listening, [{ workerId: 1, port: server.port, generation: 1 }])
  await answer(await connect(), '/', /ok/)
  await server.drain({ timeoutMs: 60_000 })
  t.match(started, [
    { workerId: null, connections: null, timeoutMs: 60_000 },
    { workerId: 1, connections: 1 },
  ])
  t.same(ended, [
    { workerId: 1, remaining: 0 },
    { workerId: null, remaining: 0 },
  ])
})

t.test('serve(): workers and the server on the main thread', async (t) => {
  const listening = hear(t, 'rr:worker:listening')
  const exited = hear(t, 'rr:worker:exited')
  const drains = [hear(t, 'rr:drain:started'), hear(t, 'rr:drain:ended')]
  const opened = hear(t, 'rr:connection:open')
  const { server, connect, log } = await serveTroubles(t, { workers: 2 })
  t.same(listening.map(({ workerId }) => workerId).sort(), [1, 2])
  const client = await connect()
  const workerId = Number(await answer(client, '/worker', /\d/))
  client.get('/exit')
  await log.wait('worker-exited')
  t.match(exited, [{ workerId, generation: 1, reason: 'exited', exitCode: 3 }])
  await until(() => listening.length === 3, 'the successor')
  t.match(listening[2], { workerId, generation: 2 })
  await server.drain()
  t.equal(exited.length, 3)
  t.same(
    drains.map(([message]) => message?.workerId),
    [null, null],
  )
  t.equal(opened.length, 0, 'connections are told of in their own threads')
})

t.test('a worker that stands still, and goes on', async (t) => {
  const [stalled, recovered] = [hear(t, 'rr:worker:stalled'), hear(t, 'rr:worker:recovered')]
  const { connect, counters } = await serveTroubles(t, { stallTimeoutMs: 500 })
  const client = await connect()
  client.get('/block-until-released')
  await until(() => stalled.length === 1, 'the stall')
  t.match(stalled[0], { workerId: 1, isReplaced: false })
  t.equal(recovered.length, 0)
  counters.set('released', 1)
  await until(() => recovered.length === 1, 'the recovery')
  t.match(recovered[0], { workerId: 1, stalledMs: Number })
})

t.test('a worker that cannot start', async (t) => {
  const failed = hear(t, 'rr:worker:failed')
  await t.rejects(serveTroubles(t, {}, { setup: 'throw' }))
  t.match(failed, [{ workerId: 1, stage: 'setup', error: { message: 'no luck in setup' } }])
})

t.test('in each worker: its connections, requests and drain, with its number', async (t) => {
  const counters = new SharedCounters()
  const server = await serve(fixtureUrl('channels.ts'), {
    host: '127.0.0.1',
    port: 0,
    workers: 2,
    onEvent: () => {},
    workerHooks: fixtureUrl('hooks.ts'),
    workerHooksData: { buffer: counters.buffer },
  })
  t.teardown(() => server.stop())
  const asked = await fetch(`${server.url}/first`)
  await asked.text()
  const seen = new Set<number>()
  for (let attempt = 0; seen.size < 2 && attempt < 500; attempt++) {
    // Each on a connection of its own, which the system gives to either worker.
    const response = await fetch(`${server.url}/heard`, { headers: { connection: 'close' } })
    const heard = (await response.json()) as { name: string; workerId: number; path?: string }[]
    const ids = new Set(heard.map(({ workerId }) => workerId))
    t.equal(ids.size, 1, 'all of one worker')
    const [workerId] = ids
    if (workerId === undefined || seen.has(workerId)) continue
    seen.add(workerId)
    t.equal(heard[0]?.name, 'rr:connection:open')
    t.match(heard[1], { name: 'rr:request:start' })
    t.match(heard.at(-1), { name: 'rr:request:start', path: '/heard' })
  }
  t.same([...seen].sort(), [1, 2])
  await server.drain()
  t.equal(counters.get('drainStarted'), 2)
  t.equal(counters.get('drainEnded'), 2)
})

t.test('the names exported are all channels that are told something here', async (t) => {
  const tested = ['connection:open', 'connection:close', 'worker:listening', 'worker:failed']
  tested.push('worker:exited', 'worker:stalled', 'worker:recovered', 'drain:started', 'drain:ended')
  t.same(
    [...SERVER_CHANNELS],
    tested.map((name) => `rr:${name}`),
  )
})
