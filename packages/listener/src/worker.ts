/**
 * The entry of a worker thread: loads the application, serves it, drains when told to, and ends by
 * running out of things to do.
 *
 * The port to the supervisor never keeps the thread alive. So an application whose loading waits
 * for nothing ends the thread (code 13) instead of hanging the start, and a drained thread ends by
 * itself.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { type AccessEntry, type Application, provideSharedMemory } from '@rr/core'
import { loadApplication, withRoutes } from './application-module.ts'
import { ComputeClient } from './compute-client.ts'
import { idleCompute } from './compute-idle.ts'
import { provideCompute } from './compute-pool.ts'
import { ControlBlock } from './control-block.ts'
import { ErrorRelay } from './error-relay.ts'
import { describeThrown, HookGuard } from './hook-guard.ts'
import { memoryProvider } from './memory-channel.ts'
import type { SupervisorMessage, WorkerMessage, WorkerStart } from './messages.ts'
import { clockSince } from './monotonic-clock.ts'
import { serializeError } from './serialized-error.ts'
import type { StartStage, WarningCode } from './server-events.ts'
import { stderrLog } from './stderr-log.ts'
import { measureThread } from './thread-metrics.ts'
import { ThreadServer } from './thread-server.ts'
import { loadWorkerHooks, type WorkerEvent, type WorkerHooks } from './worker-hooks.ts'
import { WorkerRoutes } from './worker-routes.ts'

/** What an application leaves open after its teardown may keep the thread for this long. */
const LEFTOVER_GRACE_MS = 250

/** What a thread that could not start has for its teardown and the hooks' `close`, as after `stop()`. */
const FAILED_START_GRACE_MS = 1000

const port = parentPort!
const start = workerData as WorkerStart
const context = Object.freeze({ workerId: start.workerId, workers: start.workers })
const drainAsked = Promise.withResolvers<void>()
/** The soonest deadline that the supervisor has set; null before a drain. */
let drainDeadlineMs: number | null = null
let hasSuccessor = false
/** When a drain is to be expected, as told last; null when none is. */
let expectedDrainMs = start.expectedDrainMs
/** Null unless it listens. */
let server: ThreadServer | null = null
let hooks: WorkerHooks = {}
/** Tells the main thread only: a hook that fails is no good at hearing of it. */
const hookGuard = new HookGuard((code, message) => post({ type: 'warning', code, message }))
const tellHooks = hookGuard.guard('onEvent', (event: WorkerEvent) => hooks.onEvent?.(event))

const durations = measureThread(start.metrics, start.seat)

const relay = new ErrorRelay({
  report: (error, request) => post({ type: 'handler-error', error, request }),
  reportDropped: (count) => post({ type: 'handler-errors-dropped', count }),
})

/** What the hooks are told of, for the admin server's page. What is too many is the hooks' to count. */
const notes = new ErrorRelay({
  report: (error, request) => post({ type: 'error-note', error, request }),
  reportDropped: () => {},
})

const time = clockSince(start.clockOriginMs)
const compute = new ComputeClient((end) => post({ type: 'compute', port: end }, end))
const routes = new WorkerRoutes(start.applicationUrl, post)
provideSharedMemory(memoryProvider(start.memory))
provideCompute((job, signal) => compute.run(job, signal))
port.on('message', onMessage)
port.unref()
await run()

async function run(): Promise<void> {
  const { hooksUrl, hooksData } = start
  if (hooksUrl !== null) {
    const hooksContext = { ...context, data: hooksData }
    hooks = await at('hooks', () => loadWorkerHooks(hooksUrl, hooksContext))
  }
  const loaded = await at('application', () => loadApplication(start.applicationUrl))
  await at('setup', async () => loaded.setup(context))
  post({ type: 'set-up' })
  const application = await at(
    'application',
    () => loadRoutes(loaded),
    () => tearDown(loaded),
  )
  const serving = new ThreadServer({
    application,
    context,
    settings: start.settings,
    durations,
    heartbeatIntervalMs: start.heartbeatIntervalMs,
    reusePort: start.reusePort,
    descriptor: start.descriptor,
    rebalance: start.rebalance,
    block: ControlBlock.open(start.controlBlock),
    seat: start.seat,
    time,
    onError: errorHandler(),
    onAccess: accessHandler(),
    onRefusal: hooks.onRefusal === undefined ? null : (refusal) => hooks.onRefusal?.(refusal),
    onWarning: warn,
    log: hooks.log ?? stderrLog({ worker: start.workerId }),
  })
  if (drainDeadlineMs === null) await serve(serving, application)
  await serving.tearDown()
  await end()
}

async function serve(serving: ThreadServer, application: Application): Promise<void> {
  if (start.descriptor !== null) post({ type: 'adopting' })
  const bound = await at(
    'listen',
    () => serving.listen(),
    () => serving.tearDown(),
  )
  server = serving
  if (expectedDrainMs !== null) serving.notifyDrain(expectedDrainMs)
  routes.attach(application, serving)
  const { descriptor, inode } = bound
  post({ type: 'listening', port: bound.port, socket: { descriptor, inode } })
  tellHooks({ type: 'listening', port: bound.port })
  await drainAsked.promise
  tellHooks({ type: 'drain-started', connections: serving.connections })
  const remaining = await serving.drain(drainDeadlineMs!, hasSuccessor)
  post({ type: 'drained', remaining })
  tellHooks({ type: 'drain-ended', remaining })
  await idleCompute(
    () => compute.pending,
    () => drainDeadlineMs! - time(),
  )
}

function onMessage(message: SupervisorMessage): void {
  if (message.type === 'drain-notice') {
    expectedDrainMs = message.deadlineMs
    server?.notifyDrain(expectedDrainMs)
  } else if (message.type === 'drain') {
    hasSuccessor = message.hasSuccessor
    onDrain(message.deadlineMs)
  } else routes.onMessage(message)
}

function onDrain(deadlineMs: number): void {
  // A later message may bring the deadline forward, also before the listener knows of any.
  drainDeadlineMs = Math.min(drainDeadlineMs ?? deadlineMs, deadlineMs)
  drainAsked.resolve()
  if (server !== null) void server.drain(drainDeadlineMs, hasSuccessor)
}

/** The hooks have seen the application's module before, but not that of its routes. */
async function loadRoutes(application: Application): Promise<Application> {
  try {
    return await withRoutes(application)
  } catch (error) {
    throw hooks.explainLoadError?.(error) ?? error
  }
}

async function tearDown(application: Application): Promise<void> {
  try {
    await application.teardown(context)
  } catch (error) {
    warn('RR_TEARDOWN_FAILED', `teardown failed: ${describeThrown(error)}`)
  }
}

/** Does a step of the start; when it fails, reports where, undoes what was done and ends the thread. */
async function at<Value>(
  stage: StartStage,
  step: () => Promise<Value>,
  undo: () => Promise<void> = async () => {},
): Promise<Value> {
  try {
    return await step()
  } catch (error) {
    post({ type: 'failed', stage, error: serializeError(error) })
    await Promise.race([undo().then(closeHooks), delay(FAILED_START_GRACE_MS)])
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
    const message = `close of the worker hooks failed: ${describeThrown(error)}`
    post({ type: 'warning', code: 'RR_TEARDOWN_FAILED', message })
  }
}

function errorHandler(): (error: unknown, request: AccessEntry['request'] | null) => void {
  const { onError } = hooks
  if (onError === undefined) return (error, request) => relay.report(error, request)
  return (error, request) => {
    if (start.notesErrors) notes.report(error, request)
    return onError.call(hooks, error, request)
  }
}

function accessHandler(): ((entry: AccessEntry) => void) | null {
  const { onAccess } = hooks
  return onAccess === undefined ? null : (entry) => onAccess.call(hooks, entry)
}

function warn(code: WarningCode, message: string): void {
  post({ type: 'warning', code, message })
  tellHooks({ type: 'warning', code, message })
}

function post(message: WorkerMessage, ...transfer: MessagePort[]): void {
  port.postMessage(message, transfer)
}
