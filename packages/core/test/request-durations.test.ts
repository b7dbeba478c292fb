import t from 'tap'
import type { RequestDurations, TimedRequest } from '../src/exchange.ts'
import { text } from '../src/response.ts'
import { Conversation, type ConversationOptions } from './support/conversation.ts'
import { CHUNKED, request } from './support/messages.ts'

const GET = request('GET / HTTP/1.1', 'Host: a')

/** Durations on a clock that moves by one with each reading. */
class Recorder implements RequestDurations {
  readonly ended: string[] = []
  batches = 0
  batchStartMs = 0
  #isOpen = false

  requestBegan(): void {
    if (!this.#isOpen) this.batchStartMs++
    this.#isOpen = true
  }

  requestAnswered({ method, route }: TimedRequest, status: number): void {
    this.ended.push(`${method} ${route} ${status} from ${this.batchStartMs} at once`)
  }

  requestEnded({ method, route }: TimedRequest, status: number, startMs: number): void {
    this.ended.push(`${method} ${route} ${status} from ${startMs} later`)
  }

  batchEnded(): void {
    this.#isOpen = false
    this.batches++
  }
}

function converse(options: ConversationOptions = {}): { durations: Recorder; talk: Conversation } {
  const durations = new Recorder()
  return { durations, talk: new Conversation({ durations, ...options }) }
}

t.test('a request is counted once, when its answer is whole', async (t) => {
  const { durations, talk } = converse({
    handler: (request) => {
      request.route = '/things/:id'
      return text('ok', { status: 201 })
    },
  })
  await talk.send(GET).settle()
  t.strictSame(durations.ended, ['GET /things/:id 201 from 1 at once'])
  await talk.send(GET).settle()
  t.strictSame(durations.ended.slice(1), ['GET /things/:id 201 from 2 at once'])
})

t.test('pipelined requests of one read share the reading at its start', async (t) => {
  const { durations, talk } = converse()
  await talk.send(GET + GET + GET).settle()
  t.strictSame(
    durations.ended,
    Array.from({ length: 3 }, () => 'GET null 200 from 1 at once'),
  )
  t.equal(durations.batches, 1)
})

t.test('an answer that comes later is counted when it comes', async (t) => {
  const { durations, talk } = converse({ handler: async () => text('ok') })
  talk.send(GET)
  t.strictSame(durations.ended, [])
  t.equal(durations.batches, 1)
  await talk.settle()
  t.strictSame(durations.ended, ['GET null 200 from 1 later'])
})

t.test('a client that leaves before its answer counts with status 0', async (t) => {
  const { durations, talk } = converse({ handler: () => new Promise(() => {}) })
  talk.send(GET)
  talk.leave()
  t.strictSame(durations.ended, ['GET null 0 from 1 later'])
})

t.test('a body that is refused while the handler is at work counts with that status', async (t) => {
  const { durations, talk } = converse({
    limits: { maxBodyBytes: 3 },
    handler: async (request) => text(await request.text()),
  })
  await talk.send(`${CHUNKED}4\r\nabcd\r\n0\r\n\r\n`).settle()
  t.strictSame(durations.ended, ['POST null 413 from 1 later'])
})

t.test('what is refused before a handler sees it is no request with a duration', async (t) => {
  const { durations, talk } = converse()
  await talk.send('GET / HTTP/9.9\r\n\r\n').settle()
  t.strictSame(durations.ended, [])
  t.equal(talk.rejected.length, 1)
})

t.test('a handler that throws counts as the 500 that was sent', async (t) => {
  const { durations, talk } = converse({
    handler: () => {
      throw new Error('no luck')
    },
  })
  await talk.send(GET).settle()
  t.strictSame(durations.ended, ['GET null 500 from 1 at once'])
})
