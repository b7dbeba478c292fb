import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { serve } from '../src/serve.ts'
import type { Server } from '../src/server.ts'
import { socketCalls } from '../src/socket-calls.ts'
import { EventLog } from './support/event-log.ts'
import { RawClient } from './support/raw-client.ts'
import { answer, listenTroubles, serveTroubles } from './support/test-server.ts'
import { until } from './support/until.ts'

const KEEPS_SOCKETS = socketCalls() !== null
const NEEDS_CALLS = KEEPS_SOCKETS ? {} : { skip: 'listening sockets cannot be kept here' }

/** Serves a module that the test can write anew. */
async function serveFile(
  t: Test,
  workers: number,
): Promise<{ server: Server; log: EventLog; write: (source: string) => void }> {
  const folder = mkdtempSync(join(tmpdir(), 'rr-reload-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'app.mjs')
  const write = (source: string): void => writeFileSync(file, source)
  write("export default () => new Response('first')")
  const log = new EventLog()
  const server = await serve(file, {
    host: '127.0.0.1',
    port: 0,
    workers,
    onEvent: log.listener,
  })
  t.teardown(() => server.stop())
  return { server, log, write }
}

async function text(server: Server): Promise<string> {
  const response = await fetch(server.url, { headers: { connection: 'close' } })
  return response.text()
}

t.test('every worker is replaced, one after the other, by one with the code of now', async (t) => {
  const { server, log, write } = await serveFile(t, 3)
  t.equal(await text(server), 'first')
  write("export default () => new Response('second')")
  t.same(await server.reload(), { replaced: 3, remaining: 0 })
  for (let count = 0; count < 10; count++) t.equal(await text(server), 'second')
  const started = log.of('worker-listening').slice(3)
  t.same(
    started.map(({ workerId, generation }) => [workerId, generation]),
    [
      [1, 2],
      [2, 2],
      [3, 2],
    ],
  )
  t.ok(log.of('worker-exited').every(({ reason }) => reason === 'replaced'))
  t.match(log.of('reload-ended'), [{ replaced: 3, failed: null }])
  t.ok(server.info().workers.every(({ generation, leaving }) => generation === 2 && leaving === 0))
})

t.test(
  'what is under way finishes on the old worker; the connection is told to close',
  async (t) => {
    const { server, counters, connect } = await serveTroubles(t, { workers: 1 })
    const busy = await connect()
    busy.get('/wait')
    const idle = await connect()
    await answer(idle, '/', /ok/)
    await until(() => server.info().inFlight === 1, 'the request')
    const reloaded = server.reload()
    await until(() => server.info().workers[0]!.leaving === 1, 'the old worker to leave')
    t.match(server.info().workers[0], { phase: 'accepting', generation: 2, connections: 2 })
    idle.get('/')
    t.match(await idle.expect(/ok$/), /connection: close/i, 'idle ones have a grace, and are told')
    counters.add('released')
    t.match(await busy.expect(/waited/), /connection: close/i)
    t.equal(await busy.ended(), 'end')
    busy.close()
    idle.close()
    t.same(await reloaded, { replaced: 1, remaining: 0 })
    t.match(server.info(), { connections: 0, inFlight: 0, requests: 3 })
  },
)

t.test('an old worker is cut at the deadline, and what it lost is told', async (t) => {
  const { server, connect } = await serveTroubles(t, { workers: 1 })
  const busy = await connect()
  busy.get('/wait')
  await until(() => server.info().inFlight === 1, 'the request')
  t.same(await server.reload({ timeoutMs: 50 }), { replaced: 1, remaining: 1 })
  t.equal(await busy.ended(), 'ECONNRESET')
  t.match(server.info(), { connections: 0, inFlight: 0 })
  await answer(await connect(), '/', /ok/)
})

t.test('code that does not start changes nothing: the old workers serve on', async (t) => {
  const { server, log, write } = await serveFile(t, 2)
  write('this is no code')
  await t.rejects(server.reload(), {
    code: 'RR_RELOAD_FAILED',
    message: /^2 of 2 workers serve on with the code that they had: loading the application/,
    cause: { code: 'RR_APPLICATION_FAILED' },
  })
  t.match(log.of('reload-ended'), [{ replaced: 0, failed: { code: 'RR_APPLICATION_FAILED' } }])
  t.equal(await text(server), 'first')
  t.ok(
    server
      .info()
      .workers.every(({ phase, restartInMs }) => phase === 'accepting' && restartInMs === null),
  )
  write("export default () => new Response('repaired')")
  t.match(await server.reload(), { replaced: 2 })
  t.equal(await text(server), 'repaired')
})

t.test('calls during a reload share the next one', async (t) => {
  const { server, log } = await serveFile(t, 1)
  const results = await Promise.all([server.reload(), server.reload(), server.reload()])
  t.equal(results.length, 3)
  t.equal(log.of('reload-started').length, 2)
  t.equal(server.info().workers[0]!.generation, 3)
})

t.test('a reload waits for the worker that the one before it has left behind', async (t) => {
  const { server, connect } = await serveTroubles(t, { workers: 1 })
  const busy = await connect()
  busy.get('/wait')
  await until(() => server.info().inFlight === 1, 'the request')
  const first = server.reload({ timeoutMs: 60_000 })
  await until(() => server.info().workers[0]!.leaving === 1, 'the old worker to leave')
  const drained = server.drain({ timeoutMs: 0 })
  t.match(await first, { remaining: 1 })
  t.same(await drained, { drained: false, remaining: 1 })
  t.equal(await busy.ended(), 'ECONNRESET')
})

t.test('a reload while a crashed worker is waited for starts it at once', async (t) => {
  const { server, log, connect } = await serveTroubles(t, { workers: 1 })
  ;(await connect()).get('/exit')
  await log.wait('worker-exited')
  t.match(await server.reload(), { replaced: 1 })
  t.equal(server.info().workers[0]!.generation, 2)
  await answer(await connect(), '/', /ok/)
})

t.test('the old worker may die while the new one starts', async (t) => {
  const { server, log, connect } = await serveTroubles(t, { workers: 1 })
  const client = await connect()
  const reloaded = server.reload()
  await until(() => server.info().workers[0]!.generation === 2, 'the new thread')
  client.get('/exit')
  t.match(await reloaded, { replaced: 1 })
  await until(() => log.of('worker-exited').length === 1, 'the exit')
  await answer(await connect(), '/', /ok/)
  t.match(server.info(), { workers: [{ generation: 2, restartInMs: null }] })
})

for (const how of ['drain', 'stop'] as const) {
  t.test(`${how} during a reload ends both threads, and the reload says so`, async (t) => {
    const { server, log } = await serveTroubles(t, { workers: 1 })
    const reloaded = t.rejects(server.reload(), { code: 'RR_RELOAD_FAILED' })
    const ended = how === 'drain' ? server.drain() : server.stop()
    await Promise.all([reloaded, ended])
    t.equal(server.status(), 'stopped')
    t.equal(log.of('worker-exited').length, 2)
    t.equal(server.info().connections, 0)
  })
}

t.test('a server that does not accept is not reloaded', async (t) => {
  const { server } = await serveFile(t, 1)
  const drained = server.drain()
  await t.rejects(server.reload(), { code: 'RR_SERVER_STATE' })
  await drained
  await t.rejects(server.reload(), { code: 'RR_SERVER_STATE' })
  const { server: embedded } = await listenTroubles(t)
  await t.rejects(embedded.reload(), { code: 'RR_SERVER_STATE' })
})

t.test('options of reload are checked', async (t) => {
  const { server } = await serveFile(t, 1)
  t.throws(() => void server.reload({ timeoutMs: -1 }), { code: 'RR_OPTION_INVALID' })
  t.throws(() => void server.reload({ timeout: 1 } as object), { code: 'RR_OPTION_UNKNOWN' })
  t.equal(server.info().workers[0]!.generation, 1)
})

t.test(
  'what waits in the accept queue of a stuck worker is answered by its successor',
  NEEDS_CALLS,
  async (t) => {
    const { server, counters, connect } = await serveTroubles(t, { workers: 1 })
    const stuck = await connect()
    stuck.get('/block-until-released')
    await until(() => server.info().inFlight === 1, 'the worker to be stuck')
    const waiting = await Promise.all(Array.from({ length: 20 }, connect))
    for (const client of waiting) client.get('/')
    t.equal(server.info().connections, 1, 'nobody accepts')
    const reloaded = server.reload()
    for (const client of waiting) await client.expect(/200 OK[\s\S]*ok/)
    counters.add('released')
    await stuck.expect(/blocked/)
    for (const client of [stuck, ...waiting]) client.close()
    t.same(await reloaded, { replaced: 1, remaining: 0 })
  },
)

t.test('and so is what waits for a worker that is ended', NEEDS_CALLS, async (t) => {
  const { server, log, connect } = await serveTroubles(t, {
    workers: 1,
    stallTimeoutMs: 400,
    replaceStalled: true,
  })
  const stuck = await connect()
  stuck.get('/block-until-released')
  await until(() => server.info().inFlight === 1, 'the worker to be stuck')
  const waiting = await Promise.all(Array.from({ length: 20 }, connect))
  for (const client of waiting) client.get('/')
  t.match(await log.wait('worker-exited'), {
    reason: 'stalled',
    connectionsLost: 1,
    requestsLost: 1,
  })
  for (const client of waiting) await client.expect(/200 OK[\s\S]*ok/)
  t.equal(await stuck.ended(), 'end')
  t.equal(server.info().connections, 20)
})

t.test('a socket is let go of when its worker stays away', NEEDS_CALLS, async (t) => {
  const { server, log, connect } = await serveTroubles(t, { workers: 1 }, { setup: 'throw-again' })
  ;(await connect()).get('/exit')
  await until(
    () => log.of('worker-exited').some(({ restartDelayMs }) => (restartDelayMs ?? 0) > 1000),
    'a long delay',
    20_000,
  )
  await t.rejects(RawClient.connect(server.port), { code: 'ECONNREFUSED' })
})
