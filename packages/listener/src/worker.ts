/**
 * The entry of a worker thread: loads the application, serves it, drains when told to, and ends by
 * running out of things to do.
 *
 * The port to the supervisor never keeps the thread alive. So an application whose loading waits
 * for nothing ends the thread (code 13) instead of hanging the start, and a drained thread ends by
 * itself.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { type AccessEntry, type Application, resolveApplication } from '@rr/core'
import { ControlBlock } from './control-block.ts'
import { ErrorRelay } from './error-relay.ts'
import type { SupervisorMessage, WorkerMessage, WorkerStart } from './messages.ts'
import { clockSince } from './monotonic-clock.ts'
import { serializeError } from './serialized-error.ts'
import type { StartStage, WarningCode } from './server-events.ts'
import { ThreadServer } from './thread-server.ts'
import { loadWorkerHooks, type WorkerHooks } from './worker-hooks.ts'

/** What an application leaves open after its teardown may keep the thread for this long. */
const LEFTOVER_GRACE_MS = 250

const port = parentPort!
const start = workerData as WorkerStart
const context = Object.freeze({ workerId: start.workerId, workers: start.workers })
const drainAsked = Promise.withResolvers<number>()
let server: ThreadServer | null = null
let hooks: WorkerHooks = {}
let isDrainAsked = false
let hookFailures = 0

const relay = new ErrorRelay({
  report: (error, request) => post({ type: 'handler-error', error, request }),
  reportDropped: (count) => post({ type: 'handler-errors-dropped', count }),
})

port.on('message', onMessage)
port.unref()
await run()

async function run(): Promise<void> {
  const { hooksUrl, hooksData } = start
  if (hooksUrl !== null) {
    const hooksContext = { ...context, data: hooksData }
    hooks = await at('hooks', () => loadWorkerHooks(hooksUrl, hooksContext))
  }
  const application = await at('application', () => loadApplication(start.applicationUrl))
  await at('setup', async () => application.setup(context))
  const serving = new ThreadServer({
    application,
    context,
    settings: start.settings,
    heartbeatIntervalMs: start.heartbeatIntervalMs,
    reusePort: start.reusePort,
    block: ControlBlock.open(start.controlBlock),
    seat: start.seat,
    time: clockSince(start.clockOriginMs),
    onError: errorHandler(),
    onAccess: accessHandler(),
    onWarning: warn,
  })
  if (!isDrainAsked) await serve(serving)
  await serving.tearDown()
  await end()
}

async function serve(serving: ThreadServer): Promise<void> {
  const boundPort = await at('listen', () => serving.listen())
  server = serving
  post({ type: 'listening', port: boundPort })
  guard(() => hooks.onEvent?.({ type: 'listening', port: boundPort }))
  const deadlineMs = await drainAsked.promise
  const { connections } = serving
  guard(() => hooks.onEvent?.({ type: 'drain-started', connections }))
  const remaining = await serving.drain(deadlineMs)
  post({ type: 'drained', remaining })
  guard(() => hooks.onEvent?.({ type: 'drain-ended', remaining }))
}

function onMessage(message: SupervisorMessage): void {
  isDrainAsked = true
  drainAsked.resolve(message.deadlineMs)
  // A later message may bring the deadline forward.
  if (server !== null) void server.drain(message.deadlineMs)
}

async function loadApplication(url: string): Promise<Application> {
  const module = (await import(url)) as { default?: unknown }
  return resolveApplication(module.default)
}

/** Does a step of the start; when it fails, reports where and ends the thread. */
async function at<Value>(stage: StartStage, step: () => Promise<Value>): Promise<Value> {
  try {
    return await step()
  } catch (error) {
    post({ type: 'failed', stage, error: serializeError(error) })
    await closeHooks()
    process.exit(1)
  }
}

async function end(): Promise<void> {
  relay.flush()
  await closeHooks()
  port.close()
  setTimeout(() => process.exit(0), LEFTOVER_GRACE_MS).unref()
}

async function closeHooks(): Promise<void> {
  try {
    await hooks.close?.()
  } catch (error) {
    warnOfHook(error)
  }
}

function errorHandler(): (error: unknown, request: AccessEntry['request'] | null) => void {
  const { onError } = hooks
  if (onError === undefined) return (error, request) => relay.report(error, request)
  return (error, request) => guard(() => onError.call(hooks, error, request))
}

function accessHandler(): ((entry: AccessEntry) => void) | null {
  const { onAccess } = hooks
  if (onAccess === undefined) return null
  return (entry) => {
    try {
      onAccess.call(hooks, entry)
    } catch (error) {
      warnOfHook(error)
    }
  }
}

function guard(hook: () => void): void {
  try {
    hook()
  } catch (error) {
    warnOfHook(error)
  }
}

/** A hook that throws on every request is reported once, and harms no request. */
function warnOfHook(error: unknown): void {
  hookFailures++
  if (hookFailures === 1) post(hookWarning(error))
}

function hookWarning(error: unknown): WorkerMessage {
  return {
    type: 'warning',
    code: 'RR_HOOK_FAILED',
    message: `a worker hook threw: ${String(error)}`,
  }
}

function warn(code: WarningCode, message: string): void {
  post({ type: 'warning', code, message })
  guard(() => hooks.onEvent?.({ type: 'warning', code, message }))
}

function post(message: WorkerMessage): void {
  port.postMessage(message)
}
