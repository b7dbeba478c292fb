import { json } from '@rr/core'
import { computePool } from '@rr/listener'
import { createRouter } from '@rr/router'

// Two threads and a queue of 100 for the whole process, whatever the number of workers. With both
// full, `run` throws RR_POOL_BUSY, which answers 503 with Retry-After.
const primes = computePool<number, number>(new URL('./compute-work.ts', import.meta.url), {
  maxThreads: 2,
  maxQueue: 100,
})

const app = createRouter()

app.get('/primes/:limit', async (request) => {
  const limit = Math.min(Number(request.params.limit), 10_000_000)
  // The worker serves others meanwhile; a client that leaves stops its task.
  const count = await primes.run(limit, { signal: request.signal })
  return json({ limit, count })
})

export default app
