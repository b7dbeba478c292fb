import { subscribe } from 'node:diagnostics_channel'
import { currentRequest, json, type RequestChannels } from '@rr/core'
import { createRouter } from '@rr/router'

/** Milliseconds by route, of all requests that this worker has answered. */
const durations = new Map<string, number[]>()

subscribe('rr:request:end', (given) => {
  const { route, durationMs } = given as RequestChannels['rr:request:end']
  const times = durations.get(route ?? 'none') ?? []
  durations.set(route ?? 'none', [...times.slice(-99), durationMs ?? 0])
})

const app = createRouter()

app.get('/orders/:id', async ({ params, log }) => {
  log.warn({ order: params.id }, 'looking the order up')
  return json({ id: params.id, checkedFor: await checkStock() })
})

/** Knows its request without being given it, where the option `requestContext` is on. */
async function checkStock(): Promise<string | null> {
  await null
  const request = currentRequest()
  request?.log.warn('asking the store')
  return request?.id ?? null
}

app.get('/durations', () =>
  json([...durations].map(([route, times]) => ({ route, count: times.length }))),
)

export default app
