import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { until } from './until.ts'

/** A client that speaks bytes: what it received is in `received`, how it ended in `ending`. */
export class RawClient {
  readonly socket: Socket
  received = ''
  /** Null while open; `end` after a FIN, `close` when closed without one, or the error's code. */
  ending: string | null = null
  isClosed = false

  private constructor(socket: Socket) {
    this.socket = socket
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => {
      this.received += text
    })
    socket.on('end', () => {
      this.ending ??= 'end'
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.ending ??= error.code ?? error.message
    })
    socket.on('close', () => {
      this.ending ??= 'close'
      this.isClosed = true
    })
  }

  /** Connects. The client's side stays open when the server closes its own. */
  static async connect(port: number, host = '127.0.0.1'): Promise<RawClient> {
    const socket = connect({ port, host, allowHalfOpen: true })
    const client = new RawClient(socket)
    await once(socket, 'connect')
    return client
  }

  send(text: string): void {
    this.socket.write(text, 'latin1')
  }

  get(path: string, headers = ''): void {
    this.send(`GET ${path} HTTP/1.1\r\nHost: test\r\n${headers}\r\n`)
  }

  /** Waits for text that matches, and takes everything up to its end out of `received`. */
  async expect(pattern: RegExp): Promise<string> {
    const isThere = (): boolean => pattern.test(this.received) || this.ending !== null
    await until(isThere, `${pattern} in ${JSON.stringify(this.received)}`)
    const match = pattern.exec(this.received)
    if (match === null) {
      throw new Error(`${this.ending} before ${pattern} in ${JSON.stringify(this.received)}`)
    }
    const end = match.index + match[0].length
    const text = this.received.slice(0, end)
    this.received = this.received.slice(end)
    return text
  }

  /** Waits for the server to close its side or the whole connection; tells how. */
  async ended(): Promise<string> {
    await until(() => this.ending !== null, 'the server to close')
    return this.ending!
  }

  close(): void {
    this.socket.destroy()
  }
}
