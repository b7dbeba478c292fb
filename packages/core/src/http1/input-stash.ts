const EMPTY = new Uint8Array(0)

/**
 * Input that has arrived while a request is being answered: the requests that were pipelined
 * behind it. Bounded by the connection, which stops reading when there is much of it.
 */
export class InputStash {
  #bytes: Uint8Array = EMPTY
  #from = 0
  #to = 0
  #taken: Uint8Array | null = null

  get length(): number {
    return this.#to - this.#from
  }

  /** Keeps input: borrowed bytes are copied, what was taken from here goes back as it is. */
  keep(bytes: Uint8Array, from: number, to: number): void {
    if (bytes === this.#taken) {
      this.#bytes = bytes
      this.#from = from
      this.#to = to
      return
    }
    const added = to - from
    if (this.#bytes.length - this.#to < added) this.#grow(added)
    this.#bytes.set(bytes.subarray(from, to), this.#to)
    this.#to += added
  }

  /** Hands everything to `consume`, which may keep what it cannot use yet. */
  drainInto(consume: (bytes: Uint8Array, from: number, to: number) => void): void {
    const bytes = this.#bytes
    const from = this.#from
    const to = this.#to
    this.#taken = bytes
    this.#bytes = EMPTY
    this.#from = 0
    this.#to = 0
    consume(bytes, from, to)
    this.#taken = null
  }

  /** To twice the size: a byte at a time must not copy all of it each time. */
  #grow(added: number): void {
    const { length } = this
    const grown = Buffer.allocUnsafeSlow(Math.max(2 * length, length + added))
    grown.set(this.#bytes.subarray(this.#from, this.#to))
    this.#bytes = grown
    this.#from = 0
    this.#to = length
  }
}
