import { createConnection, type Socket } from 'node:net'

/** What became of the requests of a group of clients. */
export interface LoadTally {
  answered: number
  /** Requests sent on a connection that had been answered on before, and closed without an answer. */
  lost: number
  /** First requests of a connection that was closed without an answer: it may never have been accepted. */
  lostOnNewConnection: number
  /** Connections that were refused. */
  refused: number
}

/** What a client does when its connection is closed. */
export type OnClosed = 'reconnect' | 'stop'

const HEAD_END = '\r\n\r\n'

/**
 * Keep-alive clients that send one request at a time, the next as soon as the last is answered,
 * over plain sockets, so that nothing is retried in silence.
 */
export class LoadClients {
  readonly tally: LoadTally = { answered: 0, lost: 0, lostOnNewConnection: 0, refused: 0 }
  readonly #port: number
  readonly #request: string
  readonly #onClosed: OnClosed
  readonly #sockets = new Set<Socket>()
  readonly #whenAnswered: { count: number; resolve: () => void }[] = []
  #isStopping = false
  #ended: () => void = () => {}

  constructor(port: number, path: string, onClosed: OnClosed) {
    this.#port = port
    this.#request = `GET ${path} HTTP/1.1\r\nHost: test\r\n\r\n`
    this.#onClosed = onClosed
  }

  start(count: number): void {
    for (let i = 0; i < count; i++) this.#connect()
  }

  /** Resolves when `count` more requests have been answered. */
  answered(count: number): Promise<void> {
    return new Promise((resolve) => {
      this.#whenAnswered.push({ count: this.tally.answered + count, resolve })
    })
  }

  /** Lets every client finish its request, and resolves when all connections are closed. */
  async stop(): Promise<LoadTally> {
    this.#isStopping = true
    await this.ended()
    return this.tally
  }

  /** Resolves when no client has a connection any more. */
  ended(): Promise<void> {
    return new Promise((resolve) => {
      this.#ended = resolve
      if (this.#sockets.size === 0) resolve()
    })
  }

  #connect(): void {
    const socket = createConnection(this.#port, '127.0.0.1')
    let received = ''
    let isOwed = false
    let answers = 0
    const send = (): void => {
      isOwed = true
      socket.write(this.#request)
    }
    this.#sockets.add(socket)
    socket.setEncoding('latin1')
    socket.on('connect', send)
    socket.on('data', (text: string) => {
      received += text
      const length = answerLength(received)
      if (received.length < length) return
      const isLast = /\r\nconnection: close\r\n/i.test(received)
      received = received.slice(length)
      isOwed = false
      answers++
      this.#count()
      if (isLast || this.#isStopping) socket.end()
      else send()
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ECONNREFUSED') return
      this.tally.refused++
      isOwed = false
    })
    socket.on('close', () => {
      if (isOwed && answers > 0) this.tally.lost++
      else if (isOwed) this.tally.lostOnNewConnection++
      this.#sockets.delete(socket)
      // Not at once where nobody listens: that would be a busy loop.
      if (this.#onClosed === 'reconnect' && !this.#isStopping) setImmediate(() => this.#reconnect())
      else this.#checkEnded()
    })
  }

  #reconnect(): void {
    if (this.#isStopping) this.#checkEnded()
    else this.#connect()
  }

  #checkEnded(): void {
    if (this.#sockets.size === 0) this.#ended()
  }

  #count(): void {
    this.tally.answered++
    for (const waiting of [...this.#whenAnswered]) {
      if (this.tally.answered < waiting.count) continue
      this.#whenAnswered.splice(this.#whenAnswered.indexOf(waiting), 1)
      waiting.resolve()
    }
  }
}

/** The length of the answer at the start of `text`, or Infinity while its head is not complete. */
function answerLength(text: string): number {
  const end = text.indexOf(HEAD_END)
  if (end < 0) return Number.POSITIVE_INFINITY
  const length = /\r\ncontent-length: (\d+)\r\n/i.exec(text.slice(0, end + 2))?.[1]
  return end + HEAD_END.length + Number(length ?? 0)
}
