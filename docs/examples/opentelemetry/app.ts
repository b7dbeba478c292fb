import { trace } from '@opentelemetry/api'
import { defineApp, HttpError, json, text } from '@rr/core'
import { createRouter } from '@rr/router'
import { LineExporter } from './line-exporter.ts'
import { startTracing } from './tracing.ts'

const tracer = trace.getTracer('shop')
const app = createRouter()

app.get('/orders/:id', async ({ params }) => {
  const stock = await findStock(params.id)
  return json({ id: params.id, stock })
})

/** A span of the application's own, made after an await: a child of the request's all the same. */
async function findStock(id: string): Promise<number> {
  await new Promise((resolve) => setImmediate(resolve))
  return tracer.startActiveSpan('find stock', (span) => {
    span.setAttribute('shop.order', id)
    span.end()
    return id.length
  })
}

// Asks another service, here this one: the request carries `traceparent` by itself.
app.get('/relay', async ({ host }) => {
  await null
  return text(await (await fetch(`http://${host}/trace-parent`)).text())
})

app.get('/trace-parent', ({ headers }) => text(headers.get('traceparent') ?? 'none'))

app.get('/fails', () => {
  throw new TypeError('no luck')
})

app.get('/gone', () => {
  throw new HttpError(410, 'no longer here')
})

let stopTracing: () => Promise<void>

export default defineApp({
  handler: app,
  setup: () => {
    stopTracing = startTracing(new LineExporter())
  },
  teardown: () => stopTracing(),
})
