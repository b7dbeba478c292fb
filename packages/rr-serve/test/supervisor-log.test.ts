import type { SerializedError, ServerEvent } from '@rr/listener'
import t from 'tap'
import { describeListening, describeServerEvent } from '../src/supervisor-log.ts'

const ERROR: SerializedError = {
  name: 'TypeError',
  message: 'broken',
  stack: 'TypeError: broken\n    at app.ts:1:1',
  code: null,
  cause: null,
}
const EXIT = {
  type: 'worker-exited',
  workerId: 2,
  generation: 1,
  reason: 'out-of-memory',
  exitCode: 1,
  error: ERROR,
  connectionsLost: 3,
  requestsLost: 1,
  restartDelayMs: 100,
} as const satisfies ServerEvent

function describe(event: ServerEvent, hasStarted = true): string | null {
  const line = describeServerEvent(event, hasStarted)
  return line === null ? null : `${line.level}: ${line.message}`
}

t.test('every event has a sentence', async (t) => {
  const cases: [event: ServerEvent, line: string][] = [
    [{ type: 'server-starting', workers: 1, workersReason: 'x' }, 'info: 1 worker: x'],
    [{ type: 'server-starting', workers: 2, workersReason: 'x' }, 'info: 2 workers: x'],
    [
      { type: 'worker-listening', workerId: 1, threadId: 1, generation: 1, port: 80 },
      'debug: worker 1 listens',
    ],
    [
      { type: 'worker-listening', workerId: 1, threadId: 9, generation: 2, port: 80 },
      'info: worker 1 listens again',
    ],
    [
      { type: 'worker-failed', workerId: 1, generation: 2, stage: 'setup', error: ERROR },
      'error: worker 1 could not start: setup failed',
    ],
    [
      {
        type: 'worker-failed',
        workerId: 1,
        generation: 2,
        stage: 'hooks',
        error: { ...ERROR, name: 'ApplicationLoadError' },
      },
      'error: worker 1 could not start: application failed',
    ],
    [EXIT, 'error: worker 2 ended: out-of-memory, exit code 1; another starts in 100 ms'],
    [
      { ...EXIT, reason: 'exited', restartDelayMs: null, error: null },
      'error: worker 2 ended: exited, exit code 1',
    ],
    [{ ...EXIT, reason: 'stopped' }, 'debug: worker 2 ended'],
    [
      { type: 'worker-stalled', workerId: 1, stalledMs: 9000, isReplaced: true },
      'warn: the event loop of worker 1 has stood still for 9000 ms; it is replaced',
    ],
    [
      { type: 'worker-recovered', workerId: 1, stalledMs: 9000 },
      'warn: the event loop of worker 1 runs again after 9000 ms',
    ],
    [
      { type: 'handler-error', workerId: 1, error: ERROR, request: null },
      'error: a handler failed in worker 1',
    ],
    [
      { type: 'handler-errors-dropped', workerId: 1, count: 7 },
      'error: 7 more handler errors in worker 1 are not shown',
    ],
    [
      { type: 'drain-expected', timeoutMs: 5 },
      'info: a drain is to be expected: open requests are told to end in 5 ms',
    ],
    [{ type: 'routes-reloaded', durationMs: 7 }, 'info: new routes in all workers, 7 ms'],
    [
      { type: 'drain-started', timeoutMs: 5, delayMs: 0 },
      'info: draining: open requests have 5 ms to finish',
    ],
    [
      { type: 'drain-ended', drained: true, remaining: 0 },
      'info: drained: every request was answered',
    ],
    [
      { type: 'drain-ended', drained: false, remaining: 2 },
      'warn: not drained: 2 connections were cut',
    ],
    [
      { type: 'warning', code: 'RR_ACCEPT_FAILED', message: 'no more files', workerId: 1 },
      'warn: no more files',
    ],
  ]
  for (const [event, line] of cases) t.equal(describe(event), line)
})

t.test('a start that fails is told by its error, not by events', async (t) => {
  t.equal(
    describe(
      { type: 'worker-failed', workerId: 1, generation: 1, stage: 'listen', error: ERROR },
      false,
    ),
    null,
  )
  t.equal(describe(EXIT, false), 'debug: worker 2 ended')
  t.equal(describe({ type: 'drain-ended', drained: true, remaining: 0 }, false), null)
})

t.test('facts are fields, and errors are errors again', async (t) => {
  const fields = describeServerEvent(EXIT, true)?.fields ?? {}
  const { err, ...rest } = fields
  t.ok(err instanceof Error)
  t.match(err, { name: 'TypeError', message: 'broken', stack: ERROR.stack })
  const { type: _, error: __, ...facts } = EXIT
  t.strictSame(rest, facts)
})

t.test('the address, in brackets for IPv6, and a local one for all addresses', async (t) => {
  const info = (() => ({ workers: [1, 2] })) as never
  const message = (host: string): string => describeListening({ host, port: 80, info }).message
  t.equal(message('127.0.0.1'), 'listening on http://127.0.0.1:80')
  t.equal(message('::1'), 'listening on http://[::1]:80')
  t.equal(
    message('0.0.0.0'),
    'listening on http://0.0.0.0:80 (on this machine: http://localhost:80)',
  )
  t.equal(message('::'), 'listening on http://[::]:80 (on this machine: http://localhost:80)')
})
