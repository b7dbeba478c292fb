import { getRandomValues } from 'node:crypto'
import { KeyedHash } from '@rr/core'

/**
 * Token buckets in shared memory, exact over all threads that use it, without a lock.
 *
 * A bucket is one 64-bit word: a tag of 20 bits that tells whose it is, and in 44 bits the time at
 * which it will be full again, in ticks of a part of a token. A request moves that time ahead by its
 * cost, unless it would then lie further ahead than a whole bucket. This is the generic cell rate
 * algorithm (ITU-T I.371), which equals a token bucket and needs no second word. It is exact on a
 * clock of those ticks, of which a token has 4096 (fewer past some 13 tokens a second). Each change is one
 * compare-and-swap, so threads cannot both take the last token, and one that is ended at any point
 * leaves a whole bucket behind.
 *
 * A key hashes to a set of 8 buckets, a cache line. A key without a bucket there takes over the one
 * that has been full for longest; when none is full, the one that is soonest, AS IT IS: the newcomer
 * starts with what is left in it. So:
 * - the times in a set only grow, whatever happens. Who lost a bucket gets one that is no fuller than
 *   the lost one would be by now: no client gains by eviction, and the limit holds for every client
 *   over any time, however many others there are.
 * - two threads that make room for one key at once choose the same bucket, or one of them fails and
 *   looks again. (Both choose the least time. Had each swapped another one, each would have seen the
 *   other's choice unchanged or lower, so each choice would be the lesser of the two.) So no key
 *   ever has two buckets.
 */

const SET = 8
const TAG_BITS = 20
/** 2^44: one past the last tick. */
const TICK_RANGE = 2 ** 44
/** Times last this long from the first use of the table; past it all buckets stand still. */
const LIFE_S = 10 * 365 * 86_400
/** Ticks of a token: more would make nothing more exact, as the token's rate is exact already. */
const MAX_TICKS_PER_TOKEN = 4096

/** The header is a pair of cache lines: when the clock started, and the hash's key. */
const HEADER_WORDS = 16
const EPOCH_WORD = 0
const SEED_WORD = 1

/** Index of the lower half of a 64-bit word among its two 32-bit ones. */
const LOW = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 0 : 1
const HIGH = 1 - LOW
const TIME_HIGH_BITS = 32 - TAG_BITS
const TIME_HIGH_MASK = 2 ** TIME_HIGH_BITS - 1

export interface BucketOptions {
  /** Tokens that come back in `windowMs`. */
  readonly limit: number
  readonly windowMs: number
  /** Tokens of a full bucket. */
  readonly burst: number
  /** Nanoseconds on a clock that all threads of the process have in common. */
  readonly nowNs?: () => bigint
}

/**
 * Bytes of a table for so many clients: two buckets for each. With all of them there, one set in 47
 * has more clients than buckets (Poisson, mean 4); with half of them, one in 4200.
 */
export function bytesForClients(maxClients: number): number {
  return (HEADER_WORDS + Math.ceil((maxClients * 2) / SET) * SET) * 8
}

/** Ticks of a token, so many that times last for `LIFE_S`; 0 when the rate is too high for that. */
export function ticksPerToken({ limit, windowMs, burst }: BucketOptions): number {
  const tokens = (limit / windowMs) * 1000 * LIFE_S + burst
  return Math.min(MAX_TICKS_PER_TOKEN, Math.floor(TICK_RANGE / tokens))
}

/** What a bucket said to a request; overwritten by the next one. */
export class BucketAnswer {
  isAllowed = false
  /** Whole tokens left, after this request. */
  remaining = 0
  /** Milliseconds until the request would be allowed; 0 when it is. */
  waitMs = 0
  /** Milliseconds until one more whole token is there; 0 for a full bucket. */
  nextTokenMs = 0
}

export class TokenBuckets {
  readonly answer: BucketAnswer = new BucketAnswer()
  readonly #words: BigUint64Array
  readonly #sets: number
  readonly #hash: KeyedHash
  readonly #epochNs: bigint
  readonly #nowNs: () => bigint
  readonly #ticksPerToken: number
  readonly #ticksPerNs: number
  readonly #burstTicks: number
  /** Two words to take apart and put together through their halves: a BigInt costs far more. */
  readonly #pair: BigUint64Array = new BigUint64Array(2)
  readonly #halves: Uint32Array = new Uint32Array(this.#pair.buffer)

  /** @param memory all zero at first, of `bytesForClients` */
  constructor(memory: SharedArrayBuffer, options: BucketOptions) {
    this.#words = new BigUint64Array(memory)
    this.#sets = (this.#words.length - HEADER_WORDS) / SET
    this.#nowNs = options.nowNs ?? process.hrtime.bigint
    this.#ticksPerToken = ticksPerToken(options)
    this.#ticksPerNs = (options.limit * this.#ticksPerToken) / (options.windowMs * 1e6)
    this.#burstTicks = options.burst * this.#ticksPerToken
    this.#epochNs = this.#settle(EPOCH_WORD, this.#nowNs())
    const seed = new Uint32Array(new BigUint64Array([this.#settle(SEED_WORD, randomWord())]).buffer)
    this.#hash = new KeyedHash(seed[0]!, seed[1]!)
  }

  /**
   * Takes `cost` tokens from the bucket of `key`, or none when there are fewer.
   *
   * @param cost whole tokens, 0 to `burst`; 0 only looks
   * @returns what came of it, valid until the next call
   */
  take(key: string, cost: number): BucketAnswer {
    const hash = this.#hash
    hash.update(key)
    const base = HEADER_WORDS + Math.floor((hash.low / 2 ** 32) * this.#sets) * SET
    // Unused words have tag 0.
    const tag = hash.high >>> TIME_HIGH_BITS || 1
    const nowTicks = this.#nowTicks()
    const costTicks = cost * this.#ticksPerToken
    for (;;) {
      const index = this.#find(base, tag)
      const halves = this.#halves
      const seenTicks = (halves[HIGH]! & TIME_HIGH_MASK) * 2 ** 32 + halves[LOW]!
      const fullTicks = Math.max(seenTicks, nowTicks)
      const nextTicks = fullTicks + costTicks
      const isAllowed = nextTicks - nowTicks <= this.#burstTicks && nextTicks < TICK_RANGE
      if (!isAllowed || cost === 0) return this.#tell(isAllowed, fullTicks, nowTicks, costTicks)
      halves[2 + HIGH] = ((tag << TIME_HIGH_BITS) | Math.floor(nextTicks / 2 ** 32)) >>> 0
      halves[2 + LOW] = nextTicks >>> 0
      const [seen, next] = [this.#pair[0]!, this.#pair[1]!]
      if (Atomics.compareExchange(this.#words, index, seen, next) === seen) {
        return this.#tell(true, nextTicks, nowTicks, costTicks)
      }
      // Another thread has changed the word, and so has got on with its own request.
    }
  }

  /** The bucket of a tag, else the one to take over; its word is in `#pair[0]` then. */
  #find(base: number, tag: number): number {
    const words = this.#words
    const pair = this.#pair
    const halves = this.#halves
    let least = base
    let leastTicks = Number.POSITIVE_INFINITY
    for (let index = base; index < base + SET; index++) {
      pair[0] = Atomics.load(words, index)
      const high = halves[HIGH]!
      if (high >>> TIME_HIGH_BITS === tag) return index
      const ticks = (high & TIME_HIGH_MASK) * 2 ** 32 + halves[LOW]!
      if (ticks < leastTicks) {
        leastTicks = ticks
        least = index
        pair[1] = pair[0]
      }
    }
    pair[0] = pair[1]!
    return least
  }

  #tell(isAllowed: boolean, fullTicks: number, nowTicks: number, costTicks: number): BucketAnswer {
    const { answer } = this
    const perMs = this.#ticksPerNs * 1e6
    const perToken = this.#ticksPerToken
    const used = fullTicks - nowTicks
    const left = this.#burstTicks - used
    // Another thread may have read a later time, and used more than this one knows to be there.
    const remaining = Math.max(0, Math.floor(left / perToken))
    answer.isAllowed = isAllowed
    answer.remaining = remaining
    answer.waitMs = isAllowed ? 0 : (costTicks - left) / perMs
    answer.nextTokenMs = used <= 0 ? 0 : ((remaining + 1) * perToken - left) / perMs
    return answer
  }

  #nowTicks(): number {
    const elapsedNs = Number(this.#nowNs() - this.#epochNs)
    return Math.min(TICK_RANGE - 1, Math.max(0, Math.floor(elapsedNs * this.#ticksPerNs)))
  }

  /** A word that the first thread decides. */
  #settle(index: number, value: bigint): bigint {
    const earlier = Atomics.compareExchange(this.#words, index, 0n, value)
    return earlier === 0n ? value : earlier
  }
}

function randomWord(): bigint {
  return getRandomValues(new BigUint64Array(1))[0]! || 1n
}
