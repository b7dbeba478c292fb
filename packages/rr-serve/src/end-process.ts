import { type ExitReason, exitCode } from './exit-codes.ts'
import type { ThreadLog } from './logger.ts'

/** How long the end of the process waits for readers of its log and its output that take nothing. */
const FLUSH_PATIENCE_MS = 1000

export interface ProcessEnd {
  readonly reason: ExitReason
  /** For stderr. */
  readonly text?: string
  readonly log?: ThreadLog
  /** False where a thread may still run, and so may be stuck; true by default. */
  readonly areThreadsGone?: boolean
}

/** Writes what is still to be written, and ends the process with the reason's code. */
export async function endProcess(end: ProcessEnd): Promise<void> {
  const { reason, text = '', log, areThreadsGone = true } = end
  log?.flush(FLUSH_PATIENCE_MS)
  if (text !== '') process.stderr.write(text)
  // What applications print reaches these streams through the workers, and may wait in them.
  await Promise.race([
    Promise.all([drained(process.stdout), drained(process.stderr)]),
    new Promise((resolve) => setTimeout(resolve, FLUSH_PATIENCE_MS)),
  ])
  const code = exitCode(reason)
  if (!areThreadsGone) leaveThreads(code)
  process.exit(code)
}

/**
 * Ends the process although threads may be stuck. `process.exit` waits for each worker thread, and
 * one in a long native call (`execSync`, `pbkdf2Sync`, a read from a pipe that nobody writes to)
 * leaves it for nothing, `terminate()` included (measured on Node.js 26.10). SIGKILL to oneself would
 * do, but as PID 1 the kernel ignores it, and the exit code would not be ours. Executing another
 * program ends all other threads whatever they do, keeps the process id, and that program exits with
 * the code. Never returns where the system has execve.
 */
function leaveThreads(code: number): void {
  try {
    // Without the environment: NODE_OPTIONS may ask for modules to be loaded.
    process.execve?.(process.execPath, [process.execPath, '-e', `process.exitCode = ${code}`], {})
  } catch {
    // Not on this platform, or not permitted.
  }
  process.kill(process.pid, 'SIGKILL')
}

/** Resolves once all that was written to a stream has left it, or never will. */
function drained(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    // Where nothing waits nothing is written, not even the empty text: it could block on a terminal.
    if (!stream.writable || stream.writableLength === 0) return resolve()
    stream.write('', () => resolve())
  })
}
