import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import t from 'tap'
import { get, keepAlive, planned, processPlan, runHere } from './support/plans.ts'
import { startScriptedServer } from './support/scripted-server.ts'

const server = await startScriptedServer()
t.teardown(() => server.close())

const kinds = async (
  requests: Parameters<typeof processPlan>[1],
  more: Parameters<typeof processPlan>[2] = {},
) => {
  const result = await runHere(processPlan(server.port, requests, more))
  return { ...result, kinds: Object.keys(result.errors) }
}

t.test('wrong status', async (t) => {
  const result = await kinds([planned(get('/status/500')), planned(get('/ok'))])
  t.same(result.kinds, ['status'])
  t.ok((result.errors['status'] ?? 0) >= Math.floor(result.requests / 2) - 2)
})

t.test('wrong length of the body', async (t) => {
  const result = await kinds([planned(get('/ok'), 200, 3)])
  t.same(result.errors, { body: result.requests })
})

t.test('a length that is not known beforehand is not checked', async (t) => {
  t.same((await kinds([planned(get('/ok'), 200, null)])).errors, {})
})

t.test('a reset within an answer', async (t) => {
  const result = await kinds([planned(get('/reset'))])
  t.same(result.kinds, ['read'])
  t.equal(result.requests, 0)
})

t.test('every request behind the broken answer is lost', async (t) => {
  const { errors } = await kinds([planned(get('/reset'))], { shape: keepAlive(1, 4) })
  t.equal((errors['read'] ?? 0) % 4, 0)
})

t.test('no HTTP', async (t) => {
  t.same((await kinds([planned(get('/garbage'))])).kinds, ['read'])
})

t.test('no answer in time', async (t) => {
  const result = await kinds([planned(get('/never'))], { timeoutMs: 150 })
  t.same(result.kinds, ['timeout'])
  t.equal(result.requests, 0)
})

t.test('nobody listens', async (t) => {
  const closed = createServer().listen(0, '127.0.0.1')
  await once(closed, 'listening')
  const { port } = closed.address() as AddressInfo
  closed.close()
  await once(closed, 'close')
  for (const shape of [
    keepAlive(2),
    { kind: 'connection-per-request', connections: 2 },
    { kind: 'connection-storm', burst: 2 },
    { kind: 'event-stream', connections: 2 },
  ] as const) {
    for (const rate of shape.kind === 'event-stream' ? [null] : [null, 200]) {
      const { requests, errors } = await runHere(
        processPlan(port, [planned(get('/'))], { shape, rate, seconds: 0.05 }),
      )
      t.equal(requests, 0)
      t.same(Object.keys(errors), ['connect'], `${shape.kind} at ${rate}`)
    }
  }
})
