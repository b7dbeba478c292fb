import { RrError } from './errors.ts'
import { addAbortListener, type Exchange } from './exchange.ts'
import { HeaderBlock } from './header-block.ts'
import { checkStatus } from './response.ts'
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
    // `Response.error()` has status 0.
    checkStatus(response.status)
    if (response.bodyUsed) {
      throw new RrError('RR_RESPONSE_INVALID', 'the body of the Response has been read already')
    }
    const headers = new HeaderBlock(response.headers)
    if (response.body === null) {
      exchange.respond(response.status, headers, null)
      return
    }
    const reader = chunkReader(response.body)
    addAbortListener(exchange, (error) => reader.cancel(error))
    const start = await readStart(reader)
    if (!isCurrent()) return
    if (start.whole !== null) exchange.respond(response.status, headers, start.whole)
    else await streamRest(exchange, response.status, headers, start.reader, onError)
  } catch (error) {
    onError(error)
    if (isCurrent()) exchange.respond(500, null, 'Internal Server Error')
  }
}

async function streamRest(
  exchange: Exchange,
  status: number,
  headers: HeaderBlock,
  reader: ChunkReader,
  onError: (error: unknown) => void,
): Promise<void> {
  const stream = new ResponseStream(exchange, reader)
  exchange.startStream(status, headers, stream)
  const error = await stream.run()
  if (error !== null) onError(error)
}

type Start = { whole: Uint8Array } | { whole: null; reader: ChunkReader }

/**
 * Reads the first chunk and sees whether it was all: a `Response` made from a string or bytes ends
 * within the same turn of the event loop.
 */
async function readStart(reader: ChunkReader): Promise<Start> {
  const first = await reader.next()
  if (first.done === true) return { whole: new Uint8Array(0) }
  const second = reader.next()
  let isOver = false
  second.then(
    ({ done }) => {
      isOver = done === true
    },
    () => {},
  )
  for (let turn = 0; turn < SETTLE_TURNS && !isOver; turn++) await null
  if (isOver && first.value instanceof Uint8Array) return { whole: first.value }
  return { whole: null, reader: resumeReader(reader, [Promise.resolve(first), second]) }
}

/** A reader that first gives what has been read already. */
function resumeReader(
  reader: ChunkReader,
  early: Promise<IteratorResult<Uint8Array | string, unknown>>[],
): ChunkReader {
  return {
    next: () => early.shift() ?? reader.next(),
    cancel: (error) => reader.cancel(error),
  }
}
