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
  if (!(error instanceof RrError)) return failed(explainLoadError(error, null))
  if (error.code === 'RR_BIND_FAILED') return { reason: 'cannotBind', text: said(error.message) }
  if (error.code.startsWith('RR_OPTION_')) return { reason: 'usage', text: said(error.message) }
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

function failed(text: string): StartError {
  return { reason: 'failed', text: said(text) }
}

function said(text: string): string {
  return `rr-serve: ${text}\n`
}
