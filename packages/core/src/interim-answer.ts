import { RrError } from './errors.ts'
import { type HeaderBlock, type HeadersInput, headerBlock } from './header-block.ts'

/**
 * Checks an interim answer (RFC 9110 §15.2).
 *
 * @throws RrError RR_RESPONSE_INVALID for a status that is not the application's to send,
 *   RR_HEADER_INVALID
 */
export function interimBlock(status: number, headers: HeadersInput): HeaderBlock {
  if (!(status >= 102 && status <= 199 && Number.isInteger(status))) {
    throw new RrError(
      'RR_RESPONSE_INVALID',
      `an interim status is 102 to 199, not ${status}: 100 and 101 are the protocol's`,
    )
  }
  return headerBlock(headers)
}
