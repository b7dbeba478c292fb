import type { SerializedError, ServerEvent } from '@rr/listener'
import type { Logger } from './logger.ts'

/** An error of another thread, in the shape that the logger prints errors in. */
interface LoggedError {
  readonly type: string
  readonly message: string
  readonly stack: string
  readonly code?: string
  readonly cause?: LoggedError
}

/** Logs what the supervisor reports. Until the server has started, failures are its caller's to tell. */
export function logServerEvent(log: Logger, event: ServerEvent, hasStarted: boolean): void {
  switch (event.type) {
    case 'server-starting': {
      const { workers, workersReason } = event
      const count = workers === 1 ? '1 worker' : `${workers} workers`
      return log.info({ workers }, `${count}: ${workersReason}`)
    }
    case 'worker-listening': {
      const { workerId, threadId, generation, port } = event
      const level = generation === 1 ? 'debug' : 'info'
      return log[level](
        { workerId, threadId, generation, port },
        `worker ${workerId} listens${generation === 1 ? '' : ' again'}`,
      )
    }
    case 'worker-failed': {
      if (!hasStarted) return
      const { workerId, generation, stage, error } = event
      return log.error(
        { err: loggedError(error), workerId, generation, stage },
        `worker ${workerId} could not start: ${stage} failed`,
      )
    }
    case 'worker-exited':
      return logExit(log, event, hasStarted)
    case 'worker-stalled': {
      const { workerId, stalledMs, isReplaced } = event
      const then = isReplaced ? '; it is replaced' : ''
      return log.warn(
        { workerId, stalledMs, isReplaced },
        `the event loop of worker ${workerId} has stood still for ${stalledMs} ms${then}`,
      )
    }
    case 'worker-recovered': {
      const { workerId, stalledMs } = event
      return log.warn(
        { workerId, stalledMs },
        `the event loop of worker ${workerId} runs again after ${stalledMs} ms`,
      )
    }
    case 'handler-error': {
      // Workers log these themselves; only one without hooks would report them here.
      const { workerId, error, request } = event
      return log.error({ err: loggedError(error), workerId, request }, 'a handler failed')
    }
    case 'handler-errors-dropped': {
      const { workerId, count } = event
      return log.error({ workerId, count }, `${count} more handler errors are not shown`)
    }
    case 'drain-started': {
      const { timeoutMs } = event
      return log.info({ timeoutMs }, `draining: open requests have ${timeoutMs} ms to finish`)
    }
    case 'drain-ended': {
      const { drained, remaining } = event
      return drained
        ? log.info({ drained, remaining }, 'drained: every request was answered')
        : log.warn({ drained, remaining }, `not drained: ${remaining} connections were cut`)
    }
    case 'warning': {
      const { code, message, workerId } = event
      return log.warn({ code, workerId }, message)
    }
  }
}

function logExit(
  log: Logger,
  event: Extract<ServerEvent, { type: 'worker-exited' }>,
  hasStarted: boolean,
): void {
  const { type: _, error, ...facts } = event
  const { workerId, reason, exitCode, restartDelayMs } = event
  if (reason === 'stopped' || !hasStarted) {
    return log.debug(facts, `worker ${workerId} ended`)
  }
  const then = restartDelayMs === null ? '' : `; another starts in ${restartDelayMs} ms`
  const err = error === null ? {} : { err: loggedError(error) }
  log.error({ ...facts, ...err }, `worker ${workerId} ${reason}, exit code ${exitCode}${then}`)
}

function loggedError(error: SerializedError): LoggedError {
  const { name, message, stack, code, cause } = error
  return {
    type: name,
    message,
    stack: stack ?? `${name}: ${message}`,
    ...(code === null ? {} : { code }),
    ...(cause === null ? {} : { cause: loggedError(cause) }),
  }
}
