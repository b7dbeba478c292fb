import { type AccessEntry, type HttpRequest, parseTraceParent, type RefusalEntry } from '@rr/core'
import {
  ErrorWindow,
  type WorkerEvent,
  type WorkerHooks,
  type WorkerHooksContext,
} from '@rr/listener'
import { startCpuProfile } from './cpu-profile.ts'
import type { DebuggedWorker } from './debugged-worker.ts'
import { ApplicationLoadError, explainLoadError } from './load-error.ts'
import { type LogSettings, openLog, type ThreadLog } from './logger.ts'
import { ModuleReport } from './module-report.ts'
import { shownValue } from './shown-value.ts'
import { installTypeScriptHooks } from './typescript-hooks.ts'
import { openDebugger } from './worker-debugger.ts'

/** Of a refused request, so that its sender has no say in the length of a line. */
const MAX_TARGET_LENGTH = 1024

/** What the main thread gives to each worker. */
export interface WorkerHooksData {
  readonly application: string
  readonly logSettings: LogSettings
  readonly accessLog: boolean
  /** Where loaded files are reported under watch. */
  readonly watchChannel: string | null
  /** Where CPU profiles go, when they are wanted. */
  readonly cpuProfDir: string | null
  readonly debugged: DebuggedWorker | null
}

/**
 * Runs in each worker before its application: prepares it for TypeScript, opens the log and loads
 * the application, so that an error in it is explained where its module and its stack still are.
 * The listener's own import of the same URL then gets the module that is loaded.
 */
export async function createWorkerHooks(context: WorkerHooksContext): Promise<WorkerHooks> {
  const { application, logSettings, accessLog, watchChannel } = context.data as WorkerHooksData
  const report = watchChannel === null ? null : new ModuleReport(watchChannel)
  const modules = installTypeScriptHooks(report?.onLoad)
  const threadLog = await openLog(logSettings, context.workerId)
  const closeTools = openTools(context, threadLog)
  try {
    await import(application)
  } catch (error) {
    throw new ApplicationLoadError(explainLoadError(error, modules.lastUrl))
  }
  const errors = new ErrorWindow((count) => {
    threadLog.log.error({ count }, `${count} more handler errors are not shown`)
  })
  const refusals = new ErrorWindow((count) => {
    threadLog.accessLog.info({ count }, `${count} more refusals are not shown`)
  })
  const accessHooks = {
    onAccess: accessLogger(threadLog, logSettings.format),
    onRefusal: refusalLogger(threadLog, logSettings.format, refusals),
  }
  return {
    onError: errorLogger(threadLog, errors),
    onEvent: eventLogger(threadLog),
    explainLoadError: (error) => new ApplicationLoadError(explainLoadError(error, modules.lastUrl)),
    close() {
      errors.close()
      refusals.close()
      report?.close()
      closeTools()
    },
    log: threadLog.handlerLog,
    ...(accessLog ? accessHooks : {}),
  }
}

/** What looks into the worker, from before its application is loaded. */
function openTools({ workerId, data }: WorkerHooksContext, { log }: ThreadLog): () => void {
  const { cpuProfDir: folder, debugged } = data as WorkerHooksData
  const profile = folder === null ? null : startCpuProfile({ workerId, folder }, log)
  const worker = debugged?.workerId === workerId ? openDebugger(debugged, log) : null
  return () => {
    profile?.end()
    worker?.close()
  }
}

function errorLogger(
  { log }: ThreadLog,
  errors: ErrorWindow,
): (error: unknown, request: HttpRequest | null) => void {
  return (error, request) => {
    if (!errors.tryEnter()) return
    const err = error instanceof Error ? error : new Error(`a handler threw ${shownValue(error)}`)
    if (request === null) {
      log.error({ err }, 'serving failed')
      return
    }
    const { id: requestId, method, target, route } = request
    log.error(
      { err, requestId, method, target, route, client: request.client.address },
      `${method} ${target} failed (${requestId})`,
    )
  }
}

/** The main thread logs what concerns the server; this is for those who look at one worker. */
function eventLogger({ log }: ThreadLog): (event: WorkerEvent) => void {
  return ({ type, ...fields }) => {
    if (type !== 'warning') log.debug(fields, type)
  }
}

function accessLogger(
  { accessLog }: ThreadLog,
  format: LogSettings['format'],
): (entry: AccessEntry) => void {
  if (format === 'pretty') return (entry) => accessLog.info(accessSentence(entry))
  return (entry) => accessLog.info(accessFields(entry), 'request')
}

/**
 * Whoever is refused decides how often, and must not decide how long the log gets. A request that a
 * handler was called for has an access line of its own.
 */
function refusalLogger(
  { accessLog }: ThreadLog,
  format: LogSettings['format'],
  refusals: ErrorWindow,
): (refusal: RefusalEntry) => void {
  return (refusal) => {
    if (refusal.isDispatched || !refusals.tryEnter()) return
    if (format === 'pretty') accessLog.info(refusalSentence(refusal))
    else accessLog.info(refusalFields(refusal), 'refusal')
  }
}

function refusalFields(refusal: RefusalEntry): object {
  const { cause, status, code, reason, method, peer } = refusal
  const target = refusal.target?.slice(0, MAX_TARGET_LENGTH) ?? null
  return { cause, status, code, reason, method, target, peer: peer.address }
}

function refusalSentence(refusal: RefusalEntry): string {
  const { cause, status, reason, method, target, peer } = refusal
  const what = target === null ? '' : `${method} ${target.slice(0, MAX_TARGET_LENGTH)} `
  return `refused ${what}${status} ${peer.address} ${cause}: ${reason}`
}

/** The fields of an access line, in the order in which they stand in it. */
function accessFields({ request, status, bodyBytes, durationMs }: AccessEntry): object {
  return {
    requestId: request.id,
    method: request.method,
    target: request.target,
    route: request.route,
    status,
    bytes: bodyBytes,
    durationMs: roundDuration(durationMs),
    client: request.client.address,
    peer: request.peer.address,
    ...traceFields(request),
  }
}

/** What joins the line with a trace; nothing for a request without a valid `traceparent`. */
function traceFields(request: HttpRequest): { readonly traceId: string } | undefined {
  const parent = parseTraceParent(request.headers.get('traceparent'))
  return parent === null ? undefined : { traceId: parent.traceId }
}

function accessSentence({ request, status, bodyBytes, durationMs }: AccessEntry): string {
  const answer = `${status} ${bodyBytes} B ${roundDuration(durationMs)} ms`
  return `${request.method} ${request.target} ${answer} ${request.client.address} ${request.id}`
}

/** To the microsecond: the clock tells no more. */
function roundDuration(durationMs: number): number {
  return Math.round(durationMs * 1000) / 1000
}
