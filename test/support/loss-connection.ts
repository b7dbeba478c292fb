import { createConnection, type Socket } from 'node:net'

/** A request as bytes, and the body of its right answer, whose status is 200. */
export interface LossRequest {
  readonly text: string
  readonly answer: string
}

export function getRequest(path: string, answer: string): LossRequest {
  return { text: `GET ${path} HTTP/1.1\r\nHost: test\r\n\r\n`, answer }
}

/** A POST whose answer repeats its body. */
export function echoRequest(path: string, body: string): LossRequest {
  const head = `POST ${path} HTTP/1.1\r\nHost: test\r\nContent-Type: text/plain`
  return { text: `${head}\r\nContent-Length: ${body.length}\r\n\r\n${body}`, answer: body }
}

/** How a request ended. */
export type RequestEnd =
  | 'answered'
  | 'refused'
  | 'resetOnNewConnection'
  | 'resetBeforeAnswer'
  | 'cutInAnswer'
  | 'wrongAnswer'
  | 'timedOut'

export interface LossConnectionOptions {
  readonly port: number
  /** The client's own address; the system chooses one without it. */
  readonly localAddress?: string | undefined
  readonly timeoutMs: number
  /** Told once for each request. `detail` is the first line of a wrong answer, or an error's code. */
  readonly onEnd: (connection: LossConnection, end: RequestEnd, detail: string) => void
  /** The connection is gone; the end of a request that was under way has been told before. */
  readonly onClosed: (connection: LossConnection) => void
}

const HEAD_END = '\r\n\r\n'

/** A client's connection over a plain socket: one request at a time, and nothing retried. */
export class LossConnection {
  isOpen = true
  /** The server has said that this was its last answer, or has closed its side. */
  isLast = false
  readonly #options: LossConnectionOptions
  readonly #socket: Socket
  #owed: LossRequest | null = null
  #received = ''
  #answers = 0
  #errorCode = ''
  #timer: NodeJS.Timeout | undefined

  constructor(options: LossConnectionOptions) {
    this.#options = options
    const { port, localAddress } = options
    const from = localAddress === undefined ? {} : { localAddress }
    this.#socket = createConnection({ port, ...from, host: '127.0.0.1', noDelay: true })
    this.#socket.setEncoding('latin1')
    this.#socket.on('data', (text: string) => this.#read(text))
    this.#socket.on('end', () => {
      this.isLast = true
    })
    this.#socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#errorCode = error.code ?? error.message
    })
    this.#socket.on('close', () => this.#close())
  }

  /** Requests answered on it so far. */
  get answers(): number {
    return this.#answers
  }

  get isBusy(): boolean {
    return this.#owed !== null
  }

  send(request: LossRequest): void {
    this.#owed = request
    this.#timer = setTimeout(() => this.#settle('timedOut', ''), this.#options.timeoutMs)
    this.#socket.write(request.text, 'latin1')
  }

  end(): void {
    this.isLast = true
    this.#socket.end()
  }

  #read(text: string): void {
    if (this.#owed === null) {
      // Counted as a request of its own: there is none that it could be the answer to.
      this.#settle('wrongAnswer', `unasked: ${text.slice(0, 40)}`)
      return
    }
    this.#received += text
    const headEnd = this.#received.indexOf(HEAD_END)
    if (headEnd < 0) return
    const head = this.#received.slice(0, headEnd + 2)
    const length = Number(/\r\ncontent-length: *(\d+)\r\n/i.exec(head)?.[1] ?? Number.NaN)
    const bodyStart = headEnd + HEAD_END.length
    if (this.#received.length < bodyStart + length) return
    const isRight =
      head.startsWith('HTTP/1.1 200 ') && this.#received.slice(bodyStart) === this.#owed.answer
    if (/\r\nconnection: *close\r\n/i.test(head)) this.isLast = true
    this.#received = ''
    if (!isRight) this.#settle('wrongAnswer', head.split('\r\n', 1)[0] ?? '')
    else this.#settle('answered', '')
  }

  #settle(end: RequestEnd, detail: string): void {
    clearTimeout(this.#timer)
    this.#owed = null
    if (end === 'answered') this.#answers++
    else {
      // Whatever else comes on it has no meaning any more.
      this.isLast = true
      this.#socket.destroy()
    }
    this.#options.onEnd(this, end, detail)
  }

  #close(): void {
    this.isOpen = false
    if (this.#owed !== null) this.#settle(this.#howLost(), this.#errorCode)
    this.#options.onClosed(this)
  }

  #howLost(): RequestEnd {
    if (this.#errorCode === 'ECONNREFUSED') return 'refused'
    if (this.#received !== '') return 'cutInAnswer'
    return this.#answers > 0 ? 'resetBeforeAnswer' : 'resetOnNewConnection'
  }
}
