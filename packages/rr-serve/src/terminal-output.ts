import { constants, openSync } from 'node:fs'
import { isatty } from 'node:tty'

const STDOUT = 1

/** Standard output by a name that opens it anew (Linux); else the terminal of the session. */
const TERMINAL_PATHS = [`/proc/self/fd/${STDOUT}`, '/dev/tty']

/**
 * The descriptor for the log. A terminal that nobody reads (its window hangs, Ctrl-S was pressed)
 * stops whoever writes to it, for ever and deaf to signals; so a terminal is opened anew, in
 * non-blocking mode, which stdout itself cannot have without the other programs there having it, too.
 */
export function openLogOutput(): number {
  if (!isatty(STDOUT)) return STDOUT
  const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants
  for (const path of TERMINAL_PATHS) {
    try {
      return openSync(path, O_WRONLY | O_NONBLOCK | O_NOCTTY)
    } catch {}
  }
  return STDOUT
}

/**
 * Makes what the application prints wait in memory for a terminal that nobody reads, as it does for a
 * pipe. Node.js makes the streams of a terminal block, with the same undocumented call.
 */
export function unblockTerminal(stream: NodeJS.WriteStream): void {
  if (!stream.isTTY) return
  const { _handle: handle } = stream as {
    _handle?: { setBlocking?: (isBlocking: boolean) => void }
  }
  handle?.setBlocking?.(false)
}
