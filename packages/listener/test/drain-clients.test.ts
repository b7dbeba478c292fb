import t from 'tap'
import type { Server } from '../src/server.ts'
import type { RawClient } from './support/raw-client.ts'
import { answer, listenTroubles, WAYS } from './support/test-server.ts'
import { until } from './support/until.ts'

/** Drains with clients that don't do what a well-meaning one does. */

for (const { name, start } of WAYS) {
  t.test(
    `${name}: a client that ignores the FIN holds nothing up and is not counted`,
    async (t) => {
      const { server, log, counters, connect } = await start(t, {
        drainIdleGraceMs: 100,
        // None of these may be what ends the connections.
        lingerTimeoutMs: 60_000,
        keepAliveTimeoutMs: 60_000,
      })
      const idle = await connect()
      await answer(idle, '/', /ok/)
      const busy = await connect()
      busy.get('/wait')
      await until(() => server.info().inFlight === 1, 'the request')
      const drained = server.drain({ timeoutMs: 25_000 })
      t.equal(await idle.ended(), 'end')
      counters.add('released')
      await busy.expect(/waited/)
      t.strictSame(await drained, { drained: true })
      t.match(log.of('drain-ended'), [{ drained: true, remaining: 0 }])
      t.match(server.info(), { connections: 0 })
    },
  )

  t.test(`${name}: what is idle at the deadline is cut, and not counted`, async (t) => {
    const { server, connect } = await start(t, { drainIdleGraceMs: 60_000 })
    const idle = await connect()
    await answer(idle, '/', /ok/)
    await connect()
    await until(() => server.info().connections === 2, 'both connections')
    t.strictSame(await server.drain({ timeoutMs: 300 }), { drained: true })
    await idle.ended()
  })

  t.test(`${name}: a client that takes its large answer late gets all of it`, async (t) => {
    const { server, connect } = await start(t)
    const client = await largeAnswer(server, await connect())
    const drained = server.drain({ timeoutMs: 60_000 })
    await until(() => server.info().workers.every(({ phase }) => phase !== 'accepting'), 'it')
    client.socket.resume()
    t.equal(await client.ended(), 'end')
    t.equal(client.received.length - client.received.indexOf('\r\n\r\n') - 4, 30_000_000)
    client.close()
    t.strictSame(await drained, { drained: true })
  })

  t.test(`${name}: a client that takes nothing of a large answer is cut and counted`, async (t) => {
    const { server, connect } = await start(t)
    await largeAnswer(server, await connect())
    const result = await server.drain({ timeoutMs: 300 })
    t.strictSame(result, { drained: false, remaining: 1 })
  })

  t.test(`${name}: an upload under way is taken to its end`, async (t) => {
    const { server, connect } = await start(t)
    const client = await connect()
    client.send('POST /upload HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\n12345')
    await until(() => server.info().inFlight === 1, 'the request')
    const drained = server.drain({ timeoutMs: 60_000 })
    await until(
      () => server.info().workers.every(({ phase }) => phase !== 'accepting'),
      'the drain',
    )
    client.send('67890')
    t.match(await client.expect(/took 10/), /\r\nConnection: close\r\n/i)
    client.close()
    t.strictSame(await drained, { drained: true })
  })

  t.test(`${name}: an upload or a head that stops half-way is cut and counted`, async (t) => {
    const { server, connect } = await start(t)
    const parts = [
      'POST /upload HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\n12345',
      'GET / HTTP/1.1\r\nHo',
    ]
    for (const part of parts) (await connect()).send(part)
    await until(() => server.info().bytesIn === parts.join('').length, 'both parts')
    const result = await server.drain({ timeoutMs: 300 })
    t.strictSame(result, { drained: false, remaining: 2 })
  })
}

t.test('the grace of idle connections is theirs, also when it is long', async (t) => {
  const { server, connect } = await listenTroubles(t, { drainIdleGraceMs: 1500 })
  const client = await connect()
  await answer(client, '/', /ok/)
  const startMs = server.info().uptimeMs
  t.strictSame(await server.drain({ timeoutMs: 25_000 }), { drained: true })
  t.ok(server.info().uptimeMs - startMs >= 1500)
  t.equal(client.ending, 'end')
})

/** Asks for more than the buffers between hold, and takes none of it. */
async function largeAnswer(server: Server, client: RawClient): Promise<RawClient> {
  client.socket.pause()
  client.get('/large')
  await until(() => server.info().bytesOut > 30_000_000, 'the answer')
  return client
}
