import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { compress } from 'hono/compress'
import { getCookie } from 'hono/cookie'
import { stream } from 'hono/streaming'
import { runWorkers } from '../servers/cluster.ts'
import * as payloads from '../src/scenarios/payloads.ts'
import { ROUTES, routeAnswer } from '../src/scenarios/route-table.ts'

const app = new Hono()

app.get('/', (c) => c.text(payloads.HELLO))
app.get('/json', (c) => c.json(payloads.profile(Number(c.req.query('n')))))
app.get('/headers', (c) => c.text(c.req.header(payloads.TAG_HEADER) ?? ''))
app.get('/cookies', (c) => c.text(getCookie(c, payloads.SESSION_COOKIE) ?? ''))
app.get('/search', (c) => {
  const { q = '', page = '', sort = '' } = c.req.query()
  return c.text(payloads.searchAnswer(q, page, sort))
})
app.get('/old', (c) => c.redirect(payloads.REDIRECT_TARGET))
app.get('/page', (c) => {
  c.header('ETag', payloads.ETAG)
  if (c.req.header('if-none-match') === payloads.ETAG) return c.body(null, 304)
  return c.text(payloads.ETAG_BODY)
})

for (const { index, pattern, params } of ROUTES) {
  const [first, second] = params
  if (first === undefined) app.get(pattern, (c) => c.text(routeAnswer(index)))
  else if (second === undefined) {
    app.get(pattern, (c) => c.text(routeAnswer(index, c.req.param(first))))
  } else {
    app.get(pattern, (c) => c.text(routeAnswer(index, c.req.param(first), c.req.param(second))))
  }
}
app.notFound((c) => c.text(payloads.NOT_FOUND, 404))

app.post('/echo', async (c) =>
  c.body(await c.req.arrayBuffer(), 200, { 'Content-Type': payloads.BYTES_TYPE }),
)
app.post('/form', async (c) => {
  const form = await c.req.parseBody()
  return c.text(String(form[payloads.FORM_FIELD] ?? ''))
})
app.post('/upload', async (c) => {
  let length = 0
  for await (const chunk of c.req.raw.body ?? []) length += chunk.length
  return c.text(String(length))
})

const BYTES = { 'Content-Type': payloads.BYTES_TYPE }
app.get('/large/64k', (c) => c.body(payloads.LARGE_64K, 200, BYTES))
app.get('/large/1m', (c) => c.body(payloads.LARGE_1M, 200, BYTES))
app.get('/stream', (c) => {
  c.header('Content-Type', payloads.TEXT_TYPE)
  return stream(c, async (out) => {
    for await (const chunk of payloads.streamedChunks()) await out.write(chunk)
  })
})
app.get('/events', (c) => {
  c.header('Content-Type', payloads.EVENTS_TYPE)
  return stream(c, async (out) => {
    for await (const event of payloads.serverEvents()) {
      if (out.aborted) return
      await out.write(event)
    }
  })
})
// Hono compresses by the web standard's CompressionStream, which takes no level; zlib's is 6.
app.get('/report', compress(), (c) => c.text(payloads.COMPRESSIBLE))

await runWorkers(
  (port) =>
    new Promise((resolve) => {
      serve({ fetch: app.fetch, port, hostname: '127.0.0.1' }, (address) => resolve(address.port))
    }),
)
