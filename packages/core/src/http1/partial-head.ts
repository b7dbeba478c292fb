import type { Llhttp } from './llhttp.ts'

/** A request head of which a part has come: kept until the rest follows. */
export class PartialHead {
  text = ''
  #spans: Int32Array | null = null
  #urlStart = -1
  #urlEnd = -1
  #fieldCount = 0

  get length(): number {
    return this.text.length
  }

  /** Takes the parser's offsets, and the text that they are into. */
  save(source: Llhttp, text: string): void {
    this.text += text
    this.#urlStart = source.urlStart
    this.#urlEnd = source.urlEnd
    this.#fieldCount = source.fieldCount
    this.#spans = source.spans.slice(0, source.fieldCount * 4)
  }

  /** Puts the offsets back before the parse goes on. */
  restore(source: Llhttp): void {
    source.urlStart = this.#urlStart
    source.urlEnd = this.#urlEnd
    source.fieldCount = this.#fieldCount
    if (this.#spans !== null) source.spans.set(this.#spans)
  }
}
