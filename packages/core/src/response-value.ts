import { RrError } from './errors.ts'
import { headerBlock } from './header-block.ts'
import { HttpResponse, type ResponseBody, type ResponseValue } from './response.ts'
import { discardValue } from './response-stream.ts'

/**
 * Checks a response given as a plain object, and lets go of the body of one that cannot be sent.
 *
 * @throws RrError RR_RESPONSE_INVALID, RR_HEADER_INVALID
 */
export function toResponse(value: unknown): HttpResponse {
  try {
    return checkValue(value)
  } catch (error) {
    discardValue(value)
    throw error
  }
}

function checkValue(value: unknown): HttpResponse {
  if (typeof value !== 'object' || value === null || !('status' in value)) {
    throw new RrError(
      'RR_RESPONSE_INVALID',
      `a handler answers with a response, not ${value === null ? 'null' : typeof value}`,
    )
  }
  const { status, headers, body } = value as ResponseValue
  return new HttpResponse(
    status,
    headers === null || headers === undefined ? null : headerBlock(headers),
    checkBody(body ?? null),
  )
}

function checkBody(body: unknown): ResponseBody {
  if (body === null || typeof body === 'string' || body instanceof Uint8Array) return body
  if (body instanceof ReadableStream) return body
  if (typeof body === 'object' && Symbol.asyncIterator in body) {
    return body as AsyncIterable<Uint8Array | string>
  }
  throw new RrError(
    'RR_RESPONSE_INVALID',
    'a response body is a string, a Uint8Array, a stream, an async iterable or null, ' +
      `not ${typeof body}; json() sends objects`,
  )
}
