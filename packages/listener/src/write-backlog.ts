/**
 * Most bytes given to a socket at once while it lags behind. libuv reports a write only when the
 * whole of it is gone, so a smaller piece shows sooner that a slow client still takes bytes; at
 * 64 KiB, which is also a socket's high-water mark, bulk throughput is that of one large write.
 */
export const MAX_PIECE_BYTES = 65_536

/** Output that waits behind a socket that is full: a queue of chunks, taken out in pieces. */
export class WriteBacklog {
  /** Bytes that wait. */
  bytes = 0
  #chunks: (Uint8Array | string)[] = []
  /** The chunk whose turn it is, and how much of it has been taken. */
  #head = 0
  #offset = 0

  push(chunk: Uint8Array | string): void {
    this.#chunks.push(chunk)
    this.bytes += chunk.length
  }

  /** Takes the next piece, of 1 to MAX_PIECE_BYTES bytes. Only while `bytes` is not 0. */
  shift(): Uint8Array | string {
    const chunk = this.#chunks[this.#head]!
    const end = this.#offset + MAX_PIECE_BYTES
    const piece = this.#offset === 0 && end >= chunk.length ? chunk : cut(chunk, this.#offset, end)
    if (end < chunk.length) this.#offset = end
    else this.#nextChunk()
    this.bytes -= piece.length
    return piece
  }

  #nextChunk(): void {
    this.#offset = 0
    this.#chunks[this.#head++] = ''
    // Array.prototype.shift moves every entry of a long array: drop the taken ones in one go.
    if (this.#head === this.#chunks.length || this.#head === 1024) {
      this.#chunks = this.#chunks.slice(this.#head)
      this.#head = 0
    }
  }
}

function cut(chunk: Uint8Array | string, start: number, end: number): Uint8Array | string {
  return typeof chunk === 'string' ? chunk.slice(start, end) : chunk.subarray(start, end)
}
