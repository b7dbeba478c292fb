// `npm test [-- files]`: sets up like `npm start`, then runs the gate, or only the given test
// files. The last line it prints is `N passed, N failed`.

import { finish, noResult, runSteps } from './gate-step.mjs'
import { pruneOutput } from './prune-output.mjs'
import { runTests } from './run-tests.mjs'
import { build, ensureInstalled, ensureTapBuilt, say } from './set-up.mjs'
import { packageStep, staticSteps } from './static-steps.mjs'
import { ensureSystemPackages } from './system-packages.mjs'

/** @type {import('./gate-step.mjs').Step} */
const setUp = {
  name: 'set-up',
  async run() {
    await ensureInstalled()
    await ensureTapBuilt()
    await ensureSystemPackages(say)
    pruneOutput()
    return noResult()
  },
}

const files = process.argv.slice(2)
const tests = { name: 'tests', run: () => runTests(files) }
const buildOnly = { name: 'build', run: () => build().then(noResult) }

const prepared = await runSteps([setUp])
if (prepared.failed > 0) finish(prepared)
else {
  const steps = files.length > 0 ? [buildOnly, tests] : [...staticSteps, packageStep, tests]
  const total = await runSteps(steps)
  finish({ ...total, passed: total.passed + prepared.passed })
}
