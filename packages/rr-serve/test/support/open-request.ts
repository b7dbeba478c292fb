import { createConnection, type Socket } from 'node:net'

/** A request whose body has not ended: its handler waits for as long as a test wants. */
export class OpenRequest {
  readonly #socket: Socket
  /** What the server has sent, once it has closed the connection, in whatever way. */
  readonly answer: Promise<string>

  /** Resolves once the server has asked for the body, so the handler runs. */
  static async begin(port: number): Promise<OpenRequest> {
    const socket = createConnection(port, '127.0.0.1').setEncoding('latin1')
    const request = new OpenRequest(socket)
    socket.write(
      'POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n',
    )
    await new Promise<void>((resolve, reject) => {
      socket.once('data', () => resolve())
      socket.once('error', reject)
    })
    return request
  }

  private constructor(socket: Socket) {
    this.#socket = socket
    let received = ''
    socket.on('data', (text) => (received += text))
    socket.on('error', () => {})
    this.answer = new Promise((resolve) => socket.once('close', () => resolve(received)))
  }

  /** Sends the body. */
  finish(): void {
    this.#socket.write('body')
  }
}
