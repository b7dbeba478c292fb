import { getRandomValues } from 'node:crypto'
import { KeyedHash } from '@rr/core'

/**
 * How many connections each client has open, over all threads, exactly and without a lock: the part
 * of the control block that admission by client goes by. CLIENT-SLOTS.md has the layout.
 *
 * A client has one word of 64 bits, in one of two sets of 16 words that its key hashes to: a tag of
 * 40 bits that tells whose it is, and in 24 bits the count. A word whose count falls to 0 is free.
 * Each change is one compare-and-swap.
 *
 * Two threads may count the first connections of one client at once, in different words, as words
 * become free between their looks. So whoever has counted looks at all words again, and when there
 * is another one of that tag, takes its count back and begins anew. All of them look after they have
 * counted, so of two words at most one keeps a count: the client never has two.
 *
 * Each connection counted has a record of whose thread it is and of its word, so that those of a
 * thread that dies can be given back. Between the count's change and its record's stands nothing
 * at which V8 looks for a request to end the thread (function entries, loop back-edges).
 */

const SET = 16
const COUNT_BITS = 24n
const COUNT_MASK = (1n << COUNT_BITS) - 1n

/**
 * Words for each connection of the limit. With as many clients as that, a set has more clients than
 * words at a chance of 1 in 10^6 (Poisson, mean 4), and both sets of one client at 1 in 10^12.
 */
const WORDS_PER_CONNECTION = 4
/** Records for each connection: with half of them free, one is found at the second look. */
const RECORDS_PER_CONNECTION = 2
/** A thread that tries to admit a connection holds a record beside those of its connections. */
const SPARE_RECORDS = 4096

const HEADER_BYTES = 128
const SEED_CELL = 0
const SETS_CELL = 2
const RECORDS_CELL = 3

const HIGH = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 1 : 0

/** What a table takes up for so many connections, in bytes. */
export function clientSlotBytes(maxConnections: number): number {
  return HEADER_BYTES + wordsFor(maxConnections) * 8 + recordsFor(maxConnections) * 8
}

function wordsFor(maxConnections: number): number {
  return Math.max(4, Math.ceil((maxConnections * WORDS_PER_CONNECTION) / SET)) * SET
}

function recordsFor(maxConnections: number): number {
  return maxConnections * RECORDS_PER_CONNECTION + SPARE_RECORDS
}

/** Prepares the memory of a table; once, before any thread opens it. */
export function initializeClientSlots(
  buffer: SharedArrayBuffer,
  offset: number,
  maxConnections: number,
): void {
  const header = new Int32Array(buffer, offset, HEADER_BYTES / 4)
  header.set(getRandomValues(new Int32Array(2)), SEED_CELL)
  header[SETS_CELL] = wordsFor(maxConnections) / SET
  header[RECORDS_CELL] = recordsFor(maxConnections)
}

/** The table, as one thread uses it. */
export class ClientSlots {
  readonly #words: BigUint64Array
  readonly #halves: Int32Array
  readonly #sets: number
  /** Of each record, 1 more than the seat that holds it, or 0. */
  readonly #owners: Int32Array
  /** Of each record, 1 more than the word that it counts in, or 0. */
  readonly #counted: Int32Array
  readonly #hash: KeyedHash
  readonly #owner: number
  readonly #limit: bigint
  // Where the client that was hashed last belongs.
  #first = 0
  #second = 0
  #tag = 0n
  #tagHigh = 0

  /**
   * @param seat whose connections it admits
   * @param limit most connections of a client
   */
  constructor(buffer: SharedArrayBuffer, offset: number, seat: number, limit: number) {
    const header = new Int32Array(buffer, offset, HEADER_BYTES / 4)
    const records = header[RECORDS_CELL]!
    this.#sets = header[SETS_CELL]!
    const words = this.#sets * SET
    const wordsAt = offset + HEADER_BYTES
    const recordsAt = wordsAt + words * 8
    this.#words = new BigUint64Array(buffer, wordsAt, words)
    this.#halves = new Int32Array(buffer, wordsAt, words * 2)
    this.#owners = new Int32Array(buffer, recordsAt, records)
    this.#counted = new Int32Array(buffer, recordsAt + records * 4, records)
    this.#hash = new KeyedHash(header[SEED_CELL]!, header[SEED_CELL + 1]!)
    this.#owner = seat + 1
    this.#limit = BigInt(limit)
  }

  /**
   * Counts a connection of a client, if that has fewer than the limit.
   *
   * @returns what `release` takes, from 1; 0 when the client has as many as it may
   */
  tryAcquire(key: string): number {
    this.#locate(key)
    const record = this.#takeRecord()
    while (this.#tryCount(record)) {
      if (!this.#isCountedTwice(record)) return record + 1
      this.#takeBack(record)
    }
    Atomics.store(this.#owners, record, 0)
    return 0
  }

  /** @param slot what `tryAcquire` returned */
  release(slot: number): void {
    this.#takeBack(slot - 1)
    Atomics.store(this.#owners, slot - 1, 0)
  }

  /** How many connections a client has open. */
  count(key: string): number {
    this.#locate(key)
    let count = 0n
    for (const base of [this.#first, this.#second]) {
      for (let index = base; index < base + SET; index++) {
        const word = Atomics.load(this.#words, index)
        if (word >> COUNT_BITS === this.#tag) count += word & COUNT_MASK
      }
      if (this.#first === this.#second) break
    }
    return Number(count)
  }

  /** Gives back what a thread that has ended held. Its seat must be empty. */
  reclaim(seat: number): void {
    const owners = this.#owners
    for (let record = 0; record < owners.length; record++) {
      if (Atomics.load(owners, record) !== seat + 1) continue
      if (Atomics.load(this.#counted, record) !== 0) this.#takeBack(record)
      Atomics.store(owners, record, 0)
    }
  }

  #locate(key: string): void {
    const hash = this.#hash
    hash.update(key)
    const { low, high } = hash
    this.#first = Math.floor((low / 2 ** 32) * this.#sets) * SET
    this.#second = Math.floor(((Math.imul(high, 0x9e3779b1) >>> 0) / 2 ** 32) * this.#sets) * SET
    // Of a free word, the upper half is 0.
    this.#tagHigh = high | 0 || 1
    this.#tag = (BigInt(this.#tagHigh >>> 0) << 8n) | BigInt(low & 0xff)
  }

  /** There are more records than connections, so one is found. */
  #takeRecord(): number {
    const owners = this.#owners
    const { length } = owners
    for (let record = Math.floor(Math.random() * length); ; record = (record + 1) % length) {
      if (Atomics.load(owners, record) !== 0) continue
      if (Atomics.compareExchange(owners, record, 0, this.#owner) === 0) return record
    }
  }

  /** Counts one more, unless the client is at its limit or there is no word for it. */
  #tryCount(record: number): boolean {
    const words = this.#words
    for (;;) {
      const index = this.#find()
      if (index < 0) return false
      const seen = Atomics.load(words, index)
      const isFree = seen === 0n
      // Another client may have taken the word by now.
      if (!isFree && seen >> COUNT_BITS !== this.#tag) continue
      if ((seen & COUNT_MASK) >= this.#limit) return false
      const next = isFree ? (this.#tag << COUNT_BITS) | 1n : seen + 1n
      if (Atomics.compareExchange(words, index, seen, next) === seen) {
        this.#counted[record] = index + 1
        return true
      }
    }
  }

  /** The word of the client, else a free one; -1 when both sets are full of other clients. */
  #find(): number {
    let free = -1
    for (let i = 0; i < 2 * SET; i++) {
      const index = i < SET ? this.#first + i : this.#second + i - SET
      const high = Atomics.load(this.#halves, index * 2 + HIGH)
      if (high === this.#tagHigh && this.#isTagged(index)) return index
      if (high === 0 && free < 0) free = index
    }
    return free
  }

  #isCountedTwice(record: number): boolean {
    const own = this.#counted[record]! - 1
    for (let i = 0; i < 2 * SET; i++) {
      const index = i < SET ? this.#first + i : this.#second + i - SET
      const high = Atomics.load(this.#halves, index * 2 + HIGH)
      if (index !== own && high === this.#tagHigh && this.#isTagged(index)) return true
    }
    return false
  }

  #isTagged(index: number): boolean {
    return Atomics.load(this.#words, index) >> COUNT_BITS === this.#tag
  }

  #takeBack(record: number): void {
    const words = this.#words
    const index = this.#counted[record]! - 1
    for (;;) {
      const seen = Atomics.load(words, index)
      const next = (seen & COUNT_MASK) === 1n ? 0n : seen - 1n
      if (Atomics.compareExchange(words, index, seen, next) === seen) {
        this.#counted[record] = 0
        return
      }
    }
  }
}
