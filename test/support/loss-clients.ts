import { LossConnection, type LossRequest, type RequestEnd } from './loss-connection.ts'
import { emptyTally, type LossTally } from './loss-tally.ts'

export interface LossClientsOptions {
  readonly port: number
  /** Asked in turn by each client. */
  readonly requests: readonly LossRequest[]
  readonly connections: number
  /**
   * Requests a second of all clients together, each by its own even schedule; what is late is asked
   * at once. Without it each client asks as soon as it is answered.
   */
  readonly perSecond?: number | undefined
  readonly timeoutMs?: number | undefined
  /** The clients' own address. */
  readonly localAddress?: string | undefined
}

/** Where nobody listens: looks again that often. */
const REFUSED_PAUSE_MS = 5
const REQUEST_TIMEOUT_MS = 30_000

/** Keep-alive clients that count what became of each of their requests. */
export class LossClients {
  readonly tally: LossTally = emptyTally()
  /** Connections on which at least one answer came. */
  connectionsAnswered = 0
  /** What failures looked like, with how often. */
  readonly details: Map<string, number> = new Map()
  readonly #options: LossClientsOptions
  readonly #clients: LossClient[] = []
  #isAfterStop = false
  #whenAnswered: { count: number; resolve: () => void }[] = []

  constructor(options: LossClientsOptions) {
    this.#options = options
  }

  /** Connections that are open on the clients' side. */
  get open(): number {
    return this.#clients.filter((client) => client.isConnected).length
  }

  get isBusy(): boolean {
    return this.#clients.some((client) => client.isBusy)
  }

  start(): void {
    const { connections, perSecond } = this.#options
    const intervalMs = perSecond === undefined ? 0 : (connections * 1000) / perSecond
    for (let n = 0; n < connections; n++) {
      const offsetMs = (n * intervalMs) / connections
      const client = new LossClient(
        this.#options,
        { intervalMs, offsetMs, firstRequest: n },
        (...e) => this.#count(...e),
      )
      this.#clients.push(client)
      client.resume()
    }
  }

  /** Resolves when `count` more requests have been answered. */
  answered(count: number): Promise<void> {
    return new Promise((resolve) => {
      this.#whenAnswered.push({ count: this.tally.answered + count, resolve })
    })
  }

  /** From now on, a refused connection is the end of its client and no failure. */
  expectRefusals(): void {
    this.#isAfterStop = true
  }

  /** Asks nothing more; connections stay open. `isBusy` says when the last answer is in. */
  pause(): void {
    for (const client of this.#clients) client.pause()
  }

  resume(): void {
    for (const client of this.#clients) client.resume()
  }

  /** Closes the connections of clients that have been paused. */
  end(): void {
    for (const client of this.#clients) client.end()
  }

  #count(client: LossClient, end: RequestEnd, detail: string, answers: number): void {
    const { tally } = this
    if (end === 'answered' && answers === 1) this.connectionsAnswered++
    if (end === 'refused' && this.#isAfterStop) {
      tally.refusedAfterStop++
      client.pause()
      return
    }
    tally[end]++
    if (end !== 'answered') {
      const text = `${end} ${detail}`.trim()
      this.details.set(text, (this.details.get(text) ?? 0) + 1)
    }
    const isReached = ({ count }: { count: number }): boolean => tally.answered >= count
    if (!this.#whenAnswered.some(isReached)) return
    for (const waiting of this.#whenAnswered.filter(isReached)) waiting.resolve()
    this.#whenAnswered = this.#whenAnswered.filter((waiting) => !isReached(waiting))
  }
}

interface Schedule {
  /** Time between two requests of this client; 0 asks as soon as it is answered. */
  readonly intervalMs: number
  readonly offsetMs: number
  readonly firstRequest: number
}

type Count = (client: LossClient, end: RequestEnd, detail: string, answers: number) => void

/** One client: its connection is opened anew whenever it needs one and has none. */
class LossClient {
  readonly #options: LossClientsOptions
  readonly #schedule: Schedule
  readonly #count: Count
  #connection: LossConnection | null = null
  #timer: NodeJS.Timeout | undefined
  #dueMs: number
  #next: number
  #isPaused = true

  constructor(options: LossClientsOptions, schedule: Schedule, count: Count) {
    this.#options = options
    this.#schedule = schedule
    this.#count = count
    this.#dueMs = performance.now() + schedule.offsetMs
    this.#next = schedule.firstRequest
  }

  get isConnected(): boolean {
    return this.#connection !== null
  }

  get isBusy(): boolean {
    return this.#connection?.isBusy === true
  }

  pause(): void {
    this.#isPaused = true
    clearTimeout(this.#timer)
  }

  resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    this.#dueMs = Math.max(this.#dueMs, performance.now())
    this.#askWhenDue()
  }

  end(): void {
    this.#connection?.end()
  }

  #askWhenDue(): void {
    clearTimeout(this.#timer)
    if (this.#isPaused) return
    const waitMs = this.#schedule.intervalMs === 0 ? 0 : this.#dueMs - performance.now()
    if (waitMs <= 0) this.#ask()
    else this.#timer = setTimeout(() => this.#ask(), waitMs)
  }

  #ask(): void {
    // Asked again when the answer is in, or when a connection that its server closes is gone.
    if (this.#connection?.isBusy === true || this.#connection?.isLast === true) return
    this.#connection ??= new LossConnection({
      port: this.#options.port,
      localAddress: this.#options.localAddress,
      timeoutMs: this.#options.timeoutMs ?? REQUEST_TIMEOUT_MS,
      onEnd: (connection, end, detail) => this.#onEnd(connection, end, detail),
      onClosed: (connection) => this.#onClosed(connection),
    })
    this.#dueMs += this.#schedule.intervalMs
    const { requests } = this.#options
    this.#connection.send(requests[this.#next++ % requests.length]!)
  }

  #onEnd(connection: LossConnection, end: RequestEnd, detail: string): void {
    this.#count(this, end, detail, connection.answers)
    if (end === 'refused') {
      this.#connection = null
      if (this.#isPaused) return
      this.#timer = setTimeout(() => this.#askWhenDue(), REFUSED_PAUSE_MS)
      return
    }
    if (connection.isLast) {
      connection.end()
      // Asked anew over another connection at once, as clients do; this one closes by itself.
      if (connection === this.#connection) this.#connection = null
    }
    this.#askWhenDue()
  }

  #onClosed(connection: LossConnection): void {
    if (connection !== this.#connection) return
    this.#connection = null
    this.#askWhenDue()
  }
}
