import { RrError } from '../errors.ts'

// Why requests end without a whole answer.

export function abortedError(cause: Error | null): RrError {
  const message = 'the client closed the connection before its request was answered'
  return new RrError('RR_REQUEST_ABORTED', message, cause === null ? undefined : { cause })
}

export function answeredError(): RrError {
  return new RrError('RR_REQUEST_ABORTED', 'the request was answered before its body was read')
}

export function stalledError(): RrError {
  return new RrError('RR_REQUEST_ABORTED', 'the client took no bytes within sendTimeoutMs')
}
