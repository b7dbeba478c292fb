import t from 'tap'
import { chooseDriver } from '../../src/grid/driver-choice.ts'
import type { LoadPlan } from '../../src/model.ts'
import { fakeDriver, fakeScenario } from './fake-parts.ts'

const WRK = fakeDriver('wrk', [], ({ rate }) => rate === null)
const WRK2 = fakeDriver('wrk2', [], ({ rate }) => rate !== null)
const IN_REPO = fakeDriver('in-repo', [], () => true)

const plan = (rate: number | null): LoadPlan => ({
  ...{ url: '', scenario: fakeScenario('hello'), seconds: 1, rate, cpus: [] },
})

t.test(
  'auto: programs in C first, the one in this repository where they are missing',
  async (t) => {
    const all = [IN_REPO, WRK, WRK2]
    t.equal(chooseDriver(all, plan(null), 'auto')?.name, 'wrk')
    t.equal(chooseDriver(all, plan(100), 'auto')?.name, 'wrk2')
    t.equal(chooseDriver([IN_REPO], plan(100), 'auto')?.name, 'in-repo')
  },
)

t.test('the driver asked for, except where it cannot', async (t) => {
  const all = [WRK, WRK2, IN_REPO]
  t.equal(chooseDriver(all, plan(null), 'in-repo')?.name, 'in-repo')
  t.equal(chooseDriver(all, plan(100), 'in-repo')?.name, 'in-repo')
  t.equal(chooseDriver(all, plan(100), 'wrk')?.name, 'wrk2')
})

t.test('none that can', async (t) => {
  t.equal(chooseDriver([WRK], plan(100), 'auto'), null)
  t.equal(chooseDriver([], plan(null), 'auto'), null)
})
