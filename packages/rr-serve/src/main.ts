import { RrError } from '@rr/core'
import { CLI_ACTIONS, OPTION_GROUPS } from './cli-options.ts'
import { type Command, readCommand } from './command.ts'
import { EXIT_CODES, type ExitReason, exitCode } from './exit-codes.ts'
import { checkHealth } from './health-check.ts'
import { helpText } from './help.ts'
import { runServer } from './run-server.ts'
import { ServerSignals } from './server-signals.ts'
import { versionText } from './versions.ts'

/**
 * The command. Ends the process once the server has ended; the exit codes are in exit-codes.ts.
 *
 * @param argv the arguments, without the names of Node.js and of the script
 * @param signals listens already, so that a signal that comes during the imports counts
 */
export async function main(
  argv: readonly string[],
  signals: ServerSignals = new ServerSignals(),
): Promise<void> {
  // Whoever reads the output may leave (EPIPE): that ends neither the server nor its application.
  process.stdout.on('error', () => {})
  process.stderr.on('error', () => {})

  let command: Command
  try {
    command = readCommand(argv, process.env)
  } catch (error) {
    if (!(error instanceof RrError)) throw error
    end('usage', `rr-serve: ${error.message}\nTry 'rr-serve --help'.\n`)
    return
  }
  switch (command.kind) {
    case 'help':
      process.stdout.write(
        helpText({ groups: OPTION_GROUPS, actions: CLI_ACTIONS, exitCodes: EXIT_CODES }),
      )
      break
    case 'version':
      process.stdout.write(`${versionText()}\n`)
      break
    case 'healthcheck':
      await checkHealth(command)
      break
    case 'serve':
      await runServer(command, signals)
  }
}

/** Says why on stderr and lets the process end, so that a slow reader gets it all. */
function end(reason: ExitReason, message: string): void {
  process.stderr.write(message)
  process.exitCode = exitCode(reason)
}
