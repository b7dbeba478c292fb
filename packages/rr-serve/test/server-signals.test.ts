import { EventEmitter } from 'node:events'
import t from 'tap'
import { ServerSignals } from '../src/server-signals.ts'

interface Watch {
  readonly send: (signal: NodeJS.Signals, atMs: number) => void
  /** Begins to obey what was sent and what will be. */
  readonly obey: () => void
  readonly log: string[]
}

function watchUnheard(): Watch {
  const source = new EventEmitter()
  const log: string[] = []
  let nowMs = 0
  const signals = new ServerSignals(source, () => nowMs)
  const obey = (): void =>
    signals.obey({
      onStop: (signal) => log.push(`stop ${signal}`),
      onForce: (signal) => log.push(`force ${signal}`),
      onReload: (signal) => log.push(`reload ${signal}`),
    })
  const send = (signal: NodeJS.Signals, atMs: number): void => {
    nowMs = atMs
    source.emit(signal)
  }
  return { send, obey, log }
}

function watch(): Watch {
  const watched = watchUnheard()
  watched.obey()
  return watched
}

t.test('the first signal stops, further ones force', async (t) => {
  const { send, log } = watch()
  send('SIGTERM', 0)
  send('SIGTERM', 1000)
  send('SIGINT', 2000)
  t.strictSame(log, ['stop SIGTERM', 'force SIGTERM', 'force SIGINT'])
})

t.test('a repeat within 100 ms of the first is the same wish', async (t) => {
  const { send, log } = watch()
  send('SIGINT', 0)
  send('SIGINT', 99)
  t.strictSame(log, ['stop SIGINT'])
  send('SIGINT', 100)
  t.strictSame(log, ['stop SIGINT', 'force SIGINT'])
})

t.test('repeats that never pause force, too', async (t) => {
  const { send, log } = watch()
  for (let atMs = 0; atMs <= 300; atMs += 50) send('SIGTERM', atMs)
  t.strictSame(log.slice(0, 2), ['stop SIGTERM', 'force SIGTERM'])
})

t.test('what comes before anybody obeys is kept, in order', async (t) => {
  const { send, obey, log } = watchUnheard()
  send('SIGTERM', 0)
  send('SIGTERM', 50)
  send('SIGINT', 200)
  t.strictSame(log, [])
  obey()
  t.strictSame(log, ['stop SIGTERM', 'force SIGINT'])
})

t.test('another signal is another wish, however soon', async (t) => {
  const { send, log } = watch()
  send('SIGINT', 0)
  send('SIGTERM', 1)
  t.strictSame(log, ['stop SIGINT', 'force SIGTERM'])
})

t.test(
  'SIGHUP asks for a reload, before a stop and after it, and never counts as one',
  async (t) => {
    const { send, log } = watch()
    send('SIGHUP', 0)
    send('SIGHUP', 99)
    send('SIGHUP', 100)
    send('SIGTERM', 150)
    send('SIGHUP', 200)
    send('SIGTERM', 250)
    t.strictSame(log, [
      'reload SIGHUP',
      'reload SIGHUP',
      'stop SIGTERM',
      'reload SIGHUP',
      'force SIGTERM',
    ])
  },
)

t.test('a SIGHUP that comes before somebody obeys is kept', async (t) => {
  const { send, obey, log } = watchUnheard()
  send('SIGHUP', 0)
  t.strictSame(log, [])
  obey()
  t.strictSame(log, ['reload SIGHUP'])
})
