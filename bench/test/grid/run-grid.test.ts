import t from 'tap'
import type { RunRequest } from '../../src/grid/measure-run.ts'
import type { Cell, MeasuredRun, RunRecord } from '../../src/grid/result-file.ts'
import { countRuns, type GridPlan, runGrid } from '../../src/grid/run-grid.ts'
import { sampleMeasured } from '../report/sample-result.ts'
import { fakeScenario, scriptServer } from './fake-parts.ts'

const NEVER = new AbortController().signal

interface Setup {
  readonly cells?: Partial<Record<string, Cell['state']>>
  readonly rounds?: number
  readonly fractions?: readonly number[]
  measure?(request: RunRequest): Promise<MeasuredRun>
}

function planOf({ cells = {}, rounds = 2, fractions = [], measure }: Setup): GridPlan {
  const scenarios = [fakeScenario('hello'), fakeScenario('echo')]
  const servers = [scriptServer('a', ''), scriptServer('b', '')]
  return {
    scenarios,
    servers,
    cells: scenarios.flatMap((scenario) =>
      servers.map((server) => ({
        scenario: scenario.name,
        server: server.name,
        state: cells[`${scenario.name} ${server.name}`] ?? 'measured',
        reason: null,
      })),
    ),
    options: { rounds, fractions },
    hasRates: () => true,
    measure:
      measure ??
      (async ({ rate }) => sampleMeasured({ rps: 100, cpuMicroseconds: 9 }, rate !== null)),
  }
}

async function run(
  plan: GridPlan,
  signal = NEVER,
): Promise<{ records: RunRecord[]; skipped: string[]; isWhole: boolean }> {
  const records: RunRecord[] = []
  const skipped: string[] = []
  const isWhole = await runGrid(
    plan,
    {
      onRun: (record) => records.push(record),
      onSkipped: (scenario, server, runs) => skipped.push(`${scenario} ${server} ${runs}`),
      onScenarioEnd: () => undefined,
    },
    signal,
  )
  return { records, skipped, isWhole }
}

const order = (records: readonly RunRecord[]): string =>
  records.map(({ server, round, fraction }) => `${server}${round}${fraction ?? ''}`).join(' ')

t.test('servers take turns within every round', async (t) => {
  const plan = planOf({ rounds: 3, cells: { 'echo a': 'wrong', 'echo b': 'missing' } })
  const { records, isWhole } = await run(plan)
  t.equal(order(records), 'a1 b1 a2 b2 a3 b3')
  t.same(
    records.map(({ sequence }) => sequence),
    [1, 2, 3, 4, 5, 6],
  )
  t.equal(isWhole, true)
  t.equal(countRuns(plan), 6)
})

t.test('rates are parts of the median peak of the server itself', async (t) => {
  const peaks = { a: [100, 300, 200], b: [1000, 1000, 4000] }
  const plan = planOf({
    rounds: 3,
    fractions: [0.5, 0.9],
    cells: { 'echo a': 'not-run', 'echo b': 'not-run' },
    measure: async ({ server, rate }) => {
      const rps = rate ?? peaks[server.name as 'a' | 'b'].shift() ?? 0
      return sampleMeasured({ rps, cpuMicroseconds: 9 }, rate !== null)
    },
  })
  const { records } = await run(plan)
  const rates = records.filter(({ fraction }) => fraction !== null)
  t.equal(order(rates.slice(0, 4)), 'a10.5 b10.5 a10.9 b10.9')
  t.same(
    rates.slice(0, 4).map(({ rate }) => rate),
    [100, 500, 180, 900],
  )
  t.equal(records.length, countRuns(plan))
})

t.test('a scenario that no driver can pace has peaks only', async (t) => {
  const base = planOf({ rounds: 1, fractions: [0.5] })
  const plan = { ...base, hasRates: (scenario: string) => scenario === 'echo' }
  const { records } = await run(plan)
  t.equal(order(records), 'a1 b1 a1 b1 a10.5 b10.5')
  t.equal(records.length, countRuns(plan))
})

t.test('a failed run is recorded, and the others go on', async (t) => {
  const plan = planOf({
    rounds: 1,
    fractions: [0.5],
    measure: async ({ scenario, server, rate }) => {
      if (server.name === 'a' && scenario.name === 'hello') throw new Error('it ended')
      return sampleMeasured({ rps: 100, cpuMicroseconds: 9 }, rate !== null)
    },
  })
  const { records, skipped, isWhole } = await run(plan)
  t.match(records[0], { server: 'a', measured: null, failure: 'it ended' })
  t.equal(order(records), 'a1 b1 b10.5 a1 b1 a10.5 b10.5')
  t.same(skipped, ['hello a 1'], 'without a peak there is no rate to run at')
  t.equal(isWhole, true)
})

t.test('an interruption keeps finished runs and records nothing of the broken one', async (t) => {
  const controller = new AbortController()
  let runs = 0
  const plan = planOf({
    measure: async () => {
      runs += 1
      if (runs === 3) {
        controller.abort(new Error('interrupted'))
        throw new Error('killed')
      }
      return sampleMeasured({ rps: 100, cpuMicroseconds: 9 }, false)
    },
  })
  const { records, isWhole } = await run(plan, controller.signal)
  t.equal(order(records), 'a1 b1')
  t.equal(isWhole, false)
  t.equal(runs, 3, 'no further run was begun')
})
