import { setTimeout as sleep } from 'node:timers/promises'
import { composeMiddleware, HttpError, html, json } from '@rr/core'
import {
  accessLog,
  CSP_NONCE,
  compression,
  cors,
  cspNonce,
  etag,
  requestId,
  securityHeaders,
  timeout,
} from '@rr/middleware'
import { createRouter } from '@rr/router'

const app = createRouter()

app.get('/', (request) =>
  html(`<h1>Reports</h1><script nonce="${cspNonce(request)}">console.log('ready')</script>`),
)

app.get('/reports', () => {
  const reports = Array.from({ length: 100 }, (_, id) => ({ id, title: `Report ${id}` }))
  return json(reports)
})

app.get('/private', () => {
  throw new HttpError(403, 'not for you')
})

// Asks another server, which may take for ever: then 504, and the signal ends the asking.
app.get('/weather', { middleware: [timeout(200, { status: 504 })] }, async ({ signal }) => {
  await sleep(60_000, null, { signal })
  return json({ sky: 'blue' })
})

// The first is outermost: it sees the request first and the answer last. Errors that pass through
// get their fields as well.
export default composeMiddleware(
  [
    requestId(),
    // Where the server's own log is not enough. Lines of JSON on stdout without `log`.
    accessLog({
      log: ({ requestId: id, method, path, status, durationMs }) =>
        console.log(`${id} ${method} ${path} ${status} ${durationMs} ms`),
    }),
    securityHeaders({
      // Off unless asked for: browsers will not speak to this host without TLS for a year.
      strictTransportSecurity: { maxAgeSeconds: 31_536_000 },
      contentSecurityPolicy: {
        directives: { 'default-src': ["'self'"], 'script-src': ["'self'", CSP_NONCE] },
      },
    }),
    cors({ origin: 'https://app.example.com' }),
    // Outside etag: the tag is made of the bytes before compression.
    compression(),
    etag(),
    // Innermost, so that its 503 has the fields of all the others.
    timeout(10_000),
  ],
  (request) => app.dispatch(request),
)
