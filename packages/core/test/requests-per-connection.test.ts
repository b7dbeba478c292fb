import t from 'tap'
import { stream, text } from '../src/response.ts'
import { Conversation, type ConversationOptions } from './support/conversation.ts'
import { CountingAdmission } from './support/counting-admission.ts'
import { NEXT, POST, request } from './support/messages.ts'

const MAX = 3

/** Of each answer, whether it says that the connection closes. */
function closing(conversation: Conversation): boolean[] {
  return conversation.responses().map(({ headers }) => headers.get('connection')?.[0] === 'close')
}

function limited(options: ConversationOptions = {}): Conversation {
  return new Conversation({ ...options, limits: { maxRequestsPerConnection: MAX } })
}

t.test('maxRequestsPerConnection: the answer to the last request closes', async (t) => {
  const handlers: ConversationOptions['handler'][] = [
    () => text('ok'),
    async () => text('ok'),
    () => stream(new Blob(['ok']).stream()),
    () => {
      throw new Error('boom')
    },
  ]
  for (const handler of handlers) {
    const conversation = limited(handler === undefined ? {} : { handler })
    for (let count = 1; count < MAX; count++) await conversation.send(NEXT).settle()
    t.same(closing(conversation), [false, false], 'limit-1')
    t.ok(conversation.isOpen)
    await conversation.send(NEXT).settle()
    t.same(closing(conversation), [false, false, true], 'the limit')
    t.ok(conversation.transport.isEnded)
    await conversation.send(NEXT).settle()
    t.equal(conversation.started, MAX, 'limit+1 is not processed')
    t.equal(conversation.responses().length, MAX)
  }
})

t.test('maxRequestsPerConnection: pipelined', async (t) => {
  for (const handler of [() => text('ok'), async () => text('ok')]) {
    for (const count of [MAX - 1, MAX, MAX + 1, MAX + 100]) {
      const conversation = await limited({ handler }).send(NEXT.repeat(count)).settle()
      t.equal(conversation.started, Math.min(count, MAX), `${count} requests`)
      t.same(closing(conversation), [false, false, true].slice(0, count))
      t.equal(conversation.transport.isEnded, count >= MAX)
    }
  }
})

t.test('maxRequestsPerConnection: refused ones count, and bodies are no matter', async (t) => {
  const admission = new CountingAdmission(0)
  const conversation = limited({ admission })
  await conversation.send(NEXT).send(`${POST}Content-Length: 3\r\n\r\nabc`).settle()
  t.same(closing(conversation), [false, false])
  await conversation.send(`${POST}Content-Length: 3\r\n\r\nabc`).settle()
  t.same(conversation.statuses(), [503, 503, 503])
  t.same(closing(conversation), [false, false, true])
})

t.test('maxRequestsPerConnection: 1 closes after the first, 0 never', async (t) => {
  const one = new Conversation({ limits: { maxRequestsPerConnection: 1 } })
  await one.send(NEXT + NEXT).settle()
  t.same(closing(one), [true])
  const any = await new Conversation().send(NEXT.repeat(500)).settle()
  t.equal(any.started, 500)
  t.ok(any.isOpen)
})

t.test('maxRequestsPerConnection: HTTP/1.0 with keep-alive', async (t) => {
  const conversation = limited()
  const old = request('GET / HTTP/1.0', 'Connection: keep-alive')
  for (let count = 0; count < MAX + 1; count++) await conversation.send(old).settle()
  const fields = conversation.responses().map(({ headers }) => headers.get('connection')?.[0])
  t.same(fields, ['keep-alive', 'keep-alive', 'close'])
})
