import t from 'tap'
import { checkServers } from '../../src/grid/check-servers.ts'
import type { ServerRun } from '../../src/grid/server-run.ts'
import type { BenchServer } from '../../src/model.ts'
import { fakeScenario, scriptServer } from './fake-parts.ts'

const NEVER = new AbortController().signal
const SCENARIOS = [
  fakeScenario('hello'),
  fakeScenario('echo'),
  fakeScenario('gzip', { notYet: 'no middleware' }),
]

async function check(
  server: BenchServer,
  {
    workers = 1,
    problems = {},
    start,
  }: {
    workers?: number
    problems?: Readonly<Record<string, readonly string[]>>
    start?: () => Promise<ServerRun>
  } = {},
): Promise<{ cells: string[]; starts: number; ends: number }> {
  const counts = { starts: 0, ends: 0 }
  const run: ServerRun = {
    url: '',
    pid: 1,
    isRunning: () => problems['crash'] === undefined,
    end: async () => {
      counts.ends += 1
    },
  }
  const { cells } = await checkServers(
    {
      scenarios: SCENARIOS,
      servers: [server],
      workers,
      verify: async (_url, scenario) => problems[scenario.name] ?? [],
      start: async () => {
        if (start !== undefined) return start()
        counts.starts += 1
        return run
      },
      onServer: () => undefined,
    },
    NEVER,
  )
  const shown = cells.map(({ scenario, state, reason }) => `${scenario} ${state} ${reason}`)
  return { cells: shown, ...counts }
}

const SERVER = scriptServer('a', '')

t.test('a server that answers right is measured, from one start', async (t) => {
  t.same(await check(SERVER), {
    cells: ['hello measured null', 'echo measured null', 'gzip not-run not yet: no middleware'],
    starts: 1,
    ends: 1,
  })
})

t.test('a wrong answer is shown with what is wrong', async (t) => {
  const { cells } = await check(SERVER, { problems: { echo: ['status 404', 'body: empty'] } })
  t.equal(cells[1], 'echo wrong status 404; body: empty')
})

t.test('a server that ended is started again for the next scenario', async (t) => {
  const { starts, ends } = await check(SERVER, { problems: { crash: [] } })
  t.same([starts, ends], [2, 2])
})

t.test('a missing server and one that does not start are shown as such', async (t) => {
  const missing = { ...SERVER, probe: async () => ({ missing: 'not installed' }) }
  t.equal((await check(missing)).cells[0], 'hello missing not installed')
  const broken = { ...SERVER, probe: async () => Promise.reject(new Error('no version')) }
  t.equal((await check(broken)).cells[0], 'hello missing no version')
  const start = async (): Promise<ServerRun> => Promise.reject(new Error('a did not start'))
  t.equal((await check(SERVER, { start })).cells[0], 'hello wrong a did not start')
})

t.test('what a server is not run on has its reason', async (t) => {
  const partial = { ...SERVER, without: { echo: 'no bodies' } }
  t.equal((await check(partial)).cells[1], 'echo not-run no bodies')
  t.equal((await check(SERVER, { workers: 2 })).cells[0], 'hello not-run it uses one core only')
})
