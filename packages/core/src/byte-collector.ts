const EMPTY = new Uint8Array(0)
/** Least room to grow to: more than one small chunk and its own bookkeeping. */
const LEAST_ROOM = 1024

/**
 * Joins chunks into one array, which its receiver has for itself. A client that sends a byte at a
 * time must not make the server keep an object for each.
 */
export class ByteCollector {
  #bytes: Uint8Array = EMPTY
  #length = 0

  /** Takes a chunk, which must not be used by anyone else from now on. */
  add(chunk: Uint8Array): void {
    if (this.#length === 0) {
      // One chunk is the common case, and needs no copy.
      this.#bytes = chunk
      this.#length = chunk.length
      return
    }
    const length = this.#length + chunk.length
    if (length > this.#bytes.length) this.#grow(length)
    this.#bytes.set(chunk, this.#length)
    this.#length = length
  }

  /** Everything, in an ArrayBuffer that holds nothing else. */
  take(): Uint8Array {
    // A chunk may be a view of more than itself: of what it was inflated from, or a part of a form.
    if (this.#length === this.#bytes.buffer.byteLength) return this.#bytes
    // Not from Node's pool, which others have a view of.
    const exact = Buffer.allocUnsafeSlow(this.#length)
    exact.set(this.#bytes.subarray(0, this.#length))
    return exact
  }

  #grow(length: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(LEAST_ROOM, 2 * length))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
  }
}
