import type { Transport } from '../transport.ts'
import { latin1Slice } from './buffer-methods.ts'

/** Bodies up to this size are joined with their head into one string: one copy, one write. */
const JOIN_BYTES = 16_384
/** Output that waits for the end of a batch is sent early past this size. */
const FLUSH_BYTES = 65_536

/**
 * Output of a connection. What one batch of input is answered with is collected as one latin1
 * string and leaves in one write; large bodies go by themselves, uncopied.
 */
export class Output {
  /** True while the transport holds more than it wants to; until `onDrain`. */
  isBlocked = false
  readonly #transport: Transport
  #text = ''

  constructor(transport: Transport) {
    this.#transport = transport
  }

  get isEmpty(): boolean {
    return this.#text === ''
  }

  /** Adds characters below U+0100, a byte each. */
  addText(text: string): void {
    this.#text += text
    if (this.#text.length > FLUSH_BYTES) this.flush()
  }

  /** Adds a head with a body that is all ASCII. */
  addAscii(head: string, body: string): void {
    if (body.length <= JOIN_BYTES) {
      this.addText(head + body)
      return
    }
    this.#text += head
    this.#sendWith(body)
  }

  /** Adds bytes, which from now on are the transport's. */
  addBytes(head: string, body: Uint8Array, tail: string): void {
    this.#text += head
    if (body.length > JOIN_BYTES) this.#sendWith(body)
    else if (body.length > 0) this.#text += latin1Slice.call(body, 0, body.length)
    this.addText(tail)
  }

  flush(): void {
    if (this.#text === '') return
    const text = this.#text
    this.#text = ''
    if (!this.#transport.write(text)) this.isBlocked = true
  }

  #sendWith(body: Uint8Array | string): void {
    this.#transport.cork()
    this.flush()
    if (!this.#transport.write(body)) this.isBlocked = true
    this.#transport.uncork()
  }
}
