/** The events of a response, one by one, as they were sent. */
export class EventReader {
  readonly #reader: ReadableStreamDefaultReader<string>
  #text = ''

  constructor({ body }: Response) {
    this.#reader = (body as ReadableStream).pipeThrough(new TextDecoderStream()).getReader()
  }

  /** The next event; comments are passed over, as EventSource does. */
  async next(): Promise<string> {
    for (;;) {
      const block = await this.#block()
      if (!block.startsWith(':')) return block
    }
  }

  /** The next comment; events are passed over. */
  async comment(): Promise<string> {
    for (;;) {
      const block = await this.#block()
      if (block.startsWith(':')) return block
    }
  }

  async #block(): Promise<string> {
    let end = this.#text.indexOf('\n\n')
    for (; end < 0; end = this.#text.indexOf('\n\n')) {
      const { done, value } = await this.#reader.read()
      if (done) throw new Error(`ended within ${JSON.stringify(this.#text)}`)
      this.#text += value
    }
    const block = this.#text.slice(0, end)
    this.#text = this.#text.slice(end + 2)
    return block
  }

  async close(): Promise<void> {
    await this.#reader.cancel()
  }
}
