import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'

/**
 * How long repeats of one signal count as one wish. A terminal's Ctrl-C reaches every process of
 * the foreground group, and npm then passes its own copy on to its script, milliseconds later.
 * A person who presses twice needs longer than this.
 */
const SIGNAL_BURST_MS = 300

/** How long after its end a child's output is waited for. Pipes normally close with the process. */
const OUTPUT_GRACE_MS = 2000

const SIGNALS = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])

/** @type {Record<string, import('node:child_process').StdioOptions>} */
const STDIO = {
  inherit: 'inherit',
  capture: ['ignore', 'pipe', 'pipe'],
  'to-stderr': ['ignore', 2, 2],
}

/**
 * @typedef {object} Ended
 * @property {number | null} code
 * @property {NodeJS.Signals | null} signal the signal that ended the child
 * @property {NodeJS.Signals | null} interruptedBy the signal that this process got meanwhile
 * @property {string} output stdout and stderr in order of arrival, when captured
 */

/**
 * Runs a program to its end, passing on the signals that this process receives.
 *
 * The child stays in this process group: a supervisor that kills the group must reach it. The
 * price is that a signal sent to the whole group arrives at the child twice, once directly and
 * once from here; rr-serve takes repeats within a short time as one.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, stdio?: 'inherit' | 'capture' | 'to-stderr',
 *   timeoutMs?: number }} [options]
 * @returns {Promise<Ended>}
 */
export function runChild(command, args, options = {}) {
  const { cwd, env = process.env, stdio = 'inherit', timeoutMs } = options
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env,
      stdio: STDIO[stdio],
      timeout: timeoutMs,
    })

    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text) => {
        output += text
      })
    }

    const signals = passOnSignals(child)
    child.once('error', (error) => {
      signals.stop()
      reject(error)
    })
    const onEnded = (
      /** @type {number | null} */ code,
      /** @type {NodeJS.Signals | null} */ signal,
    ) => {
      signals.stop()
      resolve({ code, signal, interruptedBy: signals.received(), output })
    }
    child.once('close', onEnded)
    child.once('exit', (code, signal) => {
      // A process that the child left behind may hold the pipes open for ever.
      const giveUp = setTimeout(() => {
        child.stdout?.destroy()
        child.stderr?.destroy()
        onEnded(code, signal)
      }, OUTPUT_GRACE_MS)
      child.once('close', () => clearTimeout(giveUp))
    })
  })
}

/** When this process last got a signal, by `performance.now()`. */
let lastSignalAt = Number.NEGATIVE_INFINITY

/** @param {import('node:child_process').ChildProcess} child */
function passOnSignals(child) {
  /** @type {NodeJS.Signals | null} */
  let latest = null

  /** @param {NodeJS.Signals} signal */
  const onSignal = (signal) => {
    const now = performance.now()
    const isRepeat = signal === latest && now - lastSignalAt < SIGNAL_BURST_MS
    latest = signal
    lastSignalAt = now
    if (!isRepeat) child.kill(signal)
  }
  for (const signal of SIGNALS) {
    // The no-op stays when this child has ended: a late copy must not end this process before it
    // has passed on the exit code.
    if (process.listenerCount(signal) === 0) process.on(signal, () => {})
    process.on(signal, onSignal)
  }
  return {
    received: () => latest,
    stop() {
      for (const signal of SIGNALS) process.off(signal, onSignal)
    },
  }
}

/**
 * Ends this process the way its child ended, so that whoever waits sees no difference.
 *
 * @param {Ended} ended
 */
export async function exitLike({ code, signal }) {
  // npm's copy of a signal would end a process that is past its last handler, and npm with it.
  await delay(Math.max(0, lastSignalAt + SIGNAL_BURST_MS - performance.now()))
  if (signal === null) process.exit(code ?? 1)
  process.removeAllListeners(signal)
  process.kill(process.pid, signal)
  // A signal that does not end a Node process by default, or is blocked, must not let it live on.
  await delay(1000)
  process.exit(128 + constants.signals[signal])
}
