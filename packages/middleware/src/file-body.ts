import type { FileHandle } from 'node:fs/promises'
import { RrError } from '@rr/core'
import type { ByteRange } from './range.ts'

/** A piece of an answer: bytes that are there, or a range of the file. */
export type BodyPart = Uint8Array | ByteRange

/** One read: large enough that reading is not the cost, small enough for many clients at once. */
const CHUNK_BYTES = 65_536

/**
 * Handles of bodies that nobody read, such as those of an answer that a middleware replaced. Node
 * ends the process when it collects an open FileHandle; here the handle outlives the body and is
 * closed.
 */
const abandoned = new FinalizationRegistry<FileHandle>((handle) => closeQuietly(handle))

/** Sends parts of an open file, a chunk at a time, and closes it whatever happens. */
export class FileBody implements AsyncIterable<Uint8Array> {
  readonly #handle: FileHandle
  readonly #parts: readonly BodyPart[]

  /** Takes the handle over. */
  constructor(handle: FileHandle, parts: readonly BodyPart[]) {
    this.#handle = handle
    this.#parts = parts
    abandoned.register(this, handle, this)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      for (const part of this.#parts) {
        if (part instanceof Uint8Array) yield part
        else yield* readRange(this.#handle, part)
      }
    } finally {
      abandoned.unregister(this)
      await this.#handle.close()
    }
  }

  /** For a body that nobody will read. */
  destroy(): void {
    abandoned.unregister(this)
    closeQuietly(this.#handle)
  }
}

/**
 * The first `sizeBytes` of a file at once.
 *
 * @throws RrError RR_RESPONSE_LENGTH when it has become shorter
 */
export async function readWhole(handle: FileHandle, sizeBytes: number): Promise<Uint8Array> {
  // Not from Buffer's pool: it may be kept for long, and would keep the pool.
  const bytes = Buffer.allocUnsafeSlow(sizeBytes)
  let filled = 0
  while (filled < sizeBytes) {
    const { bytesRead } = await handle.read(bytes, filled, sizeBytes - filled, filled)
    if (bytesRead === 0) throw shrunk()
    filled += bytesRead
  }
  return bytes
}

async function* readRange(handle: FileHandle, range: ByteRange): AsyncGenerator<Uint8Array> {
  let position = range.first
  while (position <= range.last) {
    // A buffer of its own for each: what was given to the socket may not be written to again.
    const buffer = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, range.last - position + 1))
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, position)
    // The length has been announced. Ending here would be a short answer that looks whole to some.
    if (bytesRead === 0) throw shrunk()
    position += bytesRead
    yield bytesRead === buffer.length ? buffer : buffer.subarray(0, bytesRead)
  }
}

function shrunk(): RrError {
  return new RrError('RR_RESPONSE_LENGTH', 'a file became shorter while it was sent')
}

function closeQuietly(handle: FileHandle): void {
  handle.close().catch(() => {})
}
