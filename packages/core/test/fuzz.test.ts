import { inspect } from 'node:util'
import t from 'tap'
import { llhttp } from '../src/http1/llhttp.ts'
import { Conversation } from './support/conversation.ts'
import { CORPUS_LIMITS } from './support/corpus.ts'
import { EXPECTED, STOPPING } from './support/drain-notices.ts'
import { randomInput, randomParts } from './support/mutations.ts'
import { Random } from './support/random.ts'
import { RandomHandler } from './support/random-handler.ts'
import { turns } from './support/turns.ts'

/** RR_FUZZ_MS=600000 RR_FUZZ_SEED=$RANDOM runs it for longer, and elsewhere. */
const DURATION_MS = Number(process.env['RR_FUZZ_MS'] ?? 5000)
const SEED = Number(process.env['RR_FUZZ_SEED'] ?? 9112)

/** Parsers handed out and not given back. */
let parsers = 0
const { acquire, release } = llhttp
llhttp.acquire = () => {
  parsers++
  return acquire.call(llhttp)
}
llhttp.release = (parser) => {
  parsers--
  release.call(llhttp, parser)
}

let unhandled: unknown = null
process.on('unhandledRejection', (reason) => {
  unhandled = reason
})

/** One connection, from its first byte to its end. Throws when something is wrong. */
async function converseAtRandom(seed: number): Promise<void> {
  const random = new Random(seed)
  const handler = new RandomHandler(random)
  const conversation = new Conversation({
    handler: handler.handle,
    limits: random.isOne(2) ? CORPUS_LIMITS : {},
  })
  const { transport } = conversation
  transport.isClientReading = !random.isOne(3)
  transport.highWaterBytes = random.pick([1, 1000, 65_536])
  for (const part of randomParts(random, randomInput(random))) {
    conversation.send(part)
    if (random.isOne(3)) await happen(random, conversation)
  }
  const hasLeft = conversation.isClosed
  await finish(conversation, handler)
  check(conversation, handler, hasLeft)
}

/** Something else than input. */
async function happen(random: Random, conversation: Conversation): Promise<void> {
  const { connection, transport, clock } = conversation
  switch (random.below(40)) {
    case 0:
      conversation.finish()
      break
    case 1:
      conversation.leave(random.isOne(2) ? new Error('reset') : null)
      break
    case 2:
      conversation.advance(random.pick([1, 1000, 30_000, 400_000]))
      break
    case 3:
      if (!conversation.isClosed) {
        connection.onDrainNotice(EXPECTED, Number.POSITIVE_INFINITY)
        connection.onDrainNotice(STOPPING, clock.nowMs + random.below(1000))
      }
      break
    case 4:
      // A deadline that has not passed.
      if (!conversation.isClosed && !transport.isDestroyed) connection.onTimeout()
      break
    case 5:
    case 6:
      conversation.take(random.below(100_000))
      break
    default:
      await turns(random.below(3))
  }
}

/** The client takes all, then sends a FIN, then loses patience. */
async function finish(conversation: Conversation, handler: RandomHandler): Promise<void> {
  const { transport } = conversation
  transport.isClientReading = true
  await conversation.take().settle()
  await conversation.finish().settle()
  for (let round = 0; handler.live > handler.waiting && round < 50; round++) {
    await conversation.take().settle()
  }
  if (handler.live === 0 && conversation.isOpen) throw new Error('open, with nothing to do')
  await conversation.advance(86_400_000).settle()
  await conversation.leave().settle()
}

function check(conversation: Conversation, handler: RandomHandler, hasLeft: boolean): void {
  const { started, finished, rejected, transport } = conversation
  if (unhandled !== null) throw new Error('an unhandled rejection', { cause: unhandled })
  if (handler.live > 0) throw new Error(`${handler.live} handlers are left hanging`)
  if (started !== finished) throw new Error(`${started} requests started, ${finished} finished`)
  if (parsers !== 0) throw new Error(`${parsers} parsers were not given back`)
  const finals = parseLeniently(conversation).filter(({ status }) => status >= 200)
  if (finals.length > started + rejected.length) throw new Error('more answers than requests')
  const refusals = rejected.length
  if (refusals > 1) throw new Error(`refused ${refusals} times`)
  finals.forEach(({ headers, complete }, index) => {
    const isLast = index === finals.length - 1
    if (headers.get('connection')?.includes('close') === true && !isLast) {
      throw new Error('an answer after the last one')
    }
    if (!complete && !(isLast && (transport.isDestroyed || hasLeft)))
      throw new Error('an answer cut short')
  })
}

/** A method that no handler saw is either one with a body in its answer or HEAD. */
function parseLeniently(conversation: Conversation): ReturnType<Conversation['responses']> {
  try {
    const responses = conversation.responses('GET')
    if (responses.at(-1)?.complete !== false) return responses
  } catch {}
  return conversation.responses('HEAD')
}

t.setTimeout(DURATION_MS + 60_000)
t.test('anything at all from clients and handlers, in any order', async (t) => {
  const end = performance.now() + DURATION_MS
  let count = 0
  for (let seed = SEED; performance.now() < end; seed++, count++) {
    try {
      await converseAtRandom(seed)
    } catch (error) {
      t.fail(`RR_FUZZ_SEED=${seed}: ${error}`, { details: inspect(error) })
      return
    }
  }
  t.comment(`${count} connections`)
  t.ok(count > 0)
})
