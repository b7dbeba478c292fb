/**
 * HalfSipHash-2-4 with 64 bits of result (Aumasson and Bernstein, SipHash, 2012; its 32-bit variant):
 * without the key nobody can choose strings that fall together, so that clients cannot aim at a
 * place in a table. Of the family, the one for 32-bit arithmetic, which is what JavaScript has.
 */
export class KeyedHash {
  readonly #key0: number
  readonly #key1: number
  /** The two halves of the last result, as unsigned 32-bit numbers. */
  low = 0
  high = 0
  #v0 = 0
  #v1 = 0
  #v2 = 0
  #v3 = 0

  constructor(key0: number, key1: number) {
    this.#key0 = key0
    this.#key1 = key1
  }

  /** Hashes the UTF-16 code units of `text`, each as two bytes, the lower first. */
  update(text: string): void {
    const { length } = text
    this.#v0 = this.#key0
    this.#v1 = this.#key1 ^ 0xee
    this.#v2 = 0x6c796765 ^ this.#key0
    this.#v3 = 0x74656462 ^ this.#key1
    const even = length & ~1
    for (let index = 0; index < even; index += 2) {
      this.#absorb(text.charCodeAt(index) | (text.charCodeAt(index + 1) << 16))
    }
    const last = even === length ? 0 : text.charCodeAt(even)
    this.#absorb(((length * 2) << 24) | last)
    this.#v2 ^= 0xee
    this.low = this.#squeeze()
    this.#v1 ^= 0xdd
    this.high = this.#squeeze()
  }

  #absorb(word: number): void {
    this.#v3 ^= word
    this.#round()
    this.#round()
    this.#v0 ^= word
  }

  #squeeze(): number {
    for (let round = 0; round < 4; round++) this.#round()
    return (this.#v1 ^ this.#v3) >>> 0
  }

  #round(): void {
    let v0 = (this.#v0 + this.#v1) | 0
    let v1 = rotate(this.#v1, 5) ^ v0
    v0 = rotate(v0, 16)
    let v2 = (this.#v2 + this.#v3) | 0
    let v3 = rotate(this.#v3, 8) ^ v2
    v0 = (v0 + v3) | 0
    v3 = rotate(v3, 7) ^ v0
    v2 = (v2 + v1) | 0
    v1 = rotate(v1, 13) ^ v2
    v2 = rotate(v2, 16)
    this.#v0 = v0
    this.#v1 = v1
    this.#v2 = v2
    this.#v3 = v3
  }
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits))
}
