import { type ExitReason, exitCode } from './exit-codes.ts'
import type { ThreadLog } from './logger.ts'

/** How long the end of the process waits for readers of its log and its output that take nothing. */
const FLUSH_PATIENCE_MS = 1000

/** Writes what is still to be written, and ends the process with the reason's code. */
export async function endProcess(reason: ExitReason, text = '', log?: ThreadLog): Promise<void> {
  log?.flush(FLUSH_PATIENCE_MS)
  if (text !== '') process.stderr.write(text)
  // What applications print reaches these streams through the workers, and may wait in them.
  await Promise.race([
    Promise.all([drained(process.stdout), drained(process.stderr)]),
    new Promise((resolve) => setTimeout(resolve, FLUSH_PATIENCE_MS)),
  ])
  process.exit(exitCode(reason))
}

/** Resolves once all that was written to a stream has left it, or never will. */
function drained(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    // Where nothing waits nothing is written, not even the empty text: it could block on a terminal.
    if (!stream.writable || stream.writableLength === 0) return resolve()
    stream.write('', () => resolve())
  })
}
