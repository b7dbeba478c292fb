// Scale past one machine is the balancer's: two rr-serve behind a real one, with the configuration
// that docs/deploy gives, restarted one after the other under load.

import { HTTP_OPTIONS } from '@rr/core'
import { SERVER_OPTIONS } from '@rr/listener'
import t, { type Test } from 'tap'
import { freePort } from '../support/free-port.ts'
import { Haproxy } from '../support/haproxy.ts'
import { getRequest } from '../support/loss-connection.ts'
import { LOSS_REQUESTS, SAFE_REQUESTS } from '../support/loss-requests.ts'
import { describeTally, failuresOf } from '../support/loss-tally.ts'
import { missingPrograms } from '../support/programs.ts'
import { type RestartReport, rollingRestart } from '../support/rolling-restart.ts'

t.setTimeout(300_000)

const PLAN = { connections: 16, rounds: 1, answersBetween: 300 } as const

function checkLossless(t: Test, { tally, details, exitCodes }: RestartReport): void {
  t.comment(describeTally(tally))
  t.same(exitCodes, [0, 0], 'both ended with every request answered')
  t.equal(failuresOf(tally), 0, [...details.keys()].join(', ') || 'no request failed')
}

t.test('behind HAProxy', { skip: missingPrograms('haproxy') }, async (t) => {
  await t.test('a rolling restart that HAProxy finds out by itself loses no GET', async (t) => {
    const balancer = new Haproxy({ file: 'haproxy.cfg', isTold: false })
    checkLossless(t, await rollingRestart(balancer, { ...PLAN, requests: SAFE_REQUESTS }))
  })

  await t.test('a rolling restart that HAProxy is told of loses no POST either', async (t) => {
    const balancer = new Haproxy({ file: 'haproxy.cfg', isTold: true })
    checkLossless(t, await rollingRestart(balancer, { ...PLAN, requests: LOSS_REQUESTS }))
  })

  await t.test(
    'a rolling restart that HAProxy finds out by /readyz loses no POST either',
    { skip: missingOptions('adminPort', 'drainDelayMs') },
    async (t) => {
      const adminPort = await freePort()
      const balancer = new Haproxy({ file: 'haproxy.cfg', adminPort, isTold: false })
      const plan = { ...PLAN, adminPort, args: ['--drain-delay', '3s'], requests: LOSS_REQUESTS }
      checkLossless(t, await rollingRestart(balancer, plan))
    },
  )

  await t.test(
    'with the PROXY protocol, instances see the client, and a rolling restart loses no POST',
    { skip: missingOptions('adminPort', 'drainDelayMs', 'proxyProtocol', 'trustedProxies') },
    async (t) => {
      const adminPort = await freePort()
      const balancer = new Haproxy({ file: 'proxy-protocol.cfg', adminPort, isTold: false })
      const proxy = ['--proxy-protocol', 'require', '--trusted-proxies', '127.0.0.0/8']
      const args = [...proxy, '--drain-delay', '3s']
      const localAddress = '127.0.0.9'
      const requests = [...LOSS_REQUESTS, getRequest('/peer', localAddress)]
      const plan = { ...PLAN, adminPort, args, requests, localAddress }
      checkLossless(t, await rollingRestart(balancer, plan))
    },
  )
})

/** A reason to skip where rr does not have all of the options. */
function missingOptions(...names: string[]): string | false {
  const options = { ...SERVER_OPTIONS, ...HTTP_OPTIONS }
  const missing = names.filter((name) => !Object.hasOwn(options, name))
  return missing.length > 0 && `no option ${missing.join(', ')}`
}
