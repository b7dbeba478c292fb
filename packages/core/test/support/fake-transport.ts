import type { EndpointAddress, TlsFacts, Transport } from '../../src/transport.ts'

/**
 * A transport over arrays. As strict as the interface allows: it sends a chunk no earlier than it
 * must, and says so when a string cannot be sent as latin1 or a cork is never undone.
 */
export class FakeTransport implements Transport {
  peer: EndpointAddress = { address: '192.0.2.7', port: 49_152, family: 'IPv4' }
  local: EndpointAddress = { address: '192.0.2.1', port: 8080, family: 'IPv4' }
  tls: TlsFacts | null = null
  /** What left in one system call each. */
  readonly batches: Buffer[] = []
  /** False: the client takes nothing by itself, only what `take` is told. */
  isClientReading = true
  highWaterBytes = 65_536
  deadlineMs: number = Number.POSITIVE_INFINITY
  isPaused = false
  isEnded = false
  /** True once `destroySoon` was called. */
  isDestroyedSoon = false
  isDestroyed = false
  /** What `destroy` was called with. */
  error: Error | null = null
  /** True while the connection has been told to wait for `onDrain`. */
  isFull = false
  bufferedBytes = 0
  /** The most that ever waited to be sent. */
  maxBufferedBytes = 0
  #corks = 0
  #corked: (Uint8Array | string)[] = []

  /** Everything sent so far. */
  get output(): Buffer {
    return Buffer.concat(this.batches)
  }

  get isClosed(): boolean {
    return this.isEnded || this.isDestroyed
  }

  write(chunk: Uint8Array | string): boolean {
    if (typeof chunk === 'string' && /[^\0-\xff]/.test(chunk)) {
      throw new Error('a string was written that is not latin1')
    }
    if (chunk.length === 0) throw new Error('nothing was written')
    if (this.isClosed) return true
    this.#corked.push(chunk)
    if (this.#corks === 0) this.#send()
    if (this.isClientReading) return true
    this.bufferedBytes += chunk.length
    this.maxBufferedBytes = Math.max(this.maxBufferedBytes, this.bufferedBytes)
    if (this.bufferedBytes >= this.highWaterBytes) this.isFull = true
    return !this.isFull
  }

  cork(): void {
    this.#corks++
  }

  uncork(): void {
    if (this.#corks === 0) throw new Error('uncork without cork')
    this.#corks--
    if (this.#corks === 0) this.#send()
  }

  pause(): void {
    this.isPaused = true
  }

  resume(): void {
    this.isPaused = false
  }

  end(): void {
    if (this.#corks > 0) throw new Error('end while corked')
    this.isEnded = true
  }

  destroySoon(): void {
    if (this.#corks > 0) throw new Error('destroySoon while corked')
    this.isEnded = true
    this.isDestroyedSoon = true
  }

  destroy(error?: Error): void {
    if (this.isDestroyed) return
    this.isDestroyed = true
    this.error = error ?? null
  }

  setDeadline(atMs: number): void {
    if (Number.isNaN(atMs)) throw new Error('the deadline is not a number')
    this.deadlineMs = atMs
  }

  /** The client takes up to `bytes` of what waits. Returns true when `onDrain` is due. */
  take(bytes: number): boolean {
    this.bufferedBytes = Math.max(0, this.bufferedBytes - bytes)
    if (this.bufferedBytes > 0 || !this.isFull) return false
    this.isFull = false
    return !this.isClosed
  }

  #send(): void {
    if (this.#corked.length === 0) return
    const parts = this.#corked.map((chunk) =>
      typeof chunk === 'string' ? Buffer.from(chunk, 'latin1') : Buffer.from(chunk),
    )
    this.#corked = []
    this.batches.push(Buffer.concat(parts))
  }
}
