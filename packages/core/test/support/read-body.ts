import { RrError } from '../../src/errors.ts'
import type { HttpOptionsInput } from '../../src/http-options.ts'
import type { HttpRequest } from '../../src/request.ts'
import { text } from '../../src/response.ts'
import { Conversation } from './conversation.ts'
import { POST } from './messages.ts'

export interface BodyToRead {
  readonly body: string | Uint8Array
  /** The value of Content-Type; none without one. */
  readonly type?: string
  /** Further field lines. */
  readonly fields?: string
  readonly limits?: HttpOptionsInput
  /** How many bytes of the body the server gets at a time. Default: all. */
  readonly pieceBytes?: number
}

/** A POST, with a body of known length. */
export function postMessage({ body, type, fields = '' }: BodyToRead): Buffer {
  const bytes = Buffer.from(body as string)
  const typeLine = type === undefined ? '' : `Content-Type: ${type}\r\n`
  const head = `${POST}${typeLine}${fields}Content-Length: ${bytes.length}\r\n\r\n`
  return Buffer.concat([Buffer.from(head, 'latin1'), bytes])
}

/**
 * What `read` comes to in a handler for a request with the given body.
 *
 * @returns its value, or the code of the RrError that it threw, or what else it threw
 */
export async function readBody(
  given: BodyToRead,
  read: (request: HttpRequest) => unknown,
): Promise<unknown> {
  let result: unknown = 'nothing'
  const conversation = new Conversation({
    ...(given.limits === undefined ? {} : { limits: given.limits }),
    handler: async (request) => {
      try {
        result = await read(request)
      } catch (error) {
        result = error instanceof RrError ? error.code : error
      }
      return text('')
    },
  })
  const message = postMessage(given)
  const head = message.indexOf('\r\n\r\n') + 4
  conversation.send(message.subarray(0, head))
  const step = given.pieceBytes ?? message.length
  for (let from = head; from < message.length; from += step) {
    conversation.send(message.subarray(from, from + step))
  }
  await conversation.settle()
  // Work outside the event loop (inflating, files) takes turns of its own.
  while (result === 'nothing' && conversation.isOpen) await conversation.settle()
  return result
}
