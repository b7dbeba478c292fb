// What clients lose while a server is changed under them, each request counted and the server's
// slots compared with the kernel's sockets; `npx pnpm loss` is the long version.

import t from 'tap'
import { PACES } from '../support/loss-paces.ts'
import { commentReport, findForeignLosses, findLosses } from '../support/loss-report.ts'
import { drainServer, killWorkers, reloadWorkers, stopCommand } from '../support/loss-scenarios.ts'

t.setTimeout(300_000)

const skip = process.platform !== 'linux' && 'reads /proc'

for (const [name, pace] of Object.entries(PACES)) {
  t.test(name, { skip }, async (t) => {
    await t.test('reloads lose nothing', async (t) => {
      const report = await reloadWorkers(2, pace)
      commentReport(t, 'reloads', report)
      t.equal(report.rounds.length, 2)
      t.same(findLosses(report), [])
    })

    await t.test('killed workers lose what they had accepted, and nothing else', async (t) => {
      const report = await killWorkers(2, pace)
      commentReport(t, 'kills', report)
      t.ok(
        report.rounds.every(({ connectionsLost }) => connectionsLost > 0),
        'each was killed',
      )
      t.same(findForeignLosses(report), [])
    })

    await t.test('a drain answers every request', async (t) => {
      const report = await drainServer(pace)
      commentReport(t, 'drain', report)
      t.equal(report.isDrained, true)
      t.equal(report.unanswered, 0, 'connections accepted, and closed without any answer')
      t.same(findLosses(report), [])
    })

    await t.test('so does SIGTERM to the command, which exits with 0', async (t) => {
      const report = await stopCommand(1, pace)
      commentReport(t, 'SIGTERM', report)
      t.same(report.exitCodes, [0])
      t.same(findLosses(report), [])
    })
  })
}
