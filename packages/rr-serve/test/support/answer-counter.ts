import { createConnection } from 'node:net'

/** The whole answer that every request gets. */
const ANSWER_END = '\r\n\r\nok'

/**
 * Clients on keep-alive connections that each ask again as soon as they are answered, until the
 * server closes or refuses. Counts whole answers.
 */
export class AnswerCounter {
  answered = 0
  /** Resolves when the server has let go of every client. */
  readonly ended: Promise<void>
  readonly #waiting: { count: number; resolve: () => void }[] = []

  constructor(port: number, clients: number) {
    this.ended = Promise.all(Array.from({ length: clients }, () => this.#run(port))).then(() => {})
  }

  /** Resolves once `count` answers have come. */
  reached(count: number): Promise<void> {
    return new Promise((resolve) => this.#waiting.push({ count, resolve }))
  }

  #run(port: number): Promise<void> {
    const socket = createConnection(port, '127.0.0.1').setEncoding('latin1')
    let received = ''
    const ask = (): unknown => socket.write('GET / HTTP/1.1\r\nHost: test\r\n\r\n')
    socket.on('connect', ask)
    socket.on('data', (text) => {
      received += text
      if (!received.endsWith(ANSWER_END)) return
      received = ''
      this.#count()
      ask()
    })
    socket.on('end', () => socket.destroy())
    socket.on('error', () => {})
    return new Promise((resolve) => socket.once('close', () => resolve()))
  }

  #count(): void {
    this.answered++
    const reached = this.#waiting.filter(({ count }) => this.answered >= count)
    for (const entry of reached) {
      this.#waiting.splice(this.#waiting.indexOf(entry), 1)
      entry.resolve()
    }
  }
}
