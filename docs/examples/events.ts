import { EventEmitter, once } from 'node:events'
import { lastEventId, ndjson, type ServerSentEvent, sse, text } from '@rr/core'
import { createRouter } from '@rr/router'

const app = createRouter()

// What happened, in the memory of this worker: several workers would share a database.
const news: string[] = []
const bus = new EventEmitter().setMaxListeners(0)

app.post('/news', async (request) => {
  news.push(await request.text())
  bus.emit('news')
  return text('told', { status: 202 })
})

// From an async iterable, which ends when the client leaves. One that reconnects says which event
// it saw last, and goes on from there.
app.get('/news', (request) => {
  async function* events(): AsyncGenerator<ServerSentEvent> {
    for (let next = Number(lastEventId(request) ?? 0); ; next++) {
      while (next >= news.length) await once(bus, 'news', { signal: request.signal })
      yield { id: String(next + 1), event: 'news', data: news[next] ?? '' }
    }
  }
  return sse(events())
})

// From callbacks: `send` is called whenever there is something to tell. After each second without an
// event a comment goes out, which keeps proxies from giving up and finds out who has gone; by default
// after 15 s.
app.get('/count', () =>
  sse(
    (events) => {
      const tell = (): void => void events.send({ data: String(news.length) })
      bus.on('news', tell)
      events.signal.addEventListener('abort', () => bus.off('news', tell))
      tell()
    },
    { heartbeatMs: 1000 },
  ),
)

// The same for programs: a JSON value a line.
app.get('/news.ndjson', () => ndjson(news.map((data, index) => ({ id: index + 1, data }))))

export default app
