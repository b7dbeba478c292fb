import t from 'tap'
import type { Handler } from '../src/handler.ts'
import type { HttpRequest } from '../src/request.ts'
import { json, text } from '../src/response.ts'
import { Conversation, converse } from './support/conversation.ts'
import { CHUNKED, GET, NEXT, POST } from './support/messages.ts'
import { readBody } from './support/read-body.ts'
import { deferred, turns } from './support/turns.ts'

/** What `read` comes to for a request with the given body, which comes in two pieces. */
function outcome(
  body: string | Uint8Array,
  read: (request: HttpRequest) => unknown,
): Promise<unknown> {
  return readBody({ body, pieceBytes: Math.max(1, body.length - 1) }, read)
}

t.test('bytes()', async (t) => {
  const bytes = (await outcome('hello', (request) => request.bytes())) as Uint8Array
  t.equal(Buffer.from(bytes).toString(), 'hello')

  for (const size of [1, 2, 100, 5000, 70_000, 1_000_000]) {
    const body = Buffer.alloc(size, 'abc')
    const result = (await outcome(body, (request) => request.bytes())) as Uint8Array
    t.ok(Buffer.compare(Buffer.from(result), body) === 0, `${size} bytes`)
    t.equal(result.buffer.byteLength, size, 'in a buffer that holds nothing else')
  }

  const empty = (await outcome('', (request) => request.bytes())) as Uint8Array
  t.equal(empty.length, 0, 'are none without a body')
  t.same(
    await outcome('', async (r) => [await r.bytes(), await r.text()].length),
    2,
    'again and again',
  )
})

t.test('text()', async (t) => {
  const read = (request: HttpRequest): Promise<string> => request.text()
  t.equal(await outcome('héllo €', read), 'héllo €')
  t.equal(await outcome('\ufeffhello', read), 'hello', 'without its byte-order mark')
  t.equal(
    await outcome(Buffer.from([0x61, 0xff, 0x62]), read),
    'a\ufffdb',
    'with what is not UTF-8 replaced',
  )
  t.equal(await outcome('', read), '')
})

t.test('json()', async (t) => {
  const read = (request: HttpRequest): Promise<unknown> => request.json()
  t.same(await outcome('{"a":[1,null,"é"]}', read), { a: [1, null, 'é'] })
  for (const body of ['', '{', 'undefined', "{'a':1}", Buffer.from([0x22, 0xff, 0x22])]) {
    t.equal(await outcome(body, read), 'RR_BODY_MALFORMED', `${body} is none`)
  }
  const parsed = await outcome('{"__proto__":{"polluted":true},"constructor":1}', read)
  t.equal(({} as { polluted?: boolean }).polluted, undefined)
  t.equal((parsed as { polluted?: boolean }).polluted, undefined)

  const conversation = await converse(`${POST}Content-Length: 1\r\n\r\n{`, {
    handler: async (request) => json(await request.json()),
  })
  t.match(conversation.responses(), [{ status: 400, body: 'the request body is not JSON' }])
  t.same(conversation.errors, [], 'which is the fault of the client')
})

t.test('stream', async (t) => {
  t.equal(
    await outcome('hello', async (request) => await new Response(request.stream).text()),
    'hello',
  )
  t.equal(await outcome('', async (request) => await new Response(request.stream).text()), '')
  t.equal(
    await outcome('hello', async (request) => {
      let all = ''
      for await (const chunk of request.stream) all += Buffer.from(chunk)
      return all
    }),
    'hello',
  )

  await t.test('that is cancelled discards the rest, and the connection goes on', async (t) => {
    for (const rest of [100, 200_000]) {
      const conversation = new Conversation({
        handler: async (request) => {
          if (!request.hasBody) return text('next')
          const reader = request.stream.getReader()
          await reader.read()
          await reader.cancel()
          return text('enough')
        },
      })
      await conversation.send(`${POST}Content-Length: ${rest + 5}\r\n\r\nhello`).settle()
      await conversation.send('b'.repeat(rest)).send(NEXT).settle()
      t.same(
        conversation.responses().map(({ body }) => body),
        ['enough', 'next'],
      )
    }
  })

  await t.test('that is cancelled takes no more memory while the handler works on', async (t) => {
    const worked = deferred<void>()
    const conversation = new Conversation({
      handler: async (request) => {
        await request.stream.cancel()
        await worked.promise
        return text('')
      },
    })
    await conversation.send(`${POST}Content-Length: 200000\r\n\r\n`).settle()
    for (let sent = 0; sent < 200_000; sent += 10_000) conversation.send('b'.repeat(10_000))
    t.notOk(conversation.transport.isPaused)
    worked.resolve()
    await conversation.settle()
    t.same(conversation.statuses(), [200])
  })

  await t.test('that is cancelled while the transport is paused goes on', async (t) => {
    const asked = deferred<void>()
    const conversation = new Conversation({
      handler: async (request) => {
        if (!request.hasBody) return text('next')
        const { stream } = request
        await asked.promise
        await stream.cancel()
        await turns(3)
        return text('enough')
      },
    })
    await conversation.send(`${POST}Content-Length: 140000\r\n\r\n`).settle()
    conversation.send('b'.repeat(70_000)).send('b'.repeat(70_000)).send(NEXT)
    t.ok(conversation.transport.isPaused)
    asked.resolve()
    await conversation.settle()
    await conversation.settle()
    t.same(
      conversation.responses().map(({ body }) => body),
      ['enough', 'next'],
    )
  })
})

t.test('the body can be asked for once', async (t) => {
  const ways: readonly ((request: HttpRequest) => unknown)[] = [
    (request) => request.bytes(),
    (request) => request.text(),
    (request) => request.json(),
    (request) => request.stream,
  ]
  for (const first of ways) {
    for (const second of ways) {
      const result = await outcome('1', async (request) => {
        t.notOk(request.bodyUsed)
        await first(request)
        t.ok(request.bodyUsed)
        await second(request)
      })
      t.equal(result, 'RR_BODY_USED')
    }
  }
  const conversation = await converse(`${POST}Content-Length: 1\r\n\r\n1`, {
    handler: async (request) => text((await request.text()) + (await request.text())),
  })
  t.same(conversation.statuses(), [500], 'which is a mistake of the handler')
  t.match(conversation.errors, [{ code: 'RR_BODY_USED' }])
})

t.test('back-pressure', async (t) => {
  await t.test(
    'a body that is not read stops the client, and one that is lets it go on',
    async (t) => {
      const asked = deferred<void>()
      const conversation = new Conversation({
        handler: async (request) => {
          await asked.promise
          return text(String((await request.bytes()).length))
        },
      })
      const { transport } = conversation
      conversation.send(`${POST}Content-Length: 1000000\r\n\r\n`)
      let sent = 0
      while (!transport.isPaused) {
        conversation.send('b'.repeat(1000))
        sent += 1000
      }
      t.equal(sent, 66_000, 'after 64 KiB')
      conversation.send('b'.repeat(1_000_000 - sent)).send(NEXT)
      asked.resolve()
      await conversation.settle()
      t.equal(conversation.responses()[0]?.body, '1000000')
      t.notOk(transport.isPaused)
    },
  )

  await t.test('many tiny chunks count for what they cost', (t) => {
    const conversation = new Conversation({
      handler: async (request) => {
        await deferred<void>().promise
        return text(await request.text())
      },
    })
    conversation.send(`${POST}Content-Length: 100000\r\n\r\n`)
    let sent = 0
    while (!conversation.transport.isPaused && sent < 100_000) {
      conversation.send('b')
      sent++
    }
    t.ok(sent < 1000, `${sent} chunks of a byte`)
    t.end()
  })

  await t.test('a hundred thousand chunks of a byte make one body', async (t) => {
    const conversation = new Conversation({
      handler: async (r) => text(String((await r.bytes()).length)),
    })
    conversation.send(`${POST}Content-Length: 100000\r\n\r\n`)
    for (let round = 0; round < 500; round++) await conversation.sendBytes('b'.repeat(200)).settle()
    t.equal(conversation.responses()[0]?.body, '100000')
  })

  await t.test(
    'a reader that waits after the end of a request does not stop the next one',
    async (t) => {
      const late: ReadableStreamDefaultReader<Uint8Array>[] = []
      const conversation = new Conversation({
        handler: async (request) => {
          if (request.hasBody) late.push(request.stream.getReader())
          return text('')
        },
      })
      await conversation.send(`${POST}Content-Length: 100000\r\n\r\n${'b'.repeat(70_000)}`).settle()
      await conversation.send('b'.repeat(30_000)).send(NEXT).settle()
      t.same(conversation.statuses(), [200, 200])
      await t.rejects(async () => await late[0]?.read(), { code: 'RR_REQUEST_ABORTED' })
      await conversation.send(NEXT).settle()
      t.same(conversation.statuses(), [200, 200, 200])
      t.notOk(conversation.transport.isPaused)
    },
  )

  await t.test(
    'what was left of a body is read after the next request, and changes nothing',
    async (t) => {
      let first: HttpRequest | null = null
      const conversation = new Conversation({
        handler: async (request) => {
          if (first !== null) return text('next')
          first = request
          // All of it is here, in several chunks, and waits to be read.
          await turns(2)
          return text('first')
        },
      })
      conversation.send(`${POST}Content-Length: 70000\r\n\r\n`)
      await conversation.send('b'.repeat(35_000)).send('b'.repeat(35_000)).send(NEXT).settle()
      t.same(
        conversation.responses().map(({ body }) => body),
        ['first', 'next'],
      )
      t.equal((await (first as HttpRequest | null)?.bytes())?.length, 70_000)
      await conversation.send(NEXT).settle()
      t.equal(conversation.responses().length, 3)
    },
  )
})

t.test('a client that leaves', async (t) => {
  const reads: readonly (readonly [string, (request: HttpRequest) => Promise<unknown>])[] = [
    ['bytes', (request) => request.bytes()],
    ['text', (request) => request.text()],
    ['json', (request) => request.json()],
    ['stream', (request) => new Response(request.stream).text()],
  ]
  for (const [title, read] of reads) {
    for (const input of [`${POST}Content-Length: 5\r\n\r\nhell`, `${CHUNKED}5\r\nhell`]) {
      const caught: unknown[] = []
      const conversation = await converse(input, {
        handler: async (request) => {
          await read(request).catch((error: unknown) => caught.push(error))
          return text('late')
        },
      })
      await conversation.leave(new Error('ECONNRESET')).settle()
      t.match(caught, [{ code: 'RR_REQUEST_ABORTED', cause: { message: 'ECONNRESET' } }], title)
      t.equal(conversation.output, '')
    }
  }
})

t.test('a body that nobody waits for yet may fail: it is not an unhandled rejection', async (t) => {
  const unhandled: unknown[] = []
  const listener = (reason: unknown): void => void unhandled.push(reason)
  process.on('unhandledRejection', listener)
  const go = deferred<void>()
  const caught: unknown[] = []
  const handler: Handler = async (request) => {
    const body = request.json()
    await go.promise
    await body.catch((error: unknown) => caught.push(error))
    return text('')
  }
  const gone = await converse(`${POST}Content-Length: 5\r\n\r\nhell`, { handler })
  gone.leave()
  await converse(`${POST}Content-Length: 5\r\n\r\nhello`, { handler })
  await turns(5)
  go.resolve()
  await turns(5)
  process.off('unhandledRejection', listener)
  t.same(unhandled, [])
  t.match(caught, [{ code: 'RR_REQUEST_ABORTED' }, { code: 'RR_BODY_MALFORMED' }])
})

t.test('a body that is answered before it was read', async (t) => {
  let body: Promise<string> | null = null
  const conversation = new Conversation({
    handler: (request) => {
      body ??= request.text()
      return text('early')
    },
  })
  await conversation.send(`${POST}Content-Length: 5\r\n\r\nhe`).settle()
  t.same(conversation.statuses(), [200])
  await t.rejects(async () => await body, { code: 'RR_REQUEST_ABORTED' })
  await conversation.send(`llo${NEXT}`).settle()
  t.same(conversation.statuses(), [200, 200], 'is discarded, and the connection goes on')
})

t.test('hasBody tells whether there is one', async (t) => {
  const seen: boolean[] = []
  const handler: Handler = ({ hasBody }) => {
    seen.push(hasBody)
    return text('')
  }
  await converse(
    `${GET}\r\n${POST}Content-Length: 0\r\n\r\n${POST}Content-Length: 1\r\n\r\na${CHUNKED}0\r\n\r\n`,
    { handler },
  )
  t.same(seen, [false, false, true, true])
})
