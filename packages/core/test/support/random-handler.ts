import { HttpError } from '../../src/errors.ts'
import type { EventStream } from '../../src/event-stream.ts'
import type { Handler, HandlerResult } from '../../src/handler.ts'
import { ndjson } from '../../src/ndjson.ts'
import type { HttpRequest } from '../../src/request.ts'
import { empty, json, stream, text } from '../../src/response.ts'
import type { ServerSentEvent } from '../../src/server-sent-event.ts'
import { sse } from '../../src/sse.ts'
import { toWebRequest } from '../../src/web-request.ts'
import type { Random } from './random.ts'
import { turns } from './turns.ts'

/** A handler of any kind, good or bad, and what is still going on in it. */
export class RandomHandler {
  /** Handlers that have not come to their end, whatever became of their answers. */
  live = 0
  /** Handlers among them that wait for nothing but the client's leave. */
  waiting = 0
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  readonly handle: Handler = (request) => {
    const random = this.#random
    if (random.isOne(6)) request.informational(random.pick([102, 103, 199]), { 'x-interim': 'a' })
    if (random.isOne(3)) return this.#answer(request, '')
    return this.#track(this.#handleLater(request))
  }

  async #track<Value>(work: Promise<Value>): Promise<Value> {
    this.live++
    try {
      return await work
    } finally {
      this.live--
    }
  }

  async #handleLater(request: HttpRequest): Promise<Awaited<HandlerResult>> {
    const random = this.#random
    await this.#wait()
    const body = random.isOne(3) ? '' : await this.#read(request)
    await this.#wait()
    if (random.isOne(6)) request.earlyHints({ link: '</a>; rel=preload' })
    if (random.isOne(15)) await this.#untilAborted(request)
    return this.#answer(request, body)
  }

  async #wait(): Promise<void> {
    const random = this.#random
    if (random.isOne(2)) for (let left = random.below(4); left > 0; left--) await null
    else await turns(random.below(3))
  }

  async #untilAborted({ signal }: HttpRequest): Promise<void> {
    if (signal.aborted) return
    this.waiting++
    await new Promise((resolve) => {
      signal.addEventListener('abort', resolve, { once: true })
    })
    this.waiting--
  }

  async #read(request: HttpRequest): Promise<string> {
    const random = this.#random
    switch (random.below(5)) {
      case 0:
        return JSON.stringify(await request.json())
      case 1: {
        const reader = request.stream.getReader()
        for (let left = random.below(4); left > 0; left--) await reader.read()
        if (random.isOne(2)) await reader.cancel()
        return 'some of it'
      }
      case 2:
        await request.bytes()
        return (await request.bytes()).length.toString()
      default:
        return await request.text()
    }
  }

  #answer(request: HttpRequest, body: string): Awaited<HandlerResult> {
    const random = this.#random
    switch (random.below(20)) {
      case 0:
        throw new Error('a handler failed')
      case 1:
        throw new HttpError(random.pick([400, 404, 503]), random.pick(['', 'why \u00e9 \u20ac']))
      case 2:
        return badResponse(random)
      case 3:
        return stream(this.#chunks(), {
          headers: randomLength(random),
          trailers: () => this.#track(this.#trailers()),
        })
      case 17:
        return ndjson(
          random.isOne(2) ? this.#chunks() : [1, undefined, body].slice(random.below(3)),
        )
      case 18:
        return sse(this.#events(), { heartbeatMs: random.below(3) })
      case 19:
        return sse((events) => this.#track(this.#push(events)))
      case 4:
        return request.hasBody && !request.bodyUsed
          ? stream(request.stream)
          : stream(this.#chunks())
      case 5:
        return new Response(random.pick([null, '', body, 'x'.repeat(30_000)]))
      case 6:
        return new Response(ReadableStream.from(this.#chunks()))
      case 7:
        return Response.error()
      case 8:
        return empty({ status: random.pick([200, 204, 205, 304]) })
      case 9:
        return text('y'.repeat(random.below(40_000)), { headers: { connection: 'close' } })
      case 16:
        return new Response(request.bodyUsed ? null : toWebRequest(request).body)
      case 10:
        return json([request.query.size, ...request.headers], { headers: randomLength(random) })
      default:
        return text(random.pick([body, 'z', '', '\u00e9\u20ac'.repeat(random.below(9000))]))
    }
  }

  async #trailers(): Promise<Record<string, string>> {
    await this.#wait()
    if (this.#random.isOne(6)) throw new Error('trailers failed')
    return this.#random.pick<Record<string, string>>([{ 'x-a': 'b' }, {}, { date: 'now' }])
  }

  async *#events(): AsyncGenerator<ServerSentEvent> {
    for await (const chunk of this.#chunks()) yield { data: chunk.toString() }
  }

  async #push(events: EventStream): Promise<void> {
    for await (const event of this.#events()) if (!events.send(event)) await events.drained()
    events.close()
  }

  async *#chunks(): AsyncGenerator<Buffer> {
    const random = this.#random
    this.live++
    try {
      for (let left = random.below(6); left > 0; left--) {
        await this.#wait()
        if (random.isOne(12)) throw new Error('a stream failed')
        yield Buffer.alloc(random.pick([0, 1, 100, 20_000, 70_000]), 'c')
      }
    } finally {
      this.live--
    }
  }
}

function badResponse(random: Random): Awaited<HandlerResult> {
  return random.pick<unknown>([
    undefined,
    null,
    'text',
    5,
    {},
    { status: 99 },
    { status: 200.5, body: '' },
    { status: 200, body: 5 },
    { status: 200, headers: { 'x-a': 'b\r\nc: d' } },
    { status: 200, headers: { 'x\n': 'b' } },
    { status: 200, headers: { 'content-length': '-1' } },
  ]) as Awaited<HandlerResult>
}

function randomLength(random: Random): Record<string, string> {
  return random.isOne(3) ? { 'content-length': String(random.below(200)) } : {}
}
