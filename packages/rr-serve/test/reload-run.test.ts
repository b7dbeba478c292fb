import { RrError } from '@rr/core'
import type { ReloadResult } from '@rr/listener'
import { pino } from 'pino'
import t from 'tap'
import { ApplicationLoadError } from '../src/load-error.ts'
import { describeChange, ReloadRun } from '../src/reload-run.ts'

interface Line {
  readonly level: number
  readonly msg: string
  readonly [field: string]: unknown
}

/** A server whose reload ends as `reload` says, with what was asked of it and logged. */
function runWith(reload: () => Promise<void>): {
  run: ReloadRun
  asked: unknown[]
  lines: Line[]
} {
  const asked: unknown[] = []
  const lines: Line[] = []
  const log = pino({ base: null }, { write: (line) => lines.push(JSON.parse(line) as Line) })
  const server = {
    reload: async (options?: unknown): Promise<ReloadResult> => {
      asked.push(options)
      await reload()
      return { replaced: 2, remaining: 0 }
    },
  }
  return { run: new ReloadRun(server, 'app.ts', log), asked, lines }
}

t.test('a reload is one line, with why and how long', async (t) => {
  const { run, asked, lines } = runWith(async () => {})
  await run.reload({ signal: 'SIGHUP' })
  await run.reload({ changed: ['/x/a.ts'] }, { timeoutMs: 1000 })
  t.strictSame(asked, [{}, { timeoutMs: 1000 }])
  t.equal(lines.length, 2)
  t.match(lines[0], { level: 30, signal: 'SIGHUP', msg: /^reloaded in \d+ ms: SIGHUP$/ })
  t.match(lines[1], {
    changed: ['/x/a.ts'],
    durationMs: Number,
    msg: /^reloaded in \d+ ms: \/x\/a\.ts has changed$/,
  })
})

t.test('one that fails is explained, and never rejects', async (t) => {
  const place = new ApplicationLoadError('SyntaxError: no\n    at app.ts:3:1')
  const failures: [error: unknown, says: string][] = [
    [
      new RrError('RR_RELOAD_FAILED', 'outer', { cause: place }),
      'cannot load app.ts\n\nSyntaxError: no\n    at app.ts:3:1',
    ],
    [
      new RrError('RR_RELOAD_FAILED', 'outer', {
        cause: new RrError('RR_APPLICATION_FAILED', 'x', { cause: new Error('no database') }),
      }),
      'cannot start app.ts\n\nError: no database',
    ],
    [
      new RrError('RR_RELOAD_FAILED', 'outer', { cause: new Error('no database') }),
      'cannot start app.ts\n\nError: no database',
    ],
    [new RrError('RR_SERVER_STATE', 'the server is draining'), 'the server is draining'],
  ]
  for (const [error, says] of failures) {
    const { run, lines } = runWith(() => Promise.reject(error))
    await run.reload({ changed: ['/x/a.ts'] })
    t.equal(lines.length, 1)
    t.equal(lines[0]?.level, 50)
    const message = lines[0]?.msg ?? ''
    t.ok(message.startsWith('not reloaded, the code before serves on: /x/a.ts has changed\n'))
    t.match(message, says)
  }
})

t.test('it tells whether one is under way, of several too', async (t) => {
  const ends: (() => void)[] = []
  const { run } = runWith(() => new Promise((resolve) => ends.push(resolve)))
  t.equal(run.isUnderWay, false)
  const reloads = [run.reload({ signal: 'SIGHUP' }), run.reload({ signal: 'SIGHUP' })]
  t.equal(run.isUnderWay, true)
  ends[0]?.()
  await reloads[0]
  t.equal(run.isUnderWay, true)
  ends[1]?.()
  await reloads[1]
  t.equal(run.isUnderWay, false)
})

t.test('many files are counted', async (t) => {
  t.equal(describeChange(['/a']), '/a has changed')
  t.equal(describeChange(['/a', '/b', '/c']), '/a, /b, /c have changed')
  t.equal(
    describeChange(['/a', '/b', '/c', '/d', '/e']),
    '/a, /b, /c and 2 more files have changed',
  )
})
