import { existsSync, mkdirSync } from 'node:fs'
import { constants } from 'node:os'
import { runChild } from './child-process.mjs'
import { setUpStamp } from './install-stamp.mjs'
import { bin, inRoot, installEnv, packageManagerSpec, root, toolEnv } from './project-paths.mjs'
import { pruneOutput } from './prune-output.mjs'

/** Set-up speaks on stderr: stdout belongs to what is started afterwards. */
export const say = (/** @type {string} */ text) => process.stderr.write(`rr: ${text}\n`)

export class SetUpError extends Error {
  /**
   * @param {string} message
   * @param {number} exitCode
   */
  constructor(message, exitCode = 1) {
    super(message)
    this.exitCode = exitCode
  }
}

/** Installs the workspace's packages, the pinned Node among them, unless that was done already. */
export async function ensureInstalled() {
  const stamp = setUpStamp('installed')
  if (stamp.isCurrent()) return
  const packageManager = packageManagerSpec()
  say(`installing packages with ${packageManager} (only when something is missing or changed)`)
  mkdirSync(inRoot('node_modules'), { recursive: true })
  stamp.clear()
  await mustRun('install', 'npx', [
    '--yes',
    packageManager,
    'install',
    '--frozen-lockfile',
    // Without a terminal nobody can answer whether a stale node_modules may be replaced.
    '--config.confirmModulesPurge=false',
  ])
  stamp.write()
}

/**
 * tap composes its `t` object and its types from the plugins in .taprc when it is built; the
 * type check of the tests needs that result.
 */
export async function ensureTapBuilt() {
  const stamp = setUpStamp('tap-built', ['.taprc'])
  if (stamp.isCurrent()) return
  say('preparing the test runner')
  stamp.clear()
  await mustRun('prepare the test runner', bin('tap'), ['build'])
  stamp.write()
}

/** Compiles what changed; takes a small fraction of a second when nothing did. */
export async function build() {
  if (!existsSync(inRoot('packages', 'rr-serve', 'dist'))) say('building')
  pruneOutput()
  await mustRun('build', bin('tsc'), ['-b'])
}

/**
 * @param {string} what
 * @param {string} command
 * @param {string[]} args
 */
async function mustRun(what, command, args) {
  const env = toolEnv(installEnv())
  const ended = await runChild(command, args, { cwd: root, env, stdio: 'to-stderr' }).catch(
    (error) => {
      throw new SetUpError(`could not ${what}: ${error.message}`)
    },
  )
  const { code, signal, interruptedBy } = ended
  const stoppedBy = interruptedBy ?? signal
  if (stoppedBy !== null) {
    throw new SetUpError(`${what} was interrupted`, 128 + constants.signals[stoppedBy])
  }
  if (code !== 0) throw new SetUpError(`could not ${what}: ${command} ended with code ${code}`)
}
