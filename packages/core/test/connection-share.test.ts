import t from 'tap'
import type { ConnectionShare } from '../src/exchange.ts'
import { text } from '../src/response.ts'
import { Conversation } from './support/conversation.ts'

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

class Share implements ConnectionShare {
  surplus: number

  constructor(surplus: number) {
    this.surplus = surplus
  }

  shed(): void {
    this.surplus--
  }
}

function connectionFields(conversation: Conversation): (string | undefined)[] {
  return conversation.responses().map(({ headers }) => headers.get('connection')?.[0])
}

t.test('a thread with a surplus closes a connection with its next answer', async (t) => {
  const share = new Share(1)
  const conversation = new Conversation({ share })
  await conversation.send(GET).settle()
  t.same(connectionFields(conversation), ['close'])
  t.notOk(conversation.isOpen)
  t.equal(share.surplus, 0)
  const other = new Conversation({ share })
  await other.send(GET).settle()
  t.same(connectionFields(other), [undefined])
  t.ok(other.isOpen)
  t.equal(share.surplus, 0)
})

t.test('requests sent one behind the other are all answered first', async (t) => {
  for (const handler of [() => text('ok'), async () => text('ok')]) {
    const share = new Share(1)
    const conversation = new Conversation({ share, handler })
    await conversation.send(GET + GET + GET).settle()
    t.same(connectionFields(conversation), [undefined, undefined, 'close'])
    t.equal(share.surplus, 0)
  }
})

t.test('a connection that closes anyway is not counted', async (t) => {
  const share = new Share(1)
  await new Conversation({ share }).send('GET / HTTP/1.0\r\n\r\n').settle()
  const asked = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
  await new Conversation({ share }).send(asked).settle()
  t.equal(share.surplus, 1)
})
