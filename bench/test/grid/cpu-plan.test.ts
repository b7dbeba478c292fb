import t from 'tap'
import { parseCpuList, planCpus, readCores } from '../../src/grid/cpu-plan.ts'

const plan = (cores: number[][], workers: number, hasTaskset = true) =>
  planCpus({ cores, workers, hasTaskset })

t.test('two cores, one worker: one core each', async (t) => {
  t.match(plan([[0], [1]], 1), { server: [0], driver: [1], note: /different cores/ })
})

t.test('the driver gets every core that no worker has', async (t) => {
  t.match(plan([[0], [1], [2], [3]], 2), { server: [0, 1], driver: [2, 3] })
})

t.test('the second hardware thread of a worker core stays idle', async (t) => {
  const cores = [
    [0, 2],
    [1, 3],
  ]
  t.match(plan(cores, 1), { server: [0], driver: [1, 3] })
  t.match(plan(cores, 2), { server: [0, 1], driver: [2, 3], note: /share physical cores/ })
})

t.test('as many workers as CPUs share them all with the driver, and it is said', async (t) => {
  t.match(plan([[0], [1]], 2), { server: [], driver: [], note: /2 workers and the driver share/ })
})

t.test('one CPU, or no taskset: nothing is bound, and it is said', async (t) => {
  t.match(plan([[0]], 1), { server: [], driver: [], note: /one CPU/ })
  t.match(plan([[0], [1]], 1, false), { server: [], driver: [], note: /taskset is missing/ })
})

t.test('lists of CPUs', async (t) => {
  t.same(parseCpuList('0-2,5,7-8'), [0, 1, 2, 5, 7, 8])
  t.same(parseCpuList('3'), [3])
  t.ok(readCores().flat().length >= 1)
})
