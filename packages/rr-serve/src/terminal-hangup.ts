import { closeSync, constants, openSync } from 'node:fs'

/** True while the process has a controlling terminal. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', constants.O_RDONLY | constants.O_NOCTTY | constants.O_NONBLOCK))
    return true
  } catch {
    return false
  }
}

/**
 * Tells the SIGHUP that an operator sends from the one that the system sends because a terminal has
 * gone: its window was closed, the connection to it was lost. The kernel takes the terminal from all
 * processes on it before it sends the signal.
 */
export class TerminalHangup {
  readonly #hadTerminal: boolean = hasTerminal()

  /** True once the terminal that there was at the start is there no more. */
  get hasHappened(): boolean {
    return this.#hadTerminal && !hasTerminal()
  }
}
