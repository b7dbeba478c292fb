/**
 * A process that puts load on a server: takes a plan from its parent, opens the connections, says so,
 * starts when told and sends back what it counted. A process of its own, so that its CPU time is
 * its own, it can be bound to a CPU, and nothing else runs on its event loop.
 */
import type { MessageFromProcess, MessageToProcess } from './load-messages.ts'
import { createLoadRun, type LoadRun } from './load-run.ts'
import { warmUp } from './warm-up.ts'

let run: LoadRun | null = null

function send(message: MessageFromProcess): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined) resolve()
    else process.send(message, undefined, undefined, () => resolve())
  })
}

async function onMessage(message: MessageToProcess): Promise<void> {
  if (message.kind === 'plan') {
    await warmUp()
    run = createLoadRun(message.plan)
    await run.open()
    await send({ kind: 'ready' })
  } else if (run !== null) {
    await send({ kind: 'result', result: await run.run() })
    process.exit()
  }
}

process.on('message', (message) => {
  onMessage(message as MessageToProcess).catch(async (error: unknown) => {
    await send({ kind: 'failed', message: String(error instanceof Error ? error.stack : error) })
    process.exit(1)
  })
})
// A parent that is gone wants no result, and its server may be gone too.
process.on('disconnect', () => process.exit())
