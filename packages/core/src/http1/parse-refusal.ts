import { isToken } from '../field-syntax.ts'
import {
  LLHTTP_INVALID_CONSTANT,
  LLHTTP_INVALID_METHOD,
  LLHTTP_INVALID_VERSION,
  LLHTTP_PAUSED_H2_UPGRADE,
  type Llhttp,
} from './llhttp.ts'
import { REFUSALS, type Refusal, refusal } from './refusal.ts'

const SPACE = 0x20

/** Says why llhttp stopped with an error, in terms of what the client is answered. */
export function parseRefusal(source: Llhttp, parser: number, headLength: number): Refusal {
  const reason = source.reason(parser)
  switch (source.code) {
    case LLHTTP_INVALID_METHOD: {
      // The byte that fits no known method: within a token, the method is one we do not know.
      const byte = source.byteAt(source.consumed)
      const isMethod = byte === SPACE ? headLength > 0 : isToken(String.fromCharCode(byte))
      return isMethod ? REFUSALS.methodUnknown : REFUSALS.requestLine
    }
    case LLHTTP_INVALID_CONSTANT:
      // A method of another protocol that llhttp knows, such as RTSP's PLAY.
      return reason.startsWith('Invalid method') ? REFUSALS.methodUnknown : REFUSALS.requestLine
    case LLHTTP_INVALID_VERSION:
      return reason === 'Invalid HTTP version' ? REFUSALS.version : REFUSALS.requestLine
    case LLHTTP_PAUSED_H2_UPGRADE:
      return REFUSALS.version
    default:
      return refusal('RR_REQUEST_MALFORMED', reason)
  }
}
