import type { ChunkReader } from './response-stream.ts'
import { HEARTBEAT } from './server-sent-event.ts'

/** Events as they are read, with a heartbeat where none comes for a while. */
export class HeartbeatIterator implements AsyncIterator<string, undefined> {
  readonly #reader: ChunkReader<string>
  readonly #heartbeatMs: number
  #timer: NodeJS.Timeout | null = null
  /** The read under way, which heartbeats may overtake. */
  #read: Promise<IteratorResult<string, unknown>> | null = null
  #isReadSettled = false
  #wake: (() => void) | null = null

  /** @param heartbeatMs 0 for none */
  constructor(reader: ChunkReader<string>, heartbeatMs: number) {
    this.#reader = reader
    this.#heartbeatMs = heartbeatMs
  }

  async next(): Promise<IteratorResult<string, undefined>> {
    const read = this.#read ?? this.#beginRead()
    if (this.#heartbeatMs > 0 && !this.#isReadSettled) {
      await this.#settledOrDue()
      if (!this.#isReadSettled) return { done: false, value: HEARTBEAT }
    }
    this.#read = null
    const { done, value } = await read
    if (!done) return { done: false, value }
    this.#stop()
    return { done: true, value: undefined }
  }

  async return(): Promise<IteratorResult<string, undefined>> {
    this.#stop()
    this.#reader.cancel(null)
    return { done: true, value: undefined }
  }

  #beginRead(): Promise<IteratorResult<string, unknown>> {
    const settle = (): void => {
      this.#isReadSettled = true
      this.#wake?.()
    }
    const read = this.#reader.next()
    this.#read = read
    this.#isReadSettled = false
    // Once a read, however many heartbeats overtake it: reactions to a promise are kept with it.
    read.then(settle, settle)
    return read
  }

  #settledOrDue(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
      if (this.#timer === null) {
        this.#timer = setTimeout(() => this.#wake?.(), this.#heartbeatMs)
        // A client that listens is no reason for the process to live.
        this.#timer.unref()
      } else {
        this.#timer.refresh()
      }
    })
  }

  #stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
  }
}
