import { Hono } from 'hono'

// Any application with a `fetch` method is served as it is.
const app = new Hono()

app.get('/', (context) => context.text('Hello, Hono!'))
app.get('/users/:id', (context) => context.json({ id: context.req.param('id') }))
app.post('/echo', async (context) => context.body(await context.req.arrayBuffer()))

export default app
