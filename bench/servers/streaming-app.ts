// What `memory-streaming.ts` streams through: never run for speed.

import { type HttpRequest, type HttpResponse, stream, text } from '@rr/core'
import { createRouter } from '@rr/router'
import { Pacer } from '../src/memory/pacer.ts'

const CHUNK_BYTES = 65_536

const app = createRouter()

// As fast as it can. Each chunk is memory of its own: a shared one would hide what waits.
app.get('/down/:bytes', ({ params }) => {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (let left = Number(params.bytes); left > 0; left -= CHUNK_BYTES) {
      yield Buffer.alloc(Math.min(left, CHUNK_BYTES), 'd')
    }
  }
  return stream(chunks())
})

app.post('/up', (request) => receive(request, null))
app.post('/up-slowly', (request) => receive(request, new Pacer()))

// What the measurement must be able to see: a body that is kept.
app.post('/keep', async (request) => text(String((await request.bytes()).length)))

async function receive(request: HttpRequest<object>, pacer: Pacer | null): Promise<HttpResponse> {
  let received = 0
  for await (const chunk of request.stream) {
    received += chunk.length
    await pacer?.passed(chunk.length)
  }
  return text(String(received))
}

export default app
