import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { bin, root, toolEnv } from './project-paths.mjs'
import { TapTally } from './tap-tally.mjs'

/** tap's own limit on a file; a file that needs longer calls `t.setTimeout`. */
const TAP_TIMEOUT_S = 120

/** For a file that is past every limit of its own, because its event loop stands still. */
const HARD_TIMEOUT_MS = 600_000

/**
 * @typedef {object} FileResult
 * @property {string} file
 * @property {number} passed
 * @property {number} failed
 * @property {string[]} skipped
 * @property {number} durationMs
 * @property {string[]} lines the file's TAP
 * @property {string} stderr
 */

/** @type {Set<number>} leaders of the process groups of the files that run now */
const groups = new Set()

/** Ends every test file that runs now, with all processes it started. */
export function endTestFiles() {
  for (const pid of groups) killGroup(pid)
}

/** @param {number} pid */
function killGroup(pid) {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // The whole group has ended.
  }
}

/**
 * Runs one test file as a program of its own, on the pinned Node without any loader: tap's own
 * runner would load its process tracker into every server that a test starts.
 *
 * The file leads a process group, and what it leaves running is ended with it, so that a failed
 * test cannot disturb the next one.
 *
 * @param {string} file path from the root
 * @returns {Promise<FileResult>}
 */
export function runTestFile(file) {
  const startedAt = performance.now()
  const tally = new TapTally()
  /** @type {string[]} */
  const lines = []
  let stderr = ''

  return new Promise((resolve, reject) => {
    const child = spawn(bin('node'), [file], {
      cwd: root,
      env: { ...toolEnv(), TAP: '1', TAP_TIMEOUT: String(TAP_TIMEOUT_S), NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    const pid = child.pid ?? 0
    if (pid !== 0) groups.add(pid)
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line)
      tally.readLine(line)
    })
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text
    })
    const limit = setTimeout(() => killGroup(pid), HARD_TIMEOUT_MS)

    child.once('error', reject)
    // What the file left behind holds the pipes open, so it is ended before they are waited for.
    child.once('exit', () => killGroup(pid))
    child.once('close', (code, signal) => {
      clearTimeout(limit)
      groups.delete(pid)
      let { failed } = tally
      const doubt = whyUnexpectedEnd(code, signal, failed) ?? tally.whyIncomplete()
      if (doubt !== undefined) {
        failed += 1
        lines.push(`not ok - ${file}: ${doubt}`)
      }
      const { passed, skipped } = tally
      const durationMs = performance.now() - startedAt
      resolve({ file, passed, failed, skipped, durationMs, lines, stderr })
    })
  })
}

/**
 * @param {number | null} code
 * @param {NodeJS.Signals | null} signal
 * @param {number} failed
 */
function whyUnexpectedEnd(code, signal, failed) {
  if (signal !== null) return `ended by ${signal}`
  if (code !== 0 && failed === 0) return `ended with code ${code} though no test failed`
  if (code === 0 && failed > 0) return 'ended with code 0 though tests failed'
  return undefined
}
