// Threads that stand where nothing can end them, and new code that never listens: neither holds up
// reloads for ever.

import { execFileSync } from 'node:child_process'
import { closeSync, constants, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type ServeOptions, serve } from '../src/serve.ts'
import type { Server, WorkerServer } from '../src/server.ts'
import { EventLog } from './support/event-log.ts'
import { RawClient } from './support/raw-client.ts'
import { until } from './support/until.ts'

/** On `/stuck` it reads from a pipe, in a native call, until the test writes. */
const SOURCE = `
  import { openSync, readSync } from 'node:fs'
  export default ({ path }) => {
    if (path === '/stuck') readSync(openSync(new URL('./fifo', import.meta.url), 'r'), Buffer.alloc(1))
    return new Response('served')
  }`

async function start(
  t: Test,
  options: ServeOptions = {},
): Promise<{
  server: WorkerServer
  log: EventLog
  write: (source: string) => void
  /** A connection whose request holds the thread that it went to. */
  block: () => Promise<RawClient>
  release: () => void
}> {
  const folder = t.testdir({ 'app.mjs': SOURCE })
  const fifo = join(folder, 'fifo')
  execFileSync('mkfifo', [fifo])
  // Read and write: to open it for either alone would wait for the other end.
  const pipe = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK)
  const release = (): void => void writeSync(pipe, 'x'.repeat(16))
  const log = new EventLog()
  const file = join(folder, 'app.mjs')
  const server = await serve(file, {
    host: '127.0.0.1',
    port: 0,
    workers: 1,
    onEvent: log.listener,
    ...options,
  })
  t.teardown(async () => {
    release()
    await server.stop()
    closeSync(pipe)
  })
  const block = async (): Promise<RawClient> => {
    const client = await RawClient.connect(server.port)
    t.teardown(() => client.close())
    client.get('/stuck')
    await until(() => server.info().inFlight === 1, 'the request')
    return client
  }
  return { server, log, write: (source) => writeFileSync(file, source), block, release }
}

async function ask(server: Server): Promise<string> {
  return (await fetch(server.url, { headers: { connection: 'close' } })).text()
}

t.test('a reload leaves behind an old worker that nothing can end, and says so', async (t) => {
  const { server, log, block, release } = await start(t)
  await block()
  t.same(await server.reload({ timeoutMs: 0 }), { replaced: 1, remaining: 1 })
  t.equal(log.of('worker-exited').length, 0)
  t.match(server.info().workers[0], { leaving: 1, generation: 2, phase: 'accepting' })
  const warnings = log.of('warning').filter(({ code }) => code === 'RR_WORKER_TERMINATED')
  t.match(warnings.at(-1)?.message, /cannot be ended; its 1 connections stay with it/)
  t.equal(await ask(server), 'served')

  await t.rejects(server.reload(), {
    code: 'RR_RELOAD_FAILED',
    message: /^1 of 1 workers serve on .*an earlier thread of worker 1 stands in a native call/,
    cause: { code: 'RR_WORKER_FAILED' },
  })
  t.equal(await ask(server), 'served')

  release()
  t.match(await log.wait('worker-exited'), { generation: 1, connectionsLost: 1 })
  t.match(await server.reload(), { replaced: 1 })
  t.match(server.info(), { connections: 0, workers: [{ leaving: 0, generation: 3 }] })
})

t.test('a stalled worker that nothing can end gets a successor beside it', async (t) => {
  const { server, log, block, release } = await start(t, {
    stallTimeoutMs: 500,
    replaceStalled: true,
  })
  await block()
  t.match(await log.wait('worker-stalled'), { isReplaced: true })
  await log.wait('worker-listening', 2)
  t.equal(log.of('worker-exited').length, 0)
  t.equal(await ask(server), 'served')
  t.match(server.info().workers[0], { generation: 2, leaving: 1, isStalled: false })
  release()
  t.match(await log.wait('worker-exited'), {
    generation: 1,
    reason: 'stalled',
    restartDelayMs: null,
  })
  t.equal(await ask(server), 'served')
  t.match(server.info().workers[0], { generation: 2, leaving: 0 })
})

t.test('new code that never listens is given up, and the old serves on', async (t) => {
  const { server, log, write } = await start(t)
  write('setInterval(() => {}, 1000); await new Promise(() => {})')
  await t.rejects(server.reload({ startTimeoutMs: 300 }), {
    code: 'RR_RELOAD_FAILED',
    cause: { code: 'RR_WORKER_FAILED', message: 'worker 1 did not listen within 300 ms' },
  })
  t.equal(await ask(server), 'served')
  t.match(await log.wait('worker-exited'), { generation: 2, reason: 'stopped' })
  write("export default () => new Response('mended')")
  t.match(await server.reload(), { replaced: 1 })
  t.equal(await ask(server), 'mended')
})

t.test('new routes do not wait for a thread that was left behind', async (t) => {
  const { server, log, block } = await start(t, { stallTimeoutMs: 500, replaceStalled: true })
  await block()
  await server.reloadRoutes()
  t.equal(log.of('worker-exited').length, 0)
  await log.wait('worker-listening', 2)
  t.equal(await ask(server), 'served')
})
