import t from 'tap'
import { INITIAL_DELAY_MS, MAX_DELAY_MS, RestartPolicy, STEADY_MS } from '../src/restart-policy.ts'

t.test('doubles from 100 ms to 30 s', async (t) => {
  const policy = new RestartPolicy()
  const delays = Array.from({ length: 12 }, () => policy.nextDelayMs(0))
  t.strictSame(delays.slice(0, 9), [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600])
  t.strictSame(delays.slice(9), [MAX_DELAY_MS, MAX_DELAY_MS, MAX_DELAY_MS])
  for (let more = 0; more < 2000; more++) policy.nextDelayMs(0)
  t.equal(policy.nextDelayMs(0), MAX_DELAY_MS, 'without overflow')
})

t.test('begins anew after a worker that served for a while, and only then', async (t) => {
  const policy = new RestartPolicy()
  policy.nextDelayMs(0)
  t.equal(policy.nextDelayMs(STEADY_MS - 1), 2 * INITIAL_DELAY_MS)
  t.equal(policy.nextDelayMs(STEADY_MS), INITIAL_DELAY_MS)
  t.equal(policy.nextDelayMs(0), 2 * INITIAL_DELAY_MS)
})
