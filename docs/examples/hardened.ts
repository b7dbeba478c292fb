import { composeMiddleware, HttpError, html, json } from '@rr/core'
import {
  CSP_NONCE,
  compression,
  cors,
  cspNonce,
  etag,
  requestId,
  securityHeaders,
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

// The first is outermost: it sees the request first and the answer last. Errors that pass through
// get their fields as well.
export default composeMiddleware(
  [
    requestId(),
    securityHeaders({
      contentSecurityPolicy: {
        directives: { 'default-src': ["'self'"], 'script-src': ["'self'", CSP_NONCE] },
      },
    }),
    cors({ origin: 'https://app.example.com' }),
    // Outside etag: the tag is made of the bytes before compression.
    compression(),
    etag(),
  ],
  (request) => app.dispatch(request),
)
