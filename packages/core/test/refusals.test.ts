import t from 'tap'
import type { RefusalEntry } from '../src/refusal-entry.ts'
import { stream, text } from '../src/response.ts'
import { Conversation, type ConversationOptions } from './support/conversation.ts'
import { CountingAdmission } from './support/counting-admission.ts'
import { CHUNKED, GET, NEXT, POST } from './support/messages.ts'

async function refusalsOf(
  input: string,
  options: ConversationOptions = {},
  after: (conversation: Conversation) => unknown = () => {},
): Promise<RefusalEntry[]> {
  const refusals: RefusalEntry[] = []
  const onRefusal = (refusal: RefusalEntry): void => void refusals.push(refusal)
  const conversation = await new Conversation({ ...options, onRefusal }).send(input).settle()
  await after(conversation)
  await conversation.settle()
  t.equal(conversation.rejected.length, refusals.length, 'as many as are counted')
  t.same(
    refusals.map(({ status, cause }) => [status, cause]),
    conversation.rejected.map((status, index) => [status, conversation.causes[index]]),
  )
  return refusals
}

const NO_REQUEST = { cause: 'protocol', method: null, target: null, isDispatched: false }
const reads: ConversationOptions = { handler: async (request) => text(await request.text()) }

t.test('each refusal is told once, with its cause, status, code and peer', async (t) => {
  const [malformed, ...more] = await refusalsOf('GET /\r\n\r\n')
  t.match(malformed, { ...NO_REQUEST, status: 400, code: 'RR_REQUEST_MALFORMED' })
  t.match(malformed?.peer, { address: String, port: Number, family: String })
  t.same(more, [])
  t.match(await refusalsOf(`GET /${'a'.repeat(9000)} HTTP/1.1\r\n\r\n`), [
    { ...NO_REQUEST, status: 414 },
  ])
  t.match(await refusalsOf(`${GET}a: ${'b'.repeat(9000)}\r\n\r\n`), [
    { ...NO_REQUEST, status: 431 },
  ])
  const slowHead = (one: Conversation) => one.advance(60_000)
  t.match(await refusalsOf('GET / HT', {}, slowHead), [{ ...NO_REQUEST, status: 408 }])
})

t.test(
  'a body that is announced too large: the request is known, no handler was called',
  async (t) => {
    const refusals = await refusalsOf(
      'PUT /big?a=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n',
      {
        limits: { maxBodyBytes: 5 },
        handler: () => t.fail('called') as never,
      },
    )
    const known = { method: 'PUT', target: '/big?a=1', isDispatched: false }
    t.match(refusals, [{ cause: 'protocol', status: 413, code: 'RR_BODY_TOO_LARGE', ...known }])
  },
)

t.test('a fault that shows in the body: a handler was called', async (t) => {
  const limits = { maxBodyBytes: 5 }
  const dispatched = { ...NO_REQUEST, isDispatched: true }
  t.match(await refusalsOf(`${CHUNKED}6\r\nbbbbbb\r\n0\r\n\r\n`, { ...reads, limits }), [
    { ...dispatched, status: 413 },
  ])
  const slowBody = (one: Conversation) => one.advance(400_000)
  t.match(await refusalsOf(`${POST}Content-Length: 5\r\n\r\n`, reads, slowBody), [
    { ...dispatched, status: 408 },
  ])
  const echo: ConversationOptions = { handler: (request) => stream(request.stream), limits }
  t.match(await refusalsOf(`${CHUNKED}3\r\nbbb\r\n3\r\nbbb\r\n`, echo), [
    { ...dispatched, status: 413 },
  ])
})

t.test('a request refused for the load of the server', async (t) => {
  const admission = new CountingAdmission(0)
  admission.cause = 'loop-delay'
  const refusals = await refusalsOf(NEXT + NEXT, { admission })
  const one = { cause: 'loop-delay', status: 503, code: 'RR_OVERLOADED', isDispatched: false }
  t.match(refusals, [
    { ...one, method: 'GET', target: '/next' },
    { ...one, method: 'GET', target: '/next' },
  ])
})

t.test("an application's own 503 and 413 are no refusals", async (t) => {
  for (const status of [503, 413, 408]) {
    t.same(await refusalsOf(NEXT, { handler: () => text('', { status }) }), [])
  }
})

t.test('refusals have no access entry unless a handler was called', async (t) => {
  const entries: number[] = []
  const onAccess = ({ status }: { status: number }): void => void entries.push(status)
  await refusalsOf('GET /\r\n\r\n', { onAccess })
  await refusalsOf(NEXT, { onAccess, admission: new CountingAdmission(0) })
  t.same(entries, [])
  await refusalsOf(`${CHUNKED}x`, { ...reads, onAccess })
  t.same(entries, [400])
})
