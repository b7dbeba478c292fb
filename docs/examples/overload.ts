import { json, text } from '@rr/core'
import { timeout } from '@rr/middleware'
import { createRouter } from '@rr/router'

// rr-serve --max-requests-in-flight 200 --shed-loop-delay 200 overload.ts
// The 201st request is answered 503 with Retry-After, and so is a part of those that come to a
// worker whose event loop cannot keep up. Both are counted apart from the 503s of an application.

const app = createRouter()

// Served all the same: who asks wants to know whether the process lives, not whether it has time.
app.get('/health', { shed: false }, () => text('ok'))

// Its place is free when the answer has ended and the handler has settled: who leaves does not
// make room for the next one at once, so nobody fills a database with queries by coming and going.
app.get('/report', { middleware: [timeout(10_000)] }, async ({ signal }) => {
  return json(await report(signal))
})

// An upload may be larger than others and take longer, but must come on at a fair pace.
const upload = {
  maxBodyBytes: 50_000_000,
  requestTimeoutMs: 600_000,
  minBytesPerSecond: 10_000,
  minRateGraceMs: 2000,
}
app.put('/upload', upload, async (request) => {
  let size = 0
  for await (const chunk of request.stream) size += chunk.length
  return json({ size })
})

// Who takes nothing of a large answer for five seconds is cut off.
app.get('/export', { sendTimeoutMs: 5000 }, () => json(Array.from({ length: 1000 }, (_, id) => id)))

/** Stands for a query that takes a while. */
async function report(signal: AbortSignal): Promise<{ ready: boolean }> {
  return new Promise((resolve) => {
    const done = (): void => resolve({ ready: !signal.aborted })
    setTimeout(done, 50)
  })
}

export default app
