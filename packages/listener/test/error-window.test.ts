import { mock } from 'node:test'
import t from 'tap'
import { ErrorWindow } from '../src/error-window.ts'

t.beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }))
t.afterEach(() => mock.timers.reset())

function enter(window: ErrorWindow, times: number): number {
  return Array.from({ length: times }, () => window.tryEnter()).filter(Boolean).length
}

t.test('ten a second enter, and the count of the others is told when it has passed', async (t) => {
  const told: number[] = []
  const window = new ErrorWindow((count) => told.push(count))
  t.equal(enter(window, 10), 10)
  t.equal(enter(window, 5), 0)
  mock.timers.tick(999)
  t.equal(enter(window, 1), 0)
  t.strictSame(told, [])
  mock.timers.tick(1)
  t.strictSame(told, [6])
  t.equal(enter(window, 11), 10, 'the next second')
  mock.timers.tick(1000)
  t.strictSame(told, [6, 1])
})

t.test('nothing is told where nothing was left out', async (t) => {
  const window = new ErrorWindow(() => t.fail('nothing was left out'))
  enter(window, 10)
  mock.timers.tick(1000)
  window.close()
})

t.test('the end of the thread tells the rest', async (t) => {
  const told: number[] = []
  const window = new ErrorWindow((count) => told.push(count))
  enter(window, 13)
  window.close()
  t.strictSame(told, [3])
  mock.timers.tick(1000)
  t.strictSame(told, [3])
})
