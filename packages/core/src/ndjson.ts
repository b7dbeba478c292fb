import { RrError } from './errors.ts'
import { HeaderBlock } from './header-block.ts'
import { type HttpResponse, makeStreamResponse, type StreamInit } from './response.ts'
import { chunkReader, discardBody } from './response-stream.ts'

/** What lines are made of: any iterable, sync or async, a stream in object mode included. */
export type NdjsonSource<Value = unknown> =
  | Iterable<Value>
  | AsyncIterable<Value>
  | ReadableStream<Value>

/** Lines of a sync source go together up to this many characters: a chunk costs more than a line. */
const BATCH_CHARACTERS = 16_384

const HEADERS = new HeaderBlock([['content-type', 'application/x-ndjson']])

/**
 * JSON values, one a line, as they are produced: `application/x-ndjson`. Values of an async source
 * leave at once. Back-pressure, the end and the departure of the client are those of `stream`.
 *
 * A value that JSON cannot express (undefined, a function, a BigInt, a circular object) cuts the
 * connection, as any error in the middle of a stream does: RR_RESPONSE_INVALID or TypeError.
 *
 * @param source an iterable, an async iterable or a stream of values; not a string
 * @throws RrError RR_RESPONSE_INVALID for another source; otherwise as `stream`
 * @example
 * app.get('/users', () => ndjson(db.users.find()))
 */
export function ndjson(source: NdjsonSource, init?: StreamInit): HttpResponse {
  const body = isAsync(source) ? new AsyncLines(source) : new SyncLines(source)
  return makeStreamResponse(HEADERS, body, init)
}

function isAsync(source: unknown): source is AsyncIterable<unknown> | ReadableStream<unknown> {
  if (typeof source === 'object' && source !== null) {
    if (Symbol.asyncIterator in source || source instanceof ReadableStream) return true
    if (Symbol.iterator in source) return false
  }
  // A string is an iterable of characters: nobody means those.
  throw new RrError('RR_RESPONSE_INVALID', `ndjson() takes an iterable, not ${typeof source}`)
}

function toLine(value: unknown): string {
  const line: string | undefined = JSON.stringify(value)
  if (line === undefined) {
    throw new RrError('RR_RESPONSE_INVALID', `ndjson() cannot express ${typeof value}`)
  }
  return `${line}\n`
}

/** By hand: a generator around the source could not end it while it waits for the next value. */
class AsyncLines implements AsyncIterable<string> {
  readonly #source: AsyncIterable<unknown> | ReadableStream<unknown>

  constructor(source: AsyncIterable<unknown> | ReadableStream<unknown>) {
    this.#source = source
  }

  [Symbol.asyncIterator](): AsyncIterator<string, undefined> {
    const reader = chunkReader(this.#source)
    return {
      next: async () => {
        const { done, value } = await reader.next()
        return done ? { done: true, value: undefined } : { done: false, value: toLine(value) }
      },
      return: async () => {
        reader.cancel(null)
        return { done: true, value: undefined }
      },
    }
  }

  /** Nobody will read it. */
  destroy(): void {
    discardBody(this.#source)
  }
}

class SyncLines implements AsyncIterable<string> {
  readonly #source: Iterable<unknown>

  constructor(source: Iterable<unknown>) {
    this.#source = source
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string, undefined> {
    let batch = ''
    for (const value of this.#source) {
      batch += toLine(value)
      if (batch.length < BATCH_CHARACTERS) continue
      yield batch
      batch = ''
    }
    if (batch !== '') yield batch
    return undefined
  }
}
