import { RrError } from '@rr/core'
import type { ExitReason } from './exit-codes.ts'
import { explainLoadError, findExplanation } from './load-error.ts'

/** Why the server did not start: how the process ends, and what it says on stderr. */
export interface StartError {
  readonly reason: ExitReason
  readonly text: string
}

/** @param application as the user named it */
export function explainStartError(error: unknown, application: string): StartError {
  const { reason, text } = explainStart(error, application)
  return { reason, text: `rr-serve: ${text}\n` }
}

function explainStart(error: unknown, application: string): StartError {
  if (!(error instanceof RrError)) return failed(explainLoadError(error, null))
  if (error.code === 'RR_BIND_FAILED') return { reason: 'cannotBind', text: error.message }
  if (error.code.startsWith('RR_OPTION_')) return { reason: 'usage', text: error.message }
  const explanation = findExplanation(error)
  if (explanation !== null) return failed(`cannot load ${application}\n\n${explanation}`)
  const { cause } = error
  if (cause instanceof RrError && cause.code === 'RR_APPLICATION_INVALID') {
    return failed(`cannot serve ${application}: ${cause.message}`)
  }
  if (error.code === 'RR_APPLICATION_FAILED' && cause instanceof Error) {
    return failed(`cannot start ${application}\n\n${explainLoadError(cause, null)}`)
  }
  return failed(error.message)
}

/** Why a reload failed, for the log. */
export function explainReloadError(error: unknown, application: string): string {
  const explanation = findExplanation(error)
  if (explanation !== null) return `cannot load ${application}\n\n${explanation}`
  const cause = error instanceof RrError ? error.cause : undefined
  // An RrError says all itself; what the application threw needs its frames.
  if (cause instanceof RrError) return explainStart(cause, application).text
  if (cause instanceof Error)
    return `cannot start ${application}\n\n${explainLoadError(cause, null)}`
  return error instanceof Error ? error.message : explainLoadError(error, null)
}

/** True where the application's code is what failed, so that other code may mend it. */
export function isApplicationFailure(error: unknown): boolean {
  return (
    error instanceof RrError &&
    (error.code === 'RR_APPLICATION_FAILED' || error.code === 'RR_WORKER_FAILED')
  )
}

function failed(text: string): StartError {
  return { reason: 'failed', text }
}
