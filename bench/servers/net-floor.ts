/**
 * The floor for a server over node:net: it counts the blank lines that end requests, parses nothing
 * and answers with a constant. Reads into one buffer for all sockets, as rr does.
 */
import { createServer, type Socket } from 'node:net'
import { readInto } from '../../packages/listener/src/socket-internals.ts'

const BODY = 'Hello, World!'
const ANSWER =
  'HTTP/1.1 200 OK\r\ndate: Thu, 01 Jan 1970 00:00:00 GMT\r\n' +
  `content-type: text/plain; charset=utf-8\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`
const LF = 0x0a
const CR = 0x0d

const buffer = Buffer.allocUnsafeSlow(65_536)

function answer(this: Socket, length: number): boolean {
  let answers = ''
  for (let at = buffer.indexOf(LF); at >= 0 && at < length; at = buffer.indexOf(LF, at + 1)) {
    if (buffer[at + 1] === CR && buffer[at + 2] === LF) answers += ANSWER
  }
  if (answers !== '') this.write(answers, 'latin1')
  return true
}

const server = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => {})
  if (!readInto(socket, buffer, answer)) throw new Error('this Node.js has no shared read buffer')
})
server.listen(Number(process.env['PORT'] ?? 0), '127.0.0.1', () => {
  const { port } = server.address() as { port: number }
  console.log(`listening on http://127.0.0.1:${port}`)
})
