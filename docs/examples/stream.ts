import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
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

// A Node stream, which is destroyed when the client leaves. `file()` of @rr/middleware does more for
// files: types, ranges, 304, and 404 for one that is not there.
app.get('/source', () =>
  stream(createReadStream(new URL(import.meta.url)), {
    headers: { 'content-type': 'text/plain; charset=utf-8' },
  }),
)

// A web stream: what the client sends goes back while it arrives, and none of it is kept. One that
// does not read its answer has to wait with the rest.
app.post('/echo', (request) => stream(request.stream))

export default app
