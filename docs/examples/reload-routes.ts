import { setTimeout as delay } from 'node:timers/promises'
import { ndjson, type ServerSentEvent, sse, text } from '@rr/core'
import { createRouter } from '@rr/router'
import { notes } from './reload.ts'

const app = createRouter()

app.get('/notes/:id', (request) => text(notes.get(request.params.id) ?? 'none'))

// Ends by itself when the server drains: the browser is told to come back after 200 ms, and finds
// another server, or the one that follows. Without `drain` it would hold the drain to its deadline.
app.get('/events', (request) => {
  async function* ticks(): AsyncGenerator<ServerSentEvent> {
    for (;;) {
      yield { data: `${notes.size} notes` }
      await delay(1000, undefined, { signal: request.signal })
    }
  }
  return sse(ticks(), { drain: request, drainEvent: { retry: 200 } })
})

// A long answer that has an end: it says how far it came, and where to go on.
app.get('/export', (request) => {
  async function* rows(from: number): AsyncGenerator<object> {
    for (let row = from; row < from + 1_000_000; row++) {
      if (request.drainSignal.aborted) {
        yield { next: `/export?from=${row}` }
        return
      }
      yield { row }
    }
  }
  return ndjson(rows(Number(request.queryParam('from') ?? 0)))
})

export default app
