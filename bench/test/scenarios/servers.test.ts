import { readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import t from 'tap'
import { startServerRun } from '../../src/grid/server-run.ts'
import { SCENARIOS, verify } from '../../src/scenarios/index.ts'
import { SERVERS } from '../../src/servers.ts'

/** What every install of the workspace has. */
const ALWAYS = ['rr', 'node-http']

for (const server of SERVERS) {
  const probed = await server.probe()
  const missing = 'missing' in probed ? `${server.name}: ${probed.missing}` : false
  const skip = ALWAYS.includes(server.name) ? false : missing
  t.test(`${server.name} answers every scenario of its own right`, { skip }, async (t) => {
    if (!('version' in probed)) throw new Error(probed.missing)
    t.match(probed.version, /\d+\.\d+/)
    const signal = AbortSignal.timeout(60_000)
    const run = await startServerRun(server, { workers: 1, cpus: [], signal })
    t.teardown(() => run.end())
    for (const scenario of SCENARIOS) {
      if (server.without[scenario.name] !== undefined) continue
      // What rr cannot do yet is not run on the others either, but they must be ready for it.
      if (scenario.notYet !== null && server.name === 'rr') continue
      t.same(await verify(run.url, scenario), [], scenario.name)
    }
    t.ok(run.isRunning(), 'still there at the end')
  })
}

t.test('two workers answer, and leave nothing behind', async (t) => {
  const left = () => readdirSync(tmpdir()).filter((name) => /^bench-(nginx|h2o)-/.test(name))
  const before = left()
  for (const name of ['rr', 'node-http', 'nginx', 'h2o']) {
    const server = SERVERS.find((candidate) => candidate.name === name)!
    if ('missing' in (await server.probe())) continue
    const signal = AbortSignal.timeout(60_000)
    const run = await startServerRun(server, { workers: 2, cpus: [], signal })
    try {
      t.same(await verify(run.url, SCENARIOS[0]!), [], name)
    } finally {
      await run.end()
    }
  }
  t.same(left(), before)
})
