import { createHash } from 'node:crypto'
import { stream } from '@rr/core'
import { createRouter } from '@rr/router'

const app = createRouter()

// Produced while it is sent: the generator waits while the client does not read, and its
// `finally` runs when the client leaves.
app.get('/count/:to', (request) => {
  const hash = createHash('sha256')
  async function* count(): AsyncGenerator<string> {
    for (let i = 1; i <= Number(request.params.to); i++) {
      const line = `${i}\n`
      hash.update(line)
      yield line
    }
  }
  return stream(count(), {
    headers: { 'content-type': 'text/plain; charset=utf-8' },
    // Known when all has been sent; for clients that say `TE: trailers`.
    trailers: () => ({ 'repr-digest': `sha-256=:${hash.digest('base64')}:` }),
    trailerNames: ['repr-digest'],
  })
})

export default app
