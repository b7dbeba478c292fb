import { RrError } from '../errors.ts'
import type { HeaderBlock } from '../header-block.ts'
import { FRAME_NONE } from './response-head.ts'

/** False for the final statuses that never carry a body (RFC 9110 §6.4.1, §15.3.6). */
export function statusHasBody(status: number): boolean {
  return status !== 204 && status !== 304 && status !== 205
}

/**
 * The framing of a response whose body is whole (RFC 9112 §6, RFC 9110 §8.6).
 *
 * @param length of the body; -1 for an answer to HEAD whose body is not known
 * @throws RrError RR_RESPONSE_LENGTH when the headers announce another length
 */
export function chooseFraming(status: number, headers: HeaderBlock | null, length: number): number {
  const announced = headers === null ? -1 : headers.contentLength
  if (status === 204) return FRAME_NONE
  // Clients do not know from the status that there is none.
  if (status === 205) return 0
  if (status === 304 || length < 0) return announced >= 0 ? announced : FRAME_NONE
  if (announced >= 0 && announced !== length) throw lengthError(announced, length)
  return length
}

export function lengthError(announced: number, length: number): RrError {
  return new RrError(
    'RR_RESPONSE_LENGTH',
    `the response announces ${announced} bytes of body and has ${length} (RFC 9110 §8.6)`,
  )
}
