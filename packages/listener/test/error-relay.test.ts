import { mock } from 'node:test'
import type { HttpRequest } from '@rr/core'
import t, { type Test } from 'tap'
import { ErrorRelay } from '../src/error-relay.ts'
import type { FailedRequest } from '../src/server-events.ts'

const request = {
  id: 'a-1',
  method: 'GET',
  target: `/${'x'.repeat(5000)}`,
  client: { address: '192.0.2.1' },
} as HttpRequest

function setUp(t: Test): {
  relay: ErrorRelay
  reported: [string, FailedRequest | null][]
  dropped: number[]
} {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const reported: [string, FailedRequest | null][] = []
  const dropped: number[] = []
  const relay = new ErrorRelay({
    report: (error, failed) => reported.push([error.message, failed]),
    reportDropped: (count) => dropped.push(count),
  })
  return { relay, reported, dropped }
}

t.test('errors are reported with their request, cut to a safe length', async (t) => {
  const { relay, reported } = setUp(t)
  relay.report(new Error('one'), request)
  relay.report(new Error('two'), null)
  t.match(reported[0], ['one', { id: 'a-1', method: 'GET', client: '192.0.2.1' }])
  t.equal(reported[0]![1]!.target.length, 1024)
  t.strictSame(reported[1], ['two', null])
})

t.test('a flood is cut to ten a second, the rest counted', async (t) => {
  const { relay, reported, dropped } = setUp(t)
  for (let count = 0; count < 1000; count++) relay.report(new Error('again'), request)
  t.equal(reported.length, 10)
  t.strictSame(dropped, [])
  mock.timers.tick(1000)
  t.strictSame(dropped, [990])
  mock.timers.tick(5000)
  t.strictSame(dropped, [990], 'told once')
  relay.report(new Error('later'), request)
  t.equal(reported.length, 11, 'and the next second has room again')
})

t.test('flush tells what was left out so far', async (t) => {
  const { relay, dropped } = setUp(t)
  for (let count = 0; count < 12; count++) relay.report(new Error('again'), null)
  relay.flush()
  t.strictSame(dropped, [2])
  mock.timers.tick(5000)
  t.strictSame(dropped, [2])
})
