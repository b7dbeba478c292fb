// What rr takes from the insides of node:net, and that it does without where that is not there.

import { createServer, type Socket } from 'node:net'
import t from 'tap'
import { readInto, takenBytes } from '../src/socket-internals.ts'
import { RawClient } from './support/raw-client.ts'
import { TransportPair } from './support/transport-pair.ts'
import { until } from './support/until.ts'

/** Takes away what a later Node may not have any more. */
function withoutInternals(socket: Socket): void {
  const { _handle: handle } = socket as unknown as { _handle: object }
  for (const name of ['useUserBuffer', 'bytesWritten', 'writeQueueSize']) {
    Object.defineProperty(handle, name, { value: undefined })
  }
}

t.test('this version of Node has them', async (t) => {
  const server = createServer()
  t.teardown(() => server.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve))
  const client = await RawClient.connect(port)
  t.teardown(() => client.close())
  const socket = await accepted
  t.teardown(() => socket.destroy())

  const buffer = Buffer.alloc(8)
  const reads: string[] = []
  const takes = readInto(socket, buffer, function (this: Socket, length) {
    t.equal(this, socket)
    reads.push(buffer.toString('latin1', 0, length))
    return true
  })
  t.equal(takes, true)
  client.send('more than fits')
  await until(() => reads.join('') === 'more than fits', 'what was sent')
  t.ok(reads.every((text) => text.length <= 8))

  t.equal(takenBytes(socket), 0)
  socket.write('some')
  t.equal(takenBytes(socket), 4)
  client.socket.pause()
  socket.write(Buffer.alloc(30_000_000))
  const taken = takenBytes(socket) as number
  t.ok(taken > 4 && taken < 30_000_004, 'a part of a write')
})

t.test('takenBytes is not known of a socket that is closed', async (t) => {
  const pair = new TransportPair()
  t.teardown(() => pair.stop())
  const sockets: Socket[] = []
  pair.onSocketDo = (socket) => sockets.push(socket)
  await pair.start()
  const { protocol } = await pair.connect()
  protocol.transport.destroy()
  await until(() => protocol.has('close'), 'onClose')
  t.equal(takenBytes(sockets[0] as Socket), null)
  t.equal(protocol.transport.bufferedBytes, 0)
})

t.test('without them: input, its end, pause, and what waits to be sent', async (t) => {
  const pair = new TransportPair()
  t.teardown(() => pair.stop())
  pair.onSocketDo = withoutInternals
  await pair.start()
  const { client, protocol } = await pair.connect()
  const { transport } = protocol
  client.send('hello')
  await until(() => protocol.received === 'hello', 'input')

  transport.pause()
  const other = await pair.connect()
  client.send(' again')
  other.client.send('through')
  await until(() => other.protocol.received === 'through', 'the other connection')
  t.equal(protocol.received, 'hello')
  transport.resume()
  await until(() => protocol.received === 'hello again', 'what was held back')

  client.socket.pause()
  t.equal(transport.write(Buffer.alloc(30_000_000)), false)
  t.equal(transport.bufferedBytes, 30_000_000)
  client.socket.resume()
  await until(() => protocol.has('drain'), 'onDrain')
  t.equal(transport.bufferedBytes, 0)
  client.socket.end()
  await until(() => protocol.has('end'), 'onEnd')
  t.match(pair.block.read(0), { bytesIn: 18, bytesOut: 30_000_000 })
})
