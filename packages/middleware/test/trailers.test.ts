// RFC 9110 §6.5: what follows a body is still there when middleware has changed the answer.

import { type Middleware, stream } from '@rr/core'
import t, { type Test } from 'tap'
import { compression } from '../src/compression.ts'
import { cors } from '../src/cors.ts'
import { etag } from '../src/etag.ts'
import { requestId } from '../src/request-id.ts'
import { securityHeaders } from '../src/security-headers.ts'
import { decoded } from './support/coding-text.ts'
import { open, TestServer } from './support/server.ts'

const EACH: Readonly<Record<string, Middleware>> = {
  compression: compression(),
  cors: cors({ origin: '*' }),
  etag: etag(),
  requestId: requestId(),
  securityHeaders: securityHeaders(),
}

async function* parts(): AsyncGenerator<string> {
  yield 'first '
  yield 'second'
}

async function answerThrough(t: Test, middleware: readonly Middleware[], name = 'x-parts') {
  const server = await TestServer.compose(t, middleware, () =>
    stream(parts(), {
      headers: { 'content-type': 'text/plain', etag: '"1"' },
      trailers: () => ({ [name]: '2' }),
      trailerNames: [name],
    }),
  )
  const { response } = await open(server.url, {
    headers: { te: 'trailers', 'accept-encoding': 'gzip' },
  })
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  const { 'content-encoding': coding, trailer } = response.headers
  const body = decoded(coding, Buffer.concat(chunks))
  return { coding, trailer, trailers: response.trailers, body }
}

const ALL = Object.values(EACH)
for (const [name, middleware] of [
  ...Object.entries(EACH).map(([name, one]) => [name, [one]] as const),
  ['all together', ALL] as const,
]) {
  t.test(`trailers follow the body through ${name}`, async (t) => {
    t.match(await answerThrough(t, middleware), {
      trailer: 'x-parts',
      trailers: { 'x-parts': '2' },
      body: 'first second',
    })
  })
}

for (const name of ['content-digest', 'Repr-Digest']) {
  t.test(`RFC 9530: a body with ${name} to follow is not compressed`, async (t) => {
    const answer = await answerThrough(t, [compression()], name)
    t.equal(answer.coding, undefined)
    t.same(answer.trailers, { [name.toLowerCase()]: '2' })
  })
}
