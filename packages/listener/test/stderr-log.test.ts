// What handlers log to where nobody gave a logger.

import t from 'tap'
import { stderrLog } from '../src/stderr-log.ts'

function collect(): { lines: string[]; log: ReturnType<typeof stderrLog> } {
  const lines: string[] = []
  return { lines, log: stderrLog({ worker: 1 }, (line) => void lines.push(line)) }
}

t.test('lines from warn on, as JSON with the levels of pino', async (t) => {
  const { lines, log } = collect()
  log.trace('no')
  log.debug('no')
  log.info({ a: 1 }, 'no')
  log.warn('first')
  log.error({ a: 1 }, 'second')
  log.fatal({ b: [2n] })
  t.ok(lines.every((line) => line.endsWith('\n') && !line.slice(0, -1).includes('\n')))
  t.match(
    lines.map((line) => JSON.parse(line)),
    [
      { level: 40, time: Number, worker: 1, msg: 'first' },
      { level: 50, worker: 1, a: 1, msg: 'second' },
      { level: 60, worker: 1, b: ['2'] },
    ],
  )
})

t.test('children carry the fields of all before them', async (t) => {
  const { lines, log } = collect()
  log.child({ requestId: 'x' }).child({ step: 2 }).warn({ step: 3 }, 'here')
  t.match(JSON.parse(lines[0]!), { worker: 1, requestId: 'x', step: 3, msg: 'here' })
})

t.test('errors, alone or in a field, with their stack', async (t) => {
  const { lines, log } = collect()
  log.error(new TypeError('no luck'))
  log.error({ err: new RangeError('out') }, 'while working')
  t.match(JSON.parse(lines[0]!), {
    msg: 'no luck',
    err: { name: 'TypeError', message: 'no luck', stack: /stderr-log/ },
  })
  t.match(JSON.parse(lines[1]!), { msg: 'while working', err: { name: 'RangeError' } })
})

t.test('nothing that a client sends ends a line or reaches a terminal as a control', async (t) => {
  const { lines, log } = collect()
  log.warn({ target: '/\n{"forged":1}\u2028\u009b31m\x7f' }, 'a\r\nb\x1b[31m')
  t.match(lines[0], /^[\x20-\x7e]+\n$/)
  t.match(JSON.parse(lines[0]!), { msg: 'a\r\nb\x1b[31m', target: /\u2028\u009b31m\x7f$/ })
})

t.test('what JSON cannot hold is left out, and the message is still there', async (t) => {
  const { lines, log } = collect()
  const circle: Record<string, unknown> = {}
  circle['self'] = circle
  log.warn(circle, 'round')
  log.warn(
    {
      toJSON: () => {
        throw new Error('no')
      },
    },
    'thrown',
  )
  t.match(JSON.parse(lines[0]!), { level: 40, worker: 1, msg: 'round' })
  t.match(JSON.parse(lines[1]!), { level: 40, worker: 1 })
})
