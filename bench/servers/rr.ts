import { bytes, composeMiddleware, empty, json, redirect, stream, text } from '@rr/core'
import { compression } from '@rr/middleware'
import { createRouter } from '@rr/router'
import * as payloads from '../src/scenarios/payloads.ts'
import { ROUTES, routeAnswer } from '../src/scenarios/route-table.ts'

const app = createRouter()

app.get('/', () => text(payloads.HELLO))
// For bench/src/reading-cost.ts: what reading costs, beside the handler above.
app.get('/read', (request) => {
  const isThere = request.headers.get('host') !== null && request.queryParam('n') !== null
  return text(isThere ? payloads.HELLO : '')
})
app.get('/json', (request) => json(payloads.profile(Number(request.queryParam('n')))))
app.get('/headers', (request) => text(request.headers.get(payloads.TAG_HEADER) ?? ''))
app.get('/cookies', (request) =>
  text(payloads.cookieValue(request.headers.get('cookie') ?? '', payloads.SESSION_COOKIE)),
)
app.get('/search', (request) => {
  const { query } = request
  return text(
    payloads.searchAnswer(query.get('q') ?? '', query.get('page') ?? '', query.get('sort') ?? ''),
  )
})
app.get('/old', () => redirect(payloads.REDIRECT_TARGET))
app.get('/page', (request) =>
  request.headers.get('if-none-match') === payloads.ETAG
    ? empty({ status: 304, headers: { etag: payloads.ETAG } })
    : text(payloads.ETAG_BODY, { headers: { etag: payloads.ETAG } }),
)

for (const { index, pattern, params } of ROUTES) {
  const [first, second] = params
  if (first === undefined) app.get(pattern, () => text(routeAnswer(index)))
  else if (second === undefined) {
    app.get(pattern, ({ params }) => text(routeAnswer(index, params[first])))
  } else {
    app.get(pattern, ({ params }) => text(routeAnswer(index, params[first], params[second])))
  }
}

app.post('/echo', async (request) => bytes(await request.bytes()))
app.post('/form', async (request) => {
  const form = await request.form()
  return text(form.get(payloads.FORM_FIELD) ?? '')
})
app.post('/upload', async (request) => {
  let length = 0
  for await (const chunk of request.stream) length += chunk.length
  return text(String(length))
})

app.get('/large/64k', () => bytes(payloads.LARGE_64K))
app.get('/large/1m', () => bytes(payloads.LARGE_1M))
app.get('/stream', () =>
  stream(payloads.streamedChunks(), { headers: { 'content-type': payloads.TEXT_TYPE } }),
)
// gzip at level 6 is the default; the client asks for nothing else.
app.get(
  '/report',
  composeMiddleware([compression()], () => text(payloads.COMPRESSIBLE)),
)
app.get('/events', () =>
  stream(payloads.serverEvents(), { headers: { 'content-type': payloads.EVENTS_TYPE } }),
)

// The other servers' words: rr's own answer is a problem in JSON.
app.match(() => text(payloads.NOT_FOUND, { status: 404 }))

export default app
