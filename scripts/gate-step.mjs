import { runChild } from './child-process.mjs'
import { root, toolEnv } from './project-paths.mjs'
import { SetUpError } from './set-up.mjs'

/**
 * @typedef {object} StepResult
 * @property {number} passed
 * @property {number} failed
 * @property {string[]} skipped
 * @property {boolean} interrupted
 *
 * @typedef {object} Step
 * @property {string} name
 * @property {() => Promise<StepResult>} run
 */

/** @returns {StepResult} */
export const noResult = () => ({ passed: 0, failed: 0, skipped: [], interrupted: false })

/**
 * A step that is one program; its output is shown only when it fails.
 *
 * @param {string} name
 * @param {string} command
 * @param {string[]} args
 * @returns {Step}
 */
export function programStep(name, command, args) {
  return {
    name,
    async run() {
      const ended = await runChild(command, args, { cwd: root, env: toolEnv(), stdio: 'capture' })
      const isFine = ended.code === 0
      if (!isFine) {
        process.stdout.write(ended.output)
        console.log(`${command} ended with ${ended.signal ?? `code ${ended.code}`}`)
      }
      return { ...noResult(), failed: isFine ? 0 : 1, interrupted: ended.interruptedBy !== null }
    },
  }
}

/**
 * Runs the steps in order, each also after one that failed, and prints a line for each. A step
 * that nothing failed in counts as one passed.
 *
 * @param {Step[]} steps
 * @returns {Promise<StepResult>}
 */
export async function runSteps(steps) {
  const total = noResult()
  for (const step of steps) {
    const startedAt = performance.now()
    const result = await step.run().catch((error) => {
      // A failed set-up has already shown what went wrong; anything else is a fault in the gate.
      console.log(error instanceof SetUpError ? error.message : error)
      return { ...noResult(), failed: 1 }
    })
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
    console.log(`${result.failed === 0 ? 'ok  ' : 'FAIL'}  ${step.name}  ${seconds} s`)
    total.passed += result.passed + (result.failed === 0 ? 1 : 0)
    total.failed += result.failed
    total.skipped.push(...result.skipped)
    if (result.interrupted) {
      console.log('interrupted: the remaining steps did not run')
      return { ...total, failed: Math.max(total.failed, 1), interrupted: true }
    }
  }
  return total
}

/**
 * The closing line of a run, and the exit code.
 *
 * @param {StepResult} total
 */
export function finish({ passed, failed, skipped }) {
  if (skipped.length > 0) console.log(`${skipped.length} skipped, with the reasons above`)
  console.log(`${passed} passed, ${failed} failed`)
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0
}
