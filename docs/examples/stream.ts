import { stream } from '@rr/core'
import { createRouter } from '@rr/router'

const app = createRouter()

// Produced while it is sent: the generator waits while the client does not read, and its
// `finally` runs when the client leaves.
app.get('/count/:to', (request) => {
  async function* count(): AsyncGenerator<string> {
    for (let i = 1; i <= Number(request.params.to); i++) yield `${i}\n`
  }
  return stream(count(), { headers: { 'content-type': 'text/plain; charset=utf-8' } })
})

export default app
