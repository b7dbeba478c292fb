interface Slot<Value> {
  readonly label: string
  readonly value: Value
  readonly next: Slot<Value> | null
}

/**
 * A hash table from segments to values that is searched with a part of a string in place. A Map
 * would need that part as a string of its own for each node that a request visits (measured: 60 ns
 * a lookup, against 20).
 */
export class SegmentTable<Value> {
  readonly #slots: (Slot<Value> | null)[]
  readonly #mask: number
  /** Longer segments are not looked at, so that a hostile one costs no more than a label. */
  readonly #longest: number

  constructor(values: ReadonlyMap<string, Value>) {
    // Twice as many slots as labels keeps chains short; a power of two makes the modulus a mask. A
    // lone label gets a lone slot, and then nothing is hashed.
    const size = values.size < 2 ? 1 : 2 ** Math.ceil(Math.log2(values.size * 2))
    this.#mask = size - 1
    this.#slots = new Array<Slot<Value> | null>(size).fill(null)
    let longest = 0
    for (const [label, value] of values) {
      const index = hashSegment(label, 0, label.length) & this.#mask
      this.#slots[index] = { label, value, next: this.#slots[index] ?? null }
      longest = Math.max(longest, label.length)
    }
    this.#longest = longest
  }

  /** The value for the segment of `path` from `start` up to `end`. */
  find(path: string, start: number, end: number): Value | null {
    const length = end - start
    if (length > this.#longest) return null
    const index = this.#mask === 0 ? 0 : hashSegment(path, start, end) & this.#mask
    let slot = this.#slots[index] ?? null
    while (slot !== null) {
      if (slot.label.length === length && path.startsWith(slot.label, start)) return slot.value
      slot = slot.next
    }
    return null
  }
}

function hashSegment(path: string, start: number, end: number): number {
  let hash = 0
  for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + path.charCodeAt(i)) | 0
  return hash
}
