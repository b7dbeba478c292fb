import fc from 'fast-check'
import t from 'tap'
import { CORPUS, type CorpusMessage } from './support/corpus.ts'
import { BEHAVIOURS, type Behaviour, observe } from './support/observation.ts'

/** The bytes of a message, cut before each of the given positions. */
function cut(input: string, positions: readonly number[]): Buffer[] {
  const bytes = Buffer.from(input, 'latin1')
  const edges = [0, ...positions, bytes.length]
  return edges.slice(1).map((edge, index) => bytes.subarray(edges[index], edge))
}

async function wrongSplits(message: CorpusMessage, behaviour: Behaviour): Promise<string[]> {
  const { input } = message
  const isSlow = behaviour === 'reads the body late'
  const expected = await observe(cut(input, []), behaviour, isSlow)
  const wrong: string[] = []
  const check = async (name: string, parts: Buffer[]): Promise<void> => {
    const observed = await observe(parts, behaviour, isSlow)
    if (observed !== expected) wrong.push(`${name}: ${observed}, not ${expected}`)
  }
  for (let at = 1; at < input.length; at++) await check(`cut at ${at}`, cut(input, [at]))
  const everywhere = Array.from({ length: input.length - 1 }, (_, index) => index + 1)
  await check('byte by byte', cut(input, everywhere))
  return wrong
}

for (const behaviour of BEHAVIOURS) {
  t.test(
    `RFC 9112 §2.2: a message is a sequence of octets; the handler ${behaviour}`,
    async (t) => {
      for (const message of CORPUS) {
        t.same(
          await wrongSplits(message, behaviour),
          [],
          `${message.title}: same wherever it is cut`,
        )
      }
    },
  )
}

t.test('RFC 9112 §9.3.2: several messages in any number of reads', async (t) => {
  const sequences = fc.record({
    messages: fc.array(fc.constantFrom(...CORPUS), { minLength: 1, maxLength: 4 }),
    cuts: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 }),
    behaviour: fc.constantFrom(...BEHAVIOURS),
    isSlow: fc.boolean(),
  })
  const property = fc.asyncProperty(sequences, async ({ messages, cuts, behaviour, isSlow }) => {
    const input = messages.map((message) => message.input).join('')
    const positions = [...new Set(cuts.map((cut) => Math.floor(cut * input.length)))]
    positions.sort((a, b) => a - b)
    const expected = await observe(cut(input, []), behaviour, isSlow)
    const observed = await observe(cut(input, positions).filter(isNotEmpty), behaviour, isSlow)
    return observed === expected
  })
  await fc.assert(property, { seed: 20_261, numRuns: 1500 })
  t.pass('1500 sequences')
})

function isNotEmpty(part: Uint8Array): boolean {
  return part.length > 0
}
