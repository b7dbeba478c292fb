// `npx pnpm loss [rounds]`: what clients lose while servers are changed under them. Prints a table
// and ends with code 1 when something failed that had to be answered.

import { Haproxy } from './support/haproxy.ts'
import { PACES } from './support/loss-paces.ts'
import { findForeignLosses, findLosses, reportLines } from './support/loss-report.ts'
import { LOSS_REQUESTS, SAFE_REQUESTS } from './support/loss-requests.ts'
import {
  drainServer,
  killWorkers,
  type LossReport,
  reloadWorkers,
  stopCommand,
} from './support/loss-scenarios.ts'
import { Nginx } from './support/nginx.ts'
import { missingPrograms } from './support/programs.ts'
import { rollingRestart } from './support/rolling-restart.ts'

const rounds = Number(process.argv[2] ?? 20)
if (!Number.isInteger(rounds) || rounds < 1) throw new Error('rounds: a whole number from 1')

async function run(
  name: string,
  scene: () => Promise<LossReport>,
  find: (report: LossReport) => string[],
): Promise<void> {
  const report = await scene()
  for (const line of reportLines(name, report)) console.log(line)
  for (const problem of find(report)) {
    console.log(`  NOT AS IT HAS TO BE ${problem}`)
    process.exitCode = 1
  }
}

for (const [name, pace] of Object.entries(PACES)) {
  const longer = { ...pace, answersBetween: 2 * pace.answersBetween }
  console.log(`\n${name}`)
  await run('reload()', () => reloadWorkers(rounds, longer), findLosses)
  await run('workers killed', () => killWorkers(rounds, longer), findForeignLosses)
  await run('drain()', () => drainServer(longer), findLosses)
  await run('SIGTERM to the command', () => stopCommand(rounds, longer), findLosses)
}

const plan = { connections: 64, rounds, answersBetween: 500 }
const restarts = [
  { name: 'HAProxy, GET', program: 'haproxy', requests: SAFE_REQUESTS, isTold: false },
  { name: 'HAProxy, told before', program: 'haproxy', requests: LOSS_REQUESTS, isTold: true },
  { name: 'nginx, GET', program: 'nginx', requests: SAFE_REQUESTS, isTold: false },
]
console.log('\nboth instances behind a proxy restarted, one after the other')
for (const { name, program, requests, isTold } of restarts) {
  const missing = missingPrograms(program)
  if (missing !== false) {
    console.log(`${name}: not run: ${missing}`)
    continue
  }
  const balancer = program === 'nginx' ? new Nginx() : new Haproxy({ file: 'haproxy.cfg', isTold })
  await run(name, () => rollingRestart(balancer, { ...plan, requests }), findLosses)
}
