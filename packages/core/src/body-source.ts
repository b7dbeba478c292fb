import { ByteCollector } from './byte-collector.ts'
import { RrError } from './errors.ts'

/** A body that is read a chunk at a time: as it arrives, or decoded. */
export interface BodySource {
  /** The next chunk, which is the caller's, or null at the end. One call at a time. */
  read(): Promise<Uint8Array | null>
  /** The reader wants no more: a `read` that waits, and any later one, rejects. */
  cancel(): void
}

export function cancelledError(): RrError {
  return new RrError('RR_BODY_USED', 'the request body is no longer read: its reader let it go')
}

/** Everything that is to come, in an ArrayBuffer that holds nothing else. */
export async function collectBytes(source: BodySource): Promise<Uint8Array> {
  const collector = new ByteCollector()
  for (;;) {
    const chunk = await source.read()
    if (chunk === null) return collector.take()
    collector.add(chunk)
  }
}

/** The same as a stream, which reads no sooner than it is read. */
export function sourceStream(source: BodySource): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const chunk = await source.read()
        if (chunk === null) controller.close()
        else controller.enqueue(chunk)
      },
      cancel: () => source.cancel(),
    },
    { highWaterMark: 0 },
  )
}

/**
 * A handler that starts to read, and does something else before it awaits the body, has nobody
 * listening when the client leaves in between, or has sent no JSON. What a client does must not
 * end the process: no rejection of a body is ever reported as unhandled.
 */
export function quiet<Value>(body: Promise<Value>): Promise<Value> {
  body.catch(() => {})
  return body
}
