import { CORPUS } from './corpus.ts'
import type { Random } from './random.ts'

/** Bytes that mean something to a parser of HTTP, and are therefore likely to confuse one. */
const TELLING = Buffer.from('\r\n \t:;,=0aF"\\/*%?#@[]-+HT\0\x7f\x80\xff', 'latin1')

/** What a client might send: messages of the corpus, broken in some way, or anything at all. */
export function randomInput(random: Random): Buffer {
  if (random.isOne(12)) return randomBytes(random, random.below(300))
  let input: Buffer = Buffer.alloc(0)
  for (let left = 1 + random.below(4); left > 0; left--) {
    input = Buffer.concat([input, Buffer.from(random.pick(CORPUS).input, 'latin1')])
  }
  // Half of all inputs stay whole, so that the states behind a valid message are reached.
  if (random.isOne(2)) return input
  for (let left = random.below(4); left >= 0; left--) input = mutate(random, input)
  return input
}

/** The input in a few reads, or in many. */
export function randomParts(random: Random, input: Buffer): Buffer[] {
  const longest = random.pick([1, 7, 40, 400, 100_000])
  const parts: Buffer[] = []
  for (let at = 0; at < input.length; ) {
    const end = at + 1 + random.below(longest)
    parts.push(input.subarray(at, end))
    at = end
  }
  return parts
}

function mutate(random: Random, input: Buffer): Buffer {
  const at = random.below(input.length + 1)
  const end = Math.min(input.length, at + random.below(20))
  const before = input.subarray(0, at)
  const after = input.subarray(end)
  switch (random.below(6)) {
    case 0: {
      const flipped = Buffer.from(input)
      if (at < flipped.length) flipped[at] = (flipped[at] as number) ^ (1 << random.below(8))
      return flipped
    }
    case 1:
      return Buffer.concat([before, randomBytes(random, 1 + random.below(4)), input.subarray(at)])
    case 2:
      return Buffer.concat([before, after])
    case 3:
      return Buffer.concat([input.subarray(0, end), input.subarray(at)])
    case 4:
      return Buffer.concat([before, Buffer.from([random.pick([...TELLING])]), after])
    default: {
      const other = Buffer.from(random.pick(CORPUS).input, 'latin1')
      return Buffer.concat([before, other.subarray(random.below(other.length))])
    }
  }
}

function randomBytes(random: Random, length: number): Buffer {
  const isTelling = random.isOne(2)
  return Buffer.from(
    Array.from({ length }, () => (isTelling ? random.pick([...TELLING]) : random.below(256))),
  )
}
