import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { SharedMemoryStore } from '@rr/core'
import t, { type Test } from 'tap'
import { memoryProvider, openMemoryChannel } from '../src/memory-channel.ts'
import { serve } from '../src/serve.ts'
import type { Server } from '../src/server.ts'
import { EventLog } from './support/event-log.ts'
import { fixtureUrl } from './support/fixture-url.ts'

async function start(t: Test, workers: number): Promise<{ server: Server; log: EventLog }> {
  const log = new EventLog()
  const server = await serve(fixtureUrl('shared-work.ts'), {
    host: '127.0.0.1',
    port: 0,
    workers,
    onEvent: log.listener,
  })
  t.teardown(() => server.stop())
  return { server, log }
}

/** On a connection of its own, so that it may come to any worker. */
async function get(server: Server, path: string): Promise<string> {
  const response = await fetch(server.url + path, { headers: { connection: 'close' } })
  return response.text()
}

t.test('all workers have the same memory by name', async (t) => {
  const { server } = await start(t, 3)
  const workers = new Set<string>()
  for (let visit = 1; workers.size < 3 && visit < 500; visit++) {
    const [workerId, count] = (await get(server, '/visit')).split(' ')
    t.equal(count, String(visit))
    workers.add(workerId!)
  }
  t.equal(workers.size, 3)
})

t.test('a worker that replaces another has the memory as it was', async (t) => {
  const { server, log } = await start(t, 1)
  t.equal(await get(server, '/visit'), '1 1')
  await get(server, '/crash')
  await log.wait('worker-listening', 2)
  t.equal(await get(server, '/visit'), '1 2')
})

t.test('two servers of one process share nothing', async (t) => {
  const one = await start(t, 1)
  const two = await start(t, 1)
  t.equal(await get(one.server, '/visit'), '1 1')
  t.equal(await get(two.server, '/visit'), '1 1')
})

t.test('another size for a name is an error that says so', async (t) => {
  const { server, log } = await start(t, 1)
  await get(server, '/mismatch')
  const { error } = await log.wait('handler-error')
  t.equal(error.code, 'RR_SHARED_MEMORY')
  t.match(error.message, /'test.visits' has 4 bytes, and was asked for with 8/)
})

t.test('a name is asked for once; nobody who answers is an error after a while', async (t) => {
  const store = new SharedMemoryStore()
  const { host, end } = openMemoryChannel(store)
  t.teardown(() => host.close())
  // In one thread nobody answers while it waits.
  const ask = memoryProvider(end, 20)
  t.throws(() => ask('a', 4), { code: 'RR_SHARED_MEMORY', message: /not answered in 20 ms/ })
  await new Promise((resolve) => setImmediate(resolve))
  // The late answer lies in the port, and is not taken for that to the next request.
  t.throws(() => ask('b', 8), { code: 'RR_SHARED_MEMORY', message: /not answered in 20 ms/ })
})

t.test('many threads that ask at once for many names get the same blocks', async (t) => {
  const store = new SharedMemoryStore()
  const names = Array.from({ length: 50 }, (_, index) => `block ${index}`)
  await Promise.all(
    Array.from({ length: 4 }, async () => {
      const { host, end } = openMemoryChannel(store)
      const worker = new Worker(fixtureUrl('ask-memory.ts'), {
        workerData: { end, names },
        transferList: [end.port],
      })
      await once(worker, 'exit')
      host.close()
    }),
  )
  for (const name of names) t.equal(new Int32Array(store.get(name, 4))[0], 4, name)
})
