import { EventEmitter } from 'node:events'
import t from 'tap'
import { watchStopSignals } from '../src/stop-signals.ts'

function watch(): { send: (signal: NodeJS.Signals, atMs: number) => void; log: string[] } {
  const source = new EventEmitter()
  const log: string[] = []
  let nowMs = 0
  watchStopSignals(
    {
      onStop: (signal) => log.push(`stop ${signal}`),
      onForce: (signal) => log.push(`force ${signal}`),
    },
    source,
    () => nowMs,
  )
  const send = (signal: NodeJS.Signals, atMs: number): void => {
    nowMs = atMs
    source.emit(signal)
  }
  return { send, log }
}

t.test('the first signal stops, further ones force', async (t) => {
  const { send, log } = watch()
  send('SIGTERM', 0)
  send('SIGTERM', 1000)
  send('SIGINT', 2000)
  t.strictSame(log, ['stop SIGTERM', 'force SIGTERM', 'force SIGINT'])
})

t.test('a repeat within 100 ms is the same wish, at the latest repeat', async (t) => {
  const { send, log } = watch()
  send('SIGINT', 0)
  send('SIGINT', 99)
  send('SIGINT', 198)
  t.strictSame(log, ['stop SIGINT'])
  send('SIGINT', 298)
  t.strictSame(log, ['stop SIGINT', 'force SIGINT'])
})

t.test('another signal is another wish, however soon', async (t) => {
  const { send, log } = watch()
  send('SIGINT', 0)
  send('SIGTERM', 1)
  t.strictSame(log, ['stop SIGINT', 'force SIGTERM'])
})
