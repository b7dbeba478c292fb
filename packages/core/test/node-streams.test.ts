import { createReadStream } from 'node:fs'
import { PassThrough, Readable } from 'node:stream'
import type { UnderlyingByteSource } from 'node:stream/web'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import type { Handler } from '../src/handler.ts'
import { ndjson } from '../src/ndjson.ts'
import { type StreamBody, stream } from '../src/response.ts'
import { Conversation, converse } from './support/conversation.ts'
import { NEXT } from './support/messages.ts'
import { deferred, turns } from './support/turns.ts'

const MISSING = '/no/such/file'

/** A stream that gives nothing by itself, and tells how it was destroyed. */
class Idle extends Readable {
  destroyedWith: Error | null | undefined = undefined

  override _read(): void {}

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.destroyedWith = error
    done(error)
  }
}

function answer(body: StreamBody): { handler: Handler } {
  return { handler: () => stream(body) }
}

t.test('a file is sent as it is read', async (t) => {
  const file = fileURLToPath(import.meta.url)
  const body = createReadStream(file, { highWaterMark: 1000 })
  const conversation = await converse(NEXT, answer(body))
  while (!body.closed) await conversation.settle()
  await conversation.settle()
  const [response] = conversation.responses()
  t.match(response, { status: 200, complete: true })
  t.match(response?.body, /^import .*a file is sent as it is read/s)
})

t.test('strings of a stream with an encoding are sent as UTF-8', async (t) => {
  const body = new PassThrough({ encoding: 'utf8' })
  body.end('é€')
  const conversation = await converse(NEXT, answer(body))
  t.equal(Buffer.from(conversation.responses()[0]?.body ?? '', 'latin1').toString(), 'é€')
})

t.test('a client that leaves destroys a stream that is waiting', async (t) => {
  const body = new Idle()
  const conversation = await converse(NEXT, answer(body))
  body.push('a')
  await conversation.settle()
  t.match(conversation.responses(), [{ body: 'a', complete: false }])
  conversation.leave()
  await turns()
  t.ok(body.destroyed)
  await conversation.settle()
  t.same(conversation.errors, [])
})

t.test('an error cuts the connection, and is told of', async (t) => {
  const body = new Idle()
  const error = new Error('the disk is gone')
  const conversation = await converse(NEXT, answer(body))
  body.push('a')
  await conversation.settle()
  body.destroy(error)
  await conversation.settle()
  t.match(conversation.responses(), [{ body: 'a', complete: false }])
  t.equal(conversation.transport.error, error)
  t.same(conversation.errors, [error])
})

t.test('a stream that is closed before its end cuts the connection', async (t) => {
  for (const isBefore of [true, false]) {
    const body = new Idle()
    body.push('a')
    if (isBefore) body.destroy()
    const conversation = await converse(NEXT, answer(body))
    if (!isBefore) body.destroy()
    await conversation.settle()
    t.match(conversation.responses(), [{ complete: false }])
    t.ok(conversation.transport.isDestroyed)
    t.match(conversation.errors, [{ code: 'ERR_STREAM_PREMATURE_CLOSE' }])
  }
})

t.test('objects are refused, strings and bytes in object mode are not', async (t) => {
  const objects = Readable.from(['a', { b: 1 }])
  const refused = await converse(NEXT, answer(objects))
  t.match(refused.responses(), [{ body: 'a', complete: false }])
  t.match(refused.errors, [{ message: /not object; ndjson\(\) sends/ }])
  t.ok(objects.destroyed)

  const taken = await converse(NEXT, answer(Readable.from(['a', Buffer.from('b')])))
  t.match(taken.responses(), [{ body: 'ab', complete: true }])
})

t.test('a slow client makes the stream wait', async (t) => {
  let produced = 0
  const body = new Readable({
    read() {
      produced++
      this.push(Buffer.alloc(16_384))
    },
  })
  const conversation = new Conversation(answer(body))
  conversation.transport.isClientReading = false
  await conversation.send(NEXT).settle()
  const first = produced
  await turns(20)
  t.equal(produced, first)
  t.ok(first < 20, `${first} chunks were produced`)
  await conversation.take().settle()
  t.ok(produced > first)
  conversation.leave()
})

t.test('a file that is not there does not end the process', async (t) => {
  const closed = async (body: Readable): Promise<void> => {
    while (!body.closed) await turns()
    await turns(2)
  }
  const uncaught: unknown[] = []
  const tell = (error: unknown): void => void uncaught.push(error)
  process.on('uncaughtException', tell)
  t.teardown(() => process.off('uncaughtException', tell))

  const forHead = createReadStream(MISSING)
  await converse(`HEAD${NEXT.slice(3)}`, answer(forHead))
  await closed(forHead)

  const lines = createReadStream(MISSING)
  await converse(`HEAD${NEXT.slice(3)}`, { handler: () => ndjson(lines) })
  await closed(lines)

  const early = createReadStream(MISSING)
  const gate = deferred<void>()
  const waiting = await converse(NEXT, {
    handler: async () => {
      const response = stream(early)
      await gate.promise
      return response
    },
  })
  await closed(early)
  gate.resolve()
  await waiting.settle()
  t.match(waiting.errors, [{ code: 'ENOENT' }], 'and who reads it is told')
  t.ok(waiting.transport.isDestroyed)
  t.same(uncaught, [])
})

t.test('web byte streams', async (t) => {
  let pulls = 0
  let cancelled: unknown = null
  const source: UnderlyingByteSource = {
    type: 'bytes',
    autoAllocateChunkSize: 4096,
    pull(controller) {
      pulls++
      const view = controller.byobRequest?.view as Uint8Array
      view.fill(97)
      controller.byobRequest?.respond(view.length)
      if (pulls === 3) controller.close()
    },
    cancel(reason) {
      cancelled = reason
    },
  }
  const whole = await converse(NEXT, answer(new ReadableStream(source)))
  t.match(whole.responses(), [{ complete: true }])
  t.equal(whole.responses()[0]?.body, 'a'.repeat(3 * 4096))

  pulls = 3
  const slow = new Conversation(answer(new ReadableStream(source)))
  slow.transport.isClientReading = false
  await slow.send(NEXT).settle()
  const first = pulls
  await turns(20)
  t.equal(pulls, first, 'wait for the client')
  slow.leave()
  await turns()
  t.match(cancelled, { code: 'RR_REQUEST_ABORTED' }, 'and are cancelled when it leaves')
})
