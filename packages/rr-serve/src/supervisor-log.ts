import {
  deserializeError,
  httpUrl,
  type SerializedError,
  type Server,
  type ServerEvent,
} from '@rr/listener'
import { isApplicationLoadError } from './load-error.ts'

/** A line for the log: what happened, as fields for programs and as a sentence for people. */
export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly fields: Readonly<Record<string, unknown>>
  readonly message: string
}

/** The line that says where the server is, once all workers listen. */
export function describeListening(server: ListeningServer): LogLine {
  const { host, port } = server
  const url = httpUrl(host, port)
  const isWildcard = host === '0.0.0.0' || host === '::'
  const local = isWildcard ? ` (on this machine: ${httpUrl('localhost', port)})` : ''
  return {
    level: 'info',
    fields: { url, host, port, workers: server.info().workers.length, transport: 'node:net' },
    message: `listening on ${url}${local}`,
  }
}

type ListeningServer = Pick<Server, 'host' | 'port' | 'info'>

/**
 * The line for what the supervisor reports, or null for what is said elsewhere: a start that fails
 * is told once, by the error that ends it.
 */
export function describeServerEvent(event: ServerEvent, hasStarted: boolean): LogLine | null {
  const { type, ...fields } = event
  switch (type) {
    case 'server-starting': {
      const { workers, workersReason } = event
      const count = workers === 1 ? '1 worker' : `${workers} workers`
      return { level: 'info', fields, message: `${count}: ${workersReason}` }
    }
    case 'reload-started':
      return { level: 'info', fields, message: 'reloading: each worker is replaced in turn' }
    case 'reload-ended':
      return describeReload(event)
    case 'drain-expected': {
      const message = `a drain is to be expected: open requests are told to end in ${event.timeoutMs} ms`
      return { level: 'info', fields, message }
    }
    case 'routes-reloaded':
      return { level: 'info', fields, message: `new routes in all workers, ${event.durationMs} ms` }
    case 'admin-listening':
      return { level: 'info', fields, message: `admin server on ${event.url}` }
    case 'drain-started': {
      const { timeoutMs, delayMs } = event
      const then = delayMs === 0 ? '' : `still accepting for ${delayMs} ms, then `
      const message = `draining: ${then}open requests have ${timeoutMs} ms to finish`
      return { level: 'info', fields, message }
    }
    case 'drain-ended': {
      if (!hasStarted) return null
      const { drained, remaining } = event
      return drained
        ? { level: 'info', fields, message: 'drained: every request was answered' }
        : { level: 'warn', fields, message: `not drained: ${remaining} connections were cut` }
    }
    case 'warning':
      return { level: 'warn', fields, message: event.message }
    default:
      return describeWorkerEvent(event, hasStarted)
  }
}

function describeReload({
  replaced,
  failed,
}: Extract<ServerEvent, { type: 'reload-ended' }>): LogLine {
  if (failed === null) {
    return { level: 'info', fields: { replaced }, message: `reloaded: ${replaced} workers` }
  }
  const fields = withLoggedError({ replaced }, failed)
  const message = `not reloaded: ${replaced} workers run the new code, the others serve on`
  return { level: 'error', fields, message }
}

type WorkerEventOf<Type> = Type extends `worker-${string}` | `handler-${string}` ? Type : never
type WorkerEvent = Extract<ServerEvent, { type: WorkerEventOf<ServerEvent['type']> }>

function describeWorkerEvent(event: WorkerEvent, hasStarted: boolean): LogLine | null {
  const { type, ...facts } = event
  const fields = 'error' in event ? withLoggedError(facts, event.error) : facts
  const worker = `worker ${event.workerId}`
  switch (type) {
    case 'worker-listening':
      return event.generation === 1
        ? { level: 'debug', fields, message: `${worker} listens` }
        : { level: 'info', fields, message: `${worker} listens again` }
    case 'worker-failed': {
      if (!hasStarted) return null
      // The hooks load the application, to explain what is wrong with it.
      const stage = isApplicationLoadError(event.error) ? 'application' : event.stage
      const message = `${worker} could not start: ${stage} failed`
      return { level: 'error', fields: { ...fields, stage }, message }
    }
    case 'worker-exited':
      return describeExit(event, fields, hasStarted)
    case 'worker-stalled': {
      const then = event.isReplaced ? '; it is replaced' : ''
      const message = `the event loop of ${worker} has stood still for ${event.stalledMs} ms${then}`
      return { level: 'warn', fields, message }
    }
    case 'worker-recovered': {
      const message = `the event loop of ${worker} runs again after ${event.stalledMs} ms`
      return { level: 'warn', fields, message }
    }
    case 'handler-error':
      // A worker with the command's hooks logs its own; this is for one without.
      return { level: 'error', fields, message: `a handler failed in ${worker}` }
    case 'handler-errors-dropped': {
      const message = `${event.count} more handler errors in ${worker} are not shown`
      return { level: 'error', fields, message }
    }
  }
}

function describeExit(
  event: Extract<ServerEvent, { type: 'worker-exited' }>,
  fields: LogLine['fields'],
  hasStarted: boolean,
): LogLine {
  const { workerId, reason, exitCode, restartDelayMs } = event
  if (reason === 'stopped' || reason === 'replaced' || !hasStarted) {
    return { level: 'debug', fields, message: `worker ${workerId} ended` }
  }
  const then = restartDelayMs === null ? '' : `; another starts in ${restartDelayMs} ms`
  const message = `worker ${workerId} ended: ${reason}, exit code ${exitCode}${then}`
  return { level: 'error', fields, message }
}

function withLoggedError(
  { error: _, ...facts }: Readonly<Record<string, unknown>>,
  error: SerializedError | null,
): LogLine['fields'] {
  return error === null ? facts : { err: deserializeError(error), ...facts }
}
