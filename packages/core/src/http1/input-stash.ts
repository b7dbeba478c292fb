const EMPTY = new Uint8Array(0)

/**
 * Input that has arrived while a request is being answered: the requests that were pipelined
 * behind it. Bounded by the connection, which stops reading when there is much of it.
 */
export class InputStash {
  #bytes: Uint8Array = EMPTY
  #from = 0
  #taken: Uint8Array | null = null

  get length(): number {
    return this.#bytes.length - this.#from
  }

  /** Keeps input: borrowed bytes are copied, what was taken from here goes back as it is. */
  keep(bytes: Uint8Array, from: number, to: number): void {
    if (bytes === this.#taken) {
      this.#bytes = bytes
      this.#from = from
      return
    }
    const rest = this.#bytes.subarray(this.#from)
    const joined = Buffer.allocUnsafeSlow(rest.length + to - from)
    joined.set(rest)
    joined.set(bytes.subarray(from, to), rest.length)
    this.#bytes = joined
    this.#from = 0
  }

  /** Hands everything to `consume`, which may keep what it cannot use yet. */
  drainInto(consume: (bytes: Uint8Array, from: number, to: number) => void): void {
    const bytes = this.#bytes
    const from = this.#from
    this.#taken = bytes
    this.#bytes = EMPTY
    this.#from = 0
    consume(bytes, from, bytes.length)
    this.#taken = null
  }
}
