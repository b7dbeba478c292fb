import {
  accepts,
  acceptsLanguage,
  cookie,
  defineApp,
  deleteCookie,
  errorResponse,
  HttpError,
  html,
  json,
  type Middleware,
  problem,
  text,
} from '@rr/core'
import { createRouter } from '@rr/router'

/** A middleware gets the request and what is inside of it, and gives an answer. */
const timing: Middleware = async (_request, next) => {
  const start = performance.now()
  const response = await next()
  const duration = (performance.now() - start).toFixed(1)
  return response.with({ headers: { 'server-timing': `app;dur=${duration}` } })
}

/** It need not ask what is inside. */
const requireLogin: Middleware = (request, next) =>
  request.cookies.has('__Host-user') ? next() : problem(401, { detail: 'log in first' })

/** Browsers say where a request comes from; what changes something is not for other sites. */
const refuseOtherSites: Middleware = (request, next) => {
  if (request.method !== 'GET' && request.headers.get('sec-fetch-site') === 'cross-site') {
    throw new HttpError(403, 'from another site')
  }
  return next()
}

const session = { path: '/', secure: true, httpOnly: true, sameSite: 'lax' } as const

const app = createRouter()

app.post('/login', (request) => {
  const name = request.queryParam('name')
  if (name === null) throw new HttpError(400, 'who are you?')
  return text(`welcome, ${name}`, { cookies: [cookie('__Host-user', name, session)] })
})

// The middleware of a group wraps its routes, and those of the groups in it.
app.group('/account', (account) => {
  account.use(requireLogin)
  account.get('/', (request) => json({ name: request.cookies.get('__Host-user') }))
  account.post('/logout', () => text('bye', { cookies: [deleteCookie('__Host-user', session)] }))
})

// A route may have its own, innermost.
const noStore: Middleware = async (_request, next) =>
  (await next()).with({ headers: { 'cache-control': 'no-store' } })

app.get('/greeting', { middleware: [noStore] }, (request) => {
  const language = acceptsLanguage(request, ['en', 'de'])
  return text(language === 'de' ? 'Guten Tag' : 'Good day')
})

class OutOfStock extends Error {}

app.get('/order', () => {
  throw new OutOfStock('the last one is gone')
})

// Answers for what nobody caught; for all else the default.
app.onError((error) =>
  error instanceof OutOfStock ? problem(409, { detail: error.message }) : errorResponse(error),
)

// What wraps the whole application wraps its 404s and the answers to errors too.
export default defineApp({
  handler: app,
  middleware: [timing, refuseOtherSites],
  // For what is thrown outside of the router, or by its `onError`: a page for browsers.
  errorHandler: (error, request) => {
    const answer = errorResponse(error)
    const isBrowser = accepts(request, ['application/problem+json', 'text/html']) === 'text/html'
    return isBrowser ? html('<h1>That did not work</h1>', { status: answer.status }) : answer
  },
})
