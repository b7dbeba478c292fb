import { gzipSync } from 'node:zlib'
import { acceptsEncoding, bytes, json } from '@rr/core'
import { createRouter } from '@rr/router'

const app = createRouter()

// A body comes as it was sent, unless the server's option is on:
//
//     rr-serve --decompress-bodies compressed-bodies.ts
//     serve(new URL('./compressed-bodies.ts', import.meta.url), { decompressBodies: true })
//
// Then gzip, deflate, br and zstd are undone while the body is read, in whatever way. The limit of
// the body holds for what comes out, and another coding is answered 415.
app.post('/measurements', async (request) => {
  const values = await request.json<number[]>()
  return json({ count: values.length, sentAs: request.headers.get('content-encoding') })
})

const TERMS = Buffer.from('The same for everybody, every day. '.repeat(100))
const GZIPPED = gzipSync(TERMS)

// Answers are compressed by `compression()` of @rr/middleware. What never changes can be at start.
app.get('/terms', (request) => {
  const headers = { 'content-type': 'text/plain; charset=utf-8', vary: 'accept-encoding' }
  if (acceptsEncoding(request, ['gzip', 'identity']) !== 'gzip') return bytes(TERMS, { headers })
  return bytes(GZIPPED, { headers: { ...headers, 'content-encoding': 'gzip' } })
})

export default app
