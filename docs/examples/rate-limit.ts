import { composeMiddleware, text } from '@rr/core'
import { rateLimit } from '@rr/middleware'

// A client, told by its address, may make 5 requests at once, and 60 a minute in the long run:
// over all workers, since the counts are in memory that they share.
const perClient = rateLimit({ limit: 60, windowMs: 60_000, burst: 5 })

// A search is dear: it takes five of the sixty that each caller has in an hour.
const perSearch = rateLimit({
  name: 'search',
  limit: 60,
  windowMs: 3_600_000,
  cost: 5,
  key: (request) => request.headers.get('x-api-key') ?? 'nobody',
  skip: (request) => request.path !== '/search',
})

export default composeMiddleware([perClient, perSearch], (request) => {
  return text(request.path === '/search' ? 'found' : 'Hello, World!')
})
