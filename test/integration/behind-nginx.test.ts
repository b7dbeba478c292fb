// As behind-haproxy.test.ts. nginx of Debian has no health checks of its own: it finds out by asking.

import t from 'tap'
import { SAFE_REQUESTS } from '../support/loss-requests.ts'
import { describeTally, failuresOf } from '../support/loss-tally.ts'
import { Nginx } from '../support/nginx.ts'
import { missingPrograms } from '../support/programs.ts'
import { rollingRestart } from '../support/rolling-restart.ts'

t.setTimeout(300_000)

const PLAN = { connections: 16, rounds: 1, answersBetween: 300, requests: SAFE_REQUESTS } as const

t.test('a rolling restart behind nginx loses no GET', { skip: skipReason() }, async (t) => {
  const { tally, details, exitCodes } = await rollingRestart(new Nginx(), PLAN)
  t.comment(describeTally(tally))
  t.same(exitCodes, [0, 0], 'both ended with every request answered')
  t.equal(failuresOf(tally), 0, [...details.keys()].join(', ') || 'no request failed')
})

function skipReason(): string | false {
  return missingPrograms('nginx') || (process.platform !== 'linux' && 'reads /proc')
}
