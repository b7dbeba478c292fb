import { type AddressInfo, createServer } from 'node:net'
import t from 'tap'
import { DeadlineWheel } from '../src/deadline-wheel.ts'
import { MAX_LINGERING, OverloadRefusal } from '../src/overload-refusal.ts'
import { RawClient } from './support/raw-client.ts'
import { answer, WAYS } from './support/test-server.ts'
import { until } from './support/until.ts'

for (const { name, start } of WAYS) {
  t.test(`${name}: past maxConnections a client is told to come again`, async (t) => {
    const { server, connect } = await start(t, { maxConnections: 3 })
    const held = await Promise.all([connect(), connect(), connect()])
    for (const client of held) await answer(client, '/', /ok/)
    const refused = await connect()
    refused.get('/')
    t.match(await refused.expect(/\r\n\r\n/), /^HTTP\/1\.1 503 Service Unavailable\r\n/)
    t.equal(await refused.ended(), 'end')
    refused.close()
    t.match(server.info(), {
      connections: 3,
      connectionsAccepted: 3,
      requests: 3,
      rejections: { total: 1, connections: 1 },
    })
    held[0]!.socket.end()
    await until(() => server.info().connections === 2, 'the slot')
    await answer(await connect(), '/', /ok/)
    await answer(held[1]!, '/', /ok/)
  })

  t.test(`${name}: exactly as many as allowed are held of many that come at once`, async (t) => {
    const { server, connect } = await start(t, { maxConnections: 50 })
    const clients = await Promise.all(Array.from({ length: 200 }, connect))
    await until(() => server.info().connectionsAccepted === 50, '50 connections')
    await until(() => server.info().rejections.connections === 150, '150 refusals')
    t.equal(server.info().connections, 50)
    let answered = 0
    for (const client of clients) {
      client.get('/')
      await until(() => client.received !== '' || client.ending !== null, 'an answer')
      if (client.received.startsWith('HTTP/1.1 200')) answered++
    }
    t.equal(answered, 50)
  })

  t.test(`${name}: with overload 'close' a client is reset`, async (t) => {
    const { server, connect } = await start(t, { maxConnections: 1, overload: 'close' })
    await answer(await connect(), '/', /ok/)
    const refused = await connect().catch((error: NodeJS.ErrnoException) => error)
    const ending = refused instanceof RawClient ? await refused.ended() : refused.code
    t.equal(ending, 'ECONNRESET')
    await until(() => server.info().rejections.connections === 1, 'the count')
  })
}

const [{ start }] = WAYS as [(typeof WAYS)[number]]

t.test('the answer is a whole response', async (t) => {
  const { connect } = await start(t, { maxConnections: 1 })
  await answer(await connect(), '/', /ok/)
  const text = await (await connect()).expect(/\r\n\r\n/)
  const [status, ...fields] = text.trimEnd().split('\r\n')
  t.equal(status, 'HTTP/1.1 503 Service Unavailable')
  t.match(
    new Map(fields.map((field) => field.split(': ') as [string, string])),
    new Map<string, string | RegExp>([
      ['Retry-After', '1'],
      ['Connection', 'close'],
      ['Content-Length', '0'],
      ['Date', / GMT$/],
    ]),
  )
})

t.test(
  'a refused client that goes on sending still gets its answer, and is cut after a second',
  async (t) => {
    const { connect } = await start(t, { maxConnections: 1 })
    await answer(await connect(), '/', /ok/)
    const refused = await connect()
    refused.send(
      `POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 1000000\r\n\r\n${'x'.repeat(200_000)}`,
    )
    await refused.expect(/503 Service Unavailable/)
    const sending = setInterval(() => refused.send('more'), 20)
    await until(() => refused.isClosed, 'the cut')
    clearInterval(sending)
  },
)

t.test('refused clients that linger are bounded; past the bound they are reset', async (t) => {
  // A clock that stands still: nobody's time to linger ends while the others come.
  const refusal = new OverloadRefusal(new DeadlineWheel({ time: () => 0 }), 'answer')
  const server = createServer({ allowHalfOpen: true }, (socket) => refusal.refuse(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const clients: RawClient[] = []
  t.teardown(async () => {
    refusal.closeAll()
    for (const client of clients) client.close()
    await new Promise((resolve) => server.close(resolve))
  })
  const { port } = server.address() as AddressInfo
  const extra = 20
  const endings = Array.from({ length: MAX_LINGERING + extra }, async () => {
    try {
      const client = await RawClient.connect(port)
      clients.push(client)
      return await client.ended()
    } catch (error) {
      return (error as NodeJS.ErrnoException).code
    }
  })
  const resets = (await Promise.all(endings)).filter((ending) => ending === 'ECONNRESET').length
  t.equal(resets, extra)
  t.equal(refusal.lingering, MAX_LINGERING)
})
