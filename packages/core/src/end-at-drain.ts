import type { DrainListener } from './drain-notice.ts'
import { type ChunkReader, chunkReader, discardBody } from './response-stream.ts'

/** What hears of drains: a request. */
export interface DrainSource {
  onDrain(listener: DrainListener): () => void
}

const DONE: IteratorResult<never, undefined> = { done: true, value: undefined }

/**
 * Calls `leave` once, when an answer of the kind that its client asks for again is to end: at the
 * first notice that comes while it is open, or at once where the server is stopping already. One
 * that began after a notice without stopping stays: its client came back to this server because no
 * other took it, and would come back again and again.
 *
 * @returns takes the listener back
 */
export function onceLeaving(source: DrainSource, leave: () => void): () => void {
  let isOpen = false
  let hasLeft = false
  const stop = source.onDrain((notice) => {
    if (hasLeft || !(isOpen || notice.isStopping)) return
    hasLeft = true
    leave()
  })
  isOpen = true
  return stop
}

/**
 * Values of a source until a drain ends them, cleanly: for endless answers whose client asks again
 * when they end, such as a feed of changes. With it a drain does not wait for such answers. Not for
 * an answer that has an end of its own: its client would take the part for the whole.
 *
 * Ends at the first notice that comes (`HttpRequest.onDrain`), also one without stopping. The source
 * is then ended as when the client leaves; a value that it had not given yet is not sent.
 *
 * @param source an async iterable or a stream, as `stream`, `ndjson` and `sse` take it
 * @param request the request that is answered; null, as of `sourceRequest`, changes nothing
 * @param last sent at the end where a drain is the cause; default nothing
 * @example
 * app.get('/changes', (request) => ndjson(endAtDrain(db.changes(), request)))
 */
export function endAtDrain<Value>(
  source: AsyncIterable<Value> | ReadableStream<Value>,
  request: DrainSource | null,
  last?: Value,
): AsyncIterable<Value> {
  return new DrainEnded(source, request, last)
}

class DrainEnded<Value> implements AsyncIterable<Value> {
  readonly #source: AsyncIterable<Value> | ReadableStream<Value>
  readonly #request: DrainSource | null
  readonly #last: Value | undefined

  constructor(
    source: AsyncIterable<Value> | ReadableStream<Value>,
    request: DrainSource | null,
    last: Value | undefined,
  ) {
    this.#source = source
    this.#request = request
    this.#last = last
  }

  [Symbol.asyncIterator](): AsyncIterator<Value, undefined> {
    return new DrainEndedIterator(chunkReader(this.#source), this.#request, this.#last)
  }

  /** Nobody will read it. */
  destroy(): void {
    discardBody(this.#source)
  }
}

/** By hand: a generator around the source could not end it while it waits for the next value. */
class DrainEndedIterator<Value> implements AsyncIterator<Value, undefined> {
  readonly #reader: ChunkReader<Value>
  readonly #stop: () => void
  #isEnded = false
  /** What is still to be given after the end. */
  #last: Value | undefined = undefined
  /** Ends the read under way, whatever the source does with it. */
  #finish: ((result: IteratorResult<Value, undefined>) => void) | null = null

  constructor(reader: ChunkReader<Value>, request: DrainSource | null, last: Value | undefined) {
    this.#reader = reader
    this.#stop = request === null ? () => {} : onceLeaving(request, () => this.#end(last))
  }

  next(): Promise<IteratorResult<Value, undefined>> {
    if (this.#isEnded) return Promise.resolve(this.#takeLast())
    return new Promise((resolve, reject) => {
      this.#finish = resolve
      this.#reader.next().then(
        (result) => {
          this.#finish = null
          if (result.done) this.#stop()
          resolve(result.done ? DONE : { done: false, value: result.value })
        },
        (error) => {
          this.#finish = null
          reject(error)
        },
      )
    })
  }

  async return(): Promise<IteratorResult<Value, undefined>> {
    this.#stop()
    this.#end(undefined)
    return DONE
  }

  #end(last: Value | undefined): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#last = last
    const finish = this.#finish
    this.#finish = null
    finish?.(this.#takeLast())
    this.#reader.cancel(null)
  }

  #takeLast(): IteratorResult<Value, undefined> {
    const value = this.#last
    this.#last = undefined
    return value === undefined ? DONE : { done: false, value }
  }
}
