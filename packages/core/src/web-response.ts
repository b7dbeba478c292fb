import { RrError } from './errors.ts'
import { addAbortListener, type Exchange } from './exchange.ts'
import { HeaderBlock } from './header-block.ts'
import { checkStatus, HttpResponse } from './response.ts'
import { type ChunkReader, chunkReader, ResponseStream } from './response-stream.ts'

/** Turns of the microtask queue in which a body that is there already comes to its end. */
const SETTLE_TURNS = 8

export function isWebResponse(value: unknown): value is Response {
  return value instanceof Response
}

/**
 * Sends a standard `Response`. One whose body is there already leaves whole, with its length;
 * any other is streamed.
 *
 * @param onError is told what went wrong once the answer had begun, or could not begin
 */
export async function sendWebResponse(
  exchange: Exchange,
  response: Response,
  onError: (error: unknown) => void,
): Promise<void> {
  const { sequence } = exchange
  const isCurrent = (): boolean => exchange.sequence === sequence
  try {
    checkWebResponse(response)
    const headers = new HeaderBlock(response.headers)
    if (response.body === null) {
      exchange.respond(response.status, headers, null)
      return
    }
    const reader = chunkReader(response.body)
    addAbortListener(exchange, (error) => reader.cancel(error))
    const firstRead = reader.next()
    // Fails while a 500 is still possible.
    await firstRead
    const start = await readStart(reader, firstRead)
    if (!isCurrent()) return
    if (start.whole !== null) exchange.respond(response.status, headers, start.whole)
    else await streamRest(exchange, response.status, headers, start.reader, onError)
  } catch (error) {
    onError(error)
    if (isCurrent()) exchange.respond(500, null, 'Internal Server Error')
  }
}

/**
 * A standard `Response` as a value that middleware can work on. A body that is there already is
 * bytes; any other is what is left of the stream.
 *
 * @throws RrError RR_RESPONSE_INVALID
 */
export async function readWebResponse(response: Response): Promise<HttpResponse> {
  checkWebResponse(response)
  const headers = new HeaderBlock(response.headers)
  if (response.body === null) return new HttpResponse(response.status, headers, null)
  const reader = chunkReader(response.body)
  const start = await readStart(reader, reader.next())
  return new HttpResponse(response.status, headers, start.whole ?? iterate(start.reader))
}

function checkWebResponse(response: Response): void {
  // `Response.error()` has status 0.
  checkStatus(response.status)
  if (response.bodyUsed) {
    throw new RrError('RR_RESPONSE_INVALID', 'the body of the Response has been read already')
  }
}

function iterate(reader: ChunkReader): AsyncIterable<Uint8Array | string> {
  const iterator: AsyncIterator<Uint8Array | string> = {
    next: () => reader.next() as Promise<IteratorResult<Uint8Array | string, undefined>>,
    return: async () => {
      reader.cancel(null)
      return { done: true, value: undefined }
    },
  }
  const body = {
    [Symbol.asyncIterator]: () => iterator,
    // It has been read from already: who gives it up must be able to say so without reading.
    destroy: () => reader.cancel(null),
  }
  return body
}

async function streamRest(
  exchange: Exchange,
  status: number,
  headers: HeaderBlock,
  reader: ChunkReader,
  onError: (error: unknown) => void,
): Promise<void> {
  const stream = new ResponseStream(exchange, reader, null)
  exchange.startStream(status, headers, stream)
  const error = await stream.run()
  if (error !== null) onError(error)
}

type Start = { whole: Uint8Array } | { whole: null; reader: ChunkReader }

/**
 * Reads the first chunk and sees whether it was all: a `Response` made from a string or bytes ends
 * within the same turn of the event loop.
 */
async function readStart(reader: ChunkReader, firstRead: Promise<ReadResult>): Promise<Start> {
  const early = [firstRead]
  const first = await settled(firstRead)
  if (first?.done === true) return { whole: new Uint8Array(0) }
  if (first?.value instanceof Uint8Array) {
    const second = reader.next()
    early.push(second)
    if ((await settled(second))?.done === true) return { whole: first.value }
  }
  return { whole: null, reader: resumeReader(reader, early) }
}

type ReadResult = IteratorResult<Uint8Array | string, unknown>

/** What was read, where that is known within the turn; null for what takes longer or fails. */
async function settled(read: Promise<ReadResult>): Promise<ReadResult | null> {
  let result: ReadResult | null = null
  let isSettled = false
  read.then(
    (value) => {
      result = value
      isSettled = true
    },
    () => {
      isSettled = true
    },
  )
  for (let turn = 0; turn < SETTLE_TURNS && !isSettled; turn++) await null
  return result
}

/** A reader that first gives what has been read already. */
function resumeReader(reader: ChunkReader, early: Promise<ReadResult>[]): ChunkReader {
  return {
    next: () => early.shift() ?? reader.next(),
    cancel: (error) => reader.cancel(error),
  }
}
