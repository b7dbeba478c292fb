import { defineApp, json } from '@rr/core'

let startedAt = 0

// setup and teardown run once in each worker: connect to what the handler needs, and let go of it.
export default defineApp({
  handler: () => json({ upMs: Date.now() - startedAt }),
  setup: ({ workerId, workers }) => {
    startedAt = Date.now()
    console.log(`worker ${workerId} of ${workers} is ready`)
  },
  teardown: ({ workerId }) => {
    console.log(`worker ${workerId} is done`)
  },
})
