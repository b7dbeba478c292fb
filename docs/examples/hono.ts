import { sourceRequest } from '@rr/core'
import { Hono } from 'hono'

// Any application with a `fetch` method is served as it is.
const app = new Hono()

app.get('/', (context) => context.text('Hello, Hono!'))
app.get('/users/:id', (context) => context.json({ id: context.req.param('id') }))
app.post('/echo', async (context) => context.body(await context.req.arrayBuffer()))

// What a standard Request does not say: who the client is, and what TLS negotiated.
app.get('/client', (context) => {
  const source = sourceRequest(context.req.raw)
  return context.json({
    address: source?.peer.address ?? null,
    tls: source?.tls?.protocol ?? null,
  })
})

export default app
