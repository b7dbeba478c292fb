// Scale past one machine is the balancer's: two rr-serve behind a real one, with the configuration
// that docs/deploy gives, restarted one after the other under load.

import t, { type Test } from 'tap'
import { Haproxy } from '../support/haproxy.ts'
import { LOSS_REQUESTS, SAFE_REQUESTS } from '../support/loss-requests.ts'
import { describeTally, failuresOf } from '../support/loss-tally.ts'
import { missingPrograms } from '../support/programs.ts'
import { type RestartReport, rollingRestart } from '../support/rolling-restart.ts'

const PLAN = { connections: 32, rounds: 1, answersBetween: 300 } as const

function checkLossless(t: Test, { tally, details, exitCodes }: RestartReport): void {
  t.comment(describeTally(tally))
  t.same(exitCodes, [0, 0], 'both ended with every request answered')
  t.equal(failuresOf(tally), 0, [...details.keys()].join(', ') || 'no request failed')
}

t.test('behind HAProxy', { skip: missingPrograms('haproxy') }, async (t) => {
  await t.test('a rolling restart that HAProxy finds out by itself loses no GET', async (t) => {
    const balancer = new Haproxy({ isTold: false })
    checkLossless(t, await rollingRestart(balancer, { ...PLAN, requests: SAFE_REQUESTS }))
  })

  await t.test('a rolling restart that HAProxy is told of loses no GET and no POST', async (t) => {
    const balancer = new Haproxy({ isTold: true })
    checkLossless(t, await rollingRestart(balancer, { ...PLAN, requests: LOSS_REQUESTS }))
  })
})
