import { bytes, text } from '@rr/core'
import { createRouter } from '@rr/router'

const app = createRouter()

app.get('/', () => text('POST something to /echo\n'))

// Answers with the body it is sent, under the same content type.
app.post('/echo', async (request) =>
  bytes(await request.bytes(), {
    headers: { 'content-type': request.headers.get('content-type') ?? 'application/octet-stream' },
  }),
)

export default app
