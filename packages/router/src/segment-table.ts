/** Extends the hash of a segment by one character code; starts at 0. */
export function extendSegmentHash(hash: number, code: number): number {
  return (Math.imul(hash, 31) + code) | 0
}

interface Slot<Value> {
  readonly label: string
  readonly hash: number
  readonly value: Value
  readonly next: Slot<Value> | null
}

/**
 * A hash table from segments to values that is searched with a part of a string in place: a Map
 * would need that part as a string of its own for every node that a request visits.
 */
export class SegmentTable<Value> {
  readonly #slots: (Slot<Value> | null)[]
  readonly #mask: number

  constructor(values: ReadonlyMap<string, Value>) {
    // Twice as many slots as labels keeps chains short; a power of two makes the modulus a mask.
    const size = 2 ** Math.ceil(Math.log2(Math.max(1, values.size) * 2))
    this.#mask = size - 1
    this.#slots = new Array<Slot<Value> | null>(size).fill(null)
    for (const [label, value] of values) {
      const hash = hashSegment(label)
      const index = hash & this.#mask
      this.#slots[index] = { label, hash, value, next: this.#slots[index] ?? null }
    }
  }

  /** The value for the segment of `path` from `start` up to `end`, whose hash is `hash`. */
  find(path: string, start: number, end: number, hash: number): Value | null {
    let slot = this.#slots[hash & this.#mask] ?? null
    while (slot !== null) {
      const { label } = slot
      if (slot.hash === hash && label.length === end - start && hasLabelAt(path, start, label)) {
        return slot.value
      }
      slot = slot.next
    }
    return null
  }
}

function hasLabelAt(path: string, start: number, label: string): boolean {
  for (let i = 0; i < label.length; i++) {
    if (path.charCodeAt(start + i) !== label.charCodeAt(i)) return false
  }
  return true
}

function hashSegment(label: string): number {
  let hash = 0
  for (let i = 0; i < label.length; i++) hash = extendSegmentHash(hash, label.charCodeAt(i))
  return hash
}
