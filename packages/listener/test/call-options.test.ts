import t from 'tap'
import {
  resolveDrainOptions,
  resolveNoticeTimeout,
  resolveReloadOptions,
  resolveReloadRoutesTimeout,
} from '../src/call-options.ts'

const SERVER = { drainTimeoutMs: 1234, drainDelayMs: 56 }

const CALLS: readonly (readonly [name: string, resolve: (input: object) => object])[] = [
  ['drain()', (input) => resolveDrainOptions(input, SERVER)],
  ['notifyDrain()', (input) => ({ timeoutMs: resolveNoticeTimeout(input, 1234) })],
  ['reload()', (input) => resolveReloadOptions(input, 1234)],
  ['reloadRoutes()', (input) => ({ timeoutMs: resolveReloadRoutesTimeout(input) })],
]

t.test('what is left out is as for the server', async (t) => {
  const [drain, notice, reload, routes] = CALLS.map(([, resolve]) =>
    resolve({ timeoutMs: undefined }),
  )
  t.strictSame(drain, { timeoutMs: 1234, delayMs: 56 })
  t.strictSame(notice, { timeoutMs: 1234 })
  t.strictSame(reload, { leaveMs: 1234, startMs: 300_000 })
  t.strictSame(routes, { timeoutMs: 30_000 })
})

t.test('what is given counts, 0 included', async (t) => {
  const given = { timeoutMs: 0, delayMs: 0 }
  t.strictSame(resolveDrainOptions(given, SERVER), given)
  t.equal(resolveNoticeTimeout({ timeoutMs: 0 }, 1234), 0)
  const reload = resolveReloadOptions({ timeoutMs: 0, startTimeoutMs: 1 }, 1234)
  t.strictSame(reload, { leaveMs: 0, startMs: 1 })
})

for (const [name, resolve] of CALLS) {
  t.test(`${name} refuses what is out of bounds, and what it does not know`, async (t) => {
    const outside = name === 'reloadRoutes()' ? [0, 86_400_001] : [-1, 86_400_001]
    for (const timeoutMs of outside) {
      t.throws(() => resolve({ timeoutMs }), { code: 'RR_OPTION_INVALID' })
    }
    t.throws(() => resolve({ timeout: 1 }), { code: 'RR_OPTION_UNKNOWN', message: name })
    if (name === 'drain()') return
    t.throws(() => resolve({ delayMs: 1 }), { code: 'RR_OPTION_UNKNOWN' }, 'that is of a drain')
  })
}

t.test('a delay of drain() and a start of reload() have bounds', async (t) => {
  for (const delayMs of [-1, 3_600_001]) {
    t.throws(() => resolveDrainOptions({ delayMs }, SERVER), { code: 'RR_OPTION_INVALID' })
  }
  for (const startTimeoutMs of [0, 86_400_001]) {
    t.throws(() => resolveReloadOptions({ startTimeoutMs }, 1), { code: 'RR_OPTION_INVALID' })
  }
})
