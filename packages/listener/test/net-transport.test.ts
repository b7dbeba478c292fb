import t, { type Test } from 'tap'
import type { RecordingProtocol } from './support/recording-protocol.ts'
import { TransportPair } from './support/transport-pair.ts'
import { until } from './support/until.ts'

async function setUp(t: Test): Promise<TransportPair> {
  const pair = new TransportPair()
  await pair.start()
  t.teardown(() => pair.stop())
  return pair
}

async function closed(protocol: RecordingProtocol): Promise<void> {
  await until(() => protocol.has('close'), 'onClose')
}

t.test('input arrives, strings leave as latin1, both are counted', async (t) => {
  const pair = await setUp(t)
  const { client, protocol } = await pair.connect()
  protocol.onDataDo = () => protocol.transport.write('caf\xe9\r\n')
  client.send('hello')
  t.equal(await client.expect(/\n/), 'caf\xe9\r\n')
  protocol.transport.write(Buffer.from([0, 255]))
  await client.expect(/\x00\xff/)
  t.equal(protocol.received, 'hello')
  t.match(pair.block.read(0), { bytesIn: 5, bytesOut: 8 })
})

t.test('the ends of the connection', async (t) => {
  const pair = await setUp(t)
  const { client, protocol } = await pair.connect()
  const { transport } = protocol
  t.strictSame(transport.peer, {
    address: '127.0.0.1',
    port: client.socket.localPort,
    family: 'IPv4',
  })
  t.strictSame(transport.local, {
    address: '127.0.0.1',
    port: client.socket.remotePort,
    family: 'IPv4',
  })
  t.equal(transport.tls, null)
  const { peer } = transport
  transport.destroy()
  await closed(protocol)
  t.equal(transport.peer, peer, 'known after the close when asked for before')
})

t.test('an IPv4 client of a dual-stack socket has its IPv4 address', async (t) => {
  const pair = new TransportPair()
  t.teardown(() => pair.stop())
  try {
    await pair.start('::')
  } catch {
    t.comment('no IPv6 here')
    return
  }
  const { protocol } = await pair.connect('127.0.0.1')
  t.match(protocol.transport.peer, { address: '127.0.0.1', family: 'IPv4' })
})

t.test('after the client has half-closed, output still goes', async (t) => {
  const pair = await setUp(t)
  const { client, protocol } = await pair.connect()
  client.send('question')
  client.socket.end()
  await until(() => protocol.has('end'), 'onEnd')
  t.notOk(protocol.has('close'))
  protocol.transport.write('answer')
  protocol.transport.end()
  await client.expect(/answer/)
  t.equal(await client.ended(), 'end')
  await closed(protocol)
  t.strictSame(protocol.events, ['data', 'end', 'close'])
  t.equal(protocol.closeError, null)
})

t.test('after the server has half-closed, input still arrives', async (t) => {
  const pair = await setUp(t)
  const { client, protocol } = await pair.connect()
  protocol.transport.write('last words')
  protocol.transport.end()
  t.equal(protocol.transport.write('nothing any more'), true)
  protocol.transport.end()
  await client.expect(/last words/)
  t.equal(await client.ended(), 'end')
  client.send('still here')
  await until(() => protocol.received === 'still here', 'input after end')
  client.socket.end()
  await closed(protocol)
  t.equal(client.received, '')
})

t.test('a reset is told by onClose with its error, once', async (t) => {
  const pair = await setUp(t)
  const { client, protocol } = await pair.connect()
  client.send('x')
  await until(() => protocol.has('data'), 'input')
  client.socket.resetAndDestroy()
  await closed(protocol)
  t.match(protocol.closeError, { code: 'ECONNRESET' })
  t.equal(protocol.events.filter((event) => event === 'close').length, 1)
  t.equal(pair.closed.length, 1)
})

t.test('writing to a client that has gone crashes nothing', async (t) => {
  const pair = await setUp(t)
  const { client, protocol } = await pair.connect()
  client.send('x')
  await until(() => protocol.has('data'), 'input')
  client.socket.resetAndDestroy()
  await until(() => {
    protocol.transport.write('into the void')
    return protocol.has('close')
  }, 'onClose')
  protocol.transport.write('after')
  protocol.transport.cork()
  protocol.transport.write('after')
  protocol.transport.uncork()
  protocol.transport.pause()
  protocol.transport.resume()
  protocol.transport.end()
  protocol.transport.destroy()
  protocol.transport.setDeadline(0)
  t.equal(pair.wheel.size, 0)
  t.equal(protocol.transport.bufferedBytes, 0)
})

t.test(
  'destroy closes at once; onClose follows with the error given, and nothing else',
  async (t) => {
    const pair = await setUp(t)
    const { client, protocol } = await pair.connect()
    const error = new Error('told why')
    protocol.onDataDo = () => {
      protocol.transport.setDeadline(pair.wheel.nowMs)
      protocol.transport.destroy(error)
      protocol.transport.destroy(new Error('too late'))
      t.notOk(protocol.has('close'), 'not from within destroy')
    }
    client.send('x')
    await closed(protocol)
    await client.ended()
    t.equal(protocol.closeError, error)
    await until(() => pair.wheel.nowMs > 0 && pair.wheel.size === 0, 'the wheel')
    t.strictSame(protocol.events, ['data', 'close'])
  },
)

for (const [title, error, ending] of [
  ['destroy without an error ends as any close does', undefined, 'end'],
  [
    'destroy with an error is a reset, which no client takes for an end',
    new Error('cut'),
    'ECONNRESET',
  ],
] as const) {
  t.test(title, async (t) => {
    const pair = await setUp(t)
    const { client, protocol } = await pair.connect()
    protocol.transport.write('a part')
    await client.expect(/a part/)
    protocol.transport.destroy(error)
    t.equal(await client.ended(), ending)
    await closed(protocol)
  })
}

t.test('input that is there already is not delivered after destroy', async (t) => {
  const pair = await setUp(t)
  const { client, protocol } = await pair.connect()
  protocol.transport.pause()
  client.send('waiting')
  client.socket.end()
  protocol.transport.resume()
  protocol.transport.destroy()
  await closed(protocol)
  t.strictSame(protocol.events, ['close'])
})

t.test('pause holds input back, resume lets it through', async (t) => {
  const pair = await setUp(t)
  const { client, protocol } = await pair.connect()
  const other = await pair.connect()
  protocol.transport.pause()
  protocol.transport.pause()
  client.send('held')
  // What another connection gets after that was sent after it.
  other.client.send('through')
  await until(() => other.protocol.received === 'through', 'the other connection')
  t.equal(protocol.received, '')
  protocol.transport.resume()
  protocol.transport.resume()
  await until(() => protocol.received === 'held', 'the input')
})

t.test('corked writes leave in one piece', async (t) => {
  const pair = await setUp(t)
  const { client, protocol } = await pair.connect()
  const chunks: string[] = []
  client.socket.on('data', (text: string) => chunks.push(text))
  protocol.transport.cork()
  for (let count = 0; count < 10; count++) protocol.transport.write('part ')
  protocol.transport.write(Buffer.from('end'))
  protocol.transport.uncork()
  await client.expect(/end/)
  t.equal(chunks.length, 1)
})

t.test(
  'back-pressure: write says so, bufferedBytes shrinks as the client reads, onDrain comes',
  async (t) => {
    const pair = await setUp(t)
    const { client, protocol } = await pair.connect()
    const { transport } = protocol
    client.socket.pause()
    let received = 0
    client.socket.removeAllListeners('data')
    client.socket.on('data', (text: string) => {
      received += text.length
    })
    client.socket.pause()
    const chunk = Buffer.alloc(1_000_000, 'b')
    let written = 0
    while (transport.bufferedBytes < 20_000_000) {
      const hasRoom = transport.write(chunk)
      written += chunk.length
      if (written > chunk.length * 30 && hasRoom) t.fail('no back-pressure')
      await new Promise((resolve) => setImmediate(resolve))
    }
    t.equal(transport.write('and a string'), false)
    written += 12
    protocol.events.length = 0
    const sizes: number[] = []
    const observe = setInterval(() => sizes.push(transport.bufferedBytes), 1)
    client.socket.resume()
    await until(() => protocol.has('drain'), 'onDrain', 30_000)
    clearInterval(observe)
    t.ok(transport.bufferedBytes <= 65_536, 'the backlog is gone')
    t.ok(
      sizes.every((size, index) => index === 0 || size <= sizes[index - 1]!),
      'it only shrinks',
    )
    t.ok(new Set(sizes).size > 2, 'in steps that a time limit on sending can see')
    await until(() => received === written, 'all bytes')
    t.equal(protocol.events.filter((event) => event === 'drain').length, 1)
  },
)

t.test('what waits behind a slow client is sent before the FIN', async (t) => {
  const pair = await setUp(t)
  const { client, protocol } = await pair.connect()
  client.socket.pause()
  protocol.transport.write('x'.repeat(10_000_000))
  protocol.transport.write('the end')
  protocol.transport.end()
  t.ok(protocol.transport.bufferedBytes > 0)
  client.socket.resume()
  t.equal((await client.expect(/the end$/)).length, 10_000_007)
  t.equal(await client.ended(), 'end')
  t.notOk(protocol.has('drain'), 'nobody is told to go on after end')
})

t.test('a large write in a corked batch keeps its place', async (t) => {
  const pair = await setUp(t)
  const { client, protocol } = await pair.connect()
  protocol.transport.cork()
  protocol.transport.write('head ')
  protocol.transport.write(Buffer.alloc(300_000, 'm'))
  protocol.transport.write(' tail')
  protocol.transport.uncork()
  const text = await client.expect(/tail/)
  t.equal(text, `head ${'m'.repeat(300_000)} tail`)
  await until(() => protocol.has('drain'), 'onDrain')
})

t.test('destroySoon sends what waits, and closes without waiting for the client', async (t) => {
  for (const size of [5, 10_000_000]) {
    const pair = await setUp(t)
    const { client, protocol } = await pair.connect()
    client.socket.pause()
    protocol.transport.write('x'.repeat(size))
    protocol.transport.destroySoon()
    protocol.transport.destroySoon()
    protocol.transport.write('too late')
    client.socket.resume()
    t.equal(await client.ended(), 'end')
    t.equal(client.received.length, size)
    await closed(protocol)
    t.equal(protocol.closeError, null)
    t.notOk(protocol.has('end'))
  }
})

t.test('destroy drops what waits', async (t) => {
  const pair = await setUp(t)
  const { client, protocol } = await pair.connect()
  client.socket.pause()
  protocol.transport.write(Buffer.alloc(30_000_000))
  protocol.transport.destroy()
  await closed(protocol)
  t.equal(protocol.transport.bufferedBytes, 0)
  client.socket.resume()
  await client.ended()
})

t.test('onTimeout comes for the last deadline set', async (t) => {
  const pair = await setUp(t)
  const { protocol } = await pair.connect()
  const { transport } = protocol
  pair.wheel.refresh()
  const startMs = pair.wheel.nowMs
  transport.setDeadline(startMs + 60_000)
  transport.setDeadline(startMs + 50)
  await until(() => protocol.has('timeout'), 'onTimeout')
  t.ok(pair.wheel.nowMs >= startMs + 50)
  transport.setDeadline(startMs + 60_000)
  transport.setDeadline(Number.POSITIVE_INFINITY)
  transport.destroy()
  await closed(protocol)
  t.equal(pair.wheel.size, 0)
  t.strictSame(protocol.events, ['timeout', 'close'])
})

t.test('a connection whose protocol threw is closed whoever fails on hearing of it', async (t) => {
  const pair = await setUp(t)
  const { client, protocol } = await pair.connect()
  const states: boolean[] = []
  pair.onFaultDo = () => states.push(pair.transports[0]!.isDestroyed)
  protocol.onDataDo = () => {
    throw new Error('in data')
  }
  client.send('x')
  await closed(protocol)
  t.strictSame(states, [true], 'destroyed before anybody was told')
})

t.test('a protocol that throws loses its own connection only', async (t) => {
  const pair = await setUp(t)
  const other = await pair.connect()
  const failures = ['data', 'end', 'timeout'] as const
  for (const [index, what] of failures.entries()) {
    const { client, protocol } = await pair.connect()
    const fail = (): never => {
      throw new Error(`in ${what}`)
    }
    if (what === 'data') protocol.onDataDo = fail
    if (what === 'end') protocol.onEndDo = fail
    if (what === 'timeout') {
      protocol.onTimeoutDo = fail
      protocol.transport.setDeadline(pair.wheel.nowMs)
    }
    client.send('x')
    if (what === 'end') client.socket.end()
    await closed(protocol)
    t.match(pair.faults[index], { message: `in ${what}` })
    t.match(protocol.closeError, { message: `in ${what}` })
  }
  other.client.send('fine')
  await until(() => other.protocol.received === 'fine', 'the other connection')
})
