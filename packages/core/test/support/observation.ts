import { HttpError, RrError } from '../../src/errors.ts'
import type { Handler } from '../../src/handler.ts'
import type { HttpRequest } from '../../src/request.ts'
import { text } from '../../src/response.ts'
import { Conversation } from './conversation.ts'
import { CORPUS_LIMITS } from './corpus.ts'
import { turns } from './turns.ts'

/** How the handler under observation behaves. */
export const BEHAVIOURS = ['ignores the body', 'reads the body', 'reads the body late'] as const
export type Behaviour = (typeof BEHAVIOURS)[number]

/**
 * Everything that the two ends of a connection see of each other, as text that can be compared.
 *
 * @param parts the input, in the reads in which it arrives
 * @param isSlow lets everything settle between two reads
 */
export async function observe(
  parts: readonly Uint8Array[],
  behaviour: Behaviour,
  isSlow: boolean,
): Promise<string> {
  const seen: string[] = []
  const conversation = new Conversation({
    limits: CORPUS_LIMITS,
    handler: observingHandler(behaviour, seen),
  })
  for (const part of parts) {
    conversation.send(part)
    if (isSlow) await turns()
  }
  await conversation.settle()
  const isOpen = conversation.isOpen
  // Afterwards, so that nothing is answered sooner or later than the end of input is known.
  await conversation.finish().settle()
  const { started, finished, rejected, errors } = conversation
  return JSON.stringify(
    {
      // Whether a late reader still finds the client waiting is a matter of time.
      output: conversation.output
        .replaceAll(/^date: .*\r\n/gm, '')
        .replaceAll('HTTP/1.1 100 Continue\r\n\r\n', ''),
      seen,
      isOpen,
      counts: { started, finished, rejected },
      errors: errors.map(String),
    },
    null,
    1,
  )
}

function observingHandler(behaviour: Behaviour, seen: string[]): Handler {
  return (request) => {
    const index = seen.push(describeHead(request)) - 1
    if (behaviour === 'ignores the body') return text(request.path)
    return read(request, behaviour === 'reads the body late').then((body) => {
      seen[index] += body
      return text(`${request.path} ${body}`)
    })
  }
}

async function read(request: HttpRequest, isLate: boolean): Promise<string> {
  if (isLate) await turns()
  try {
    const body = Buffer.from(await request.bytes()).toString('latin1')
    return JSON.stringify([body, [...request.trailers.raw()]])
  } catch (error) {
    return error instanceof RrError || error instanceof HttpError ? String(error.status) : 'failed'
  }
}

function describeHead(request: HttpRequest): string {
  const { method, target, path, queryString, host, httpVersion, headers } = request
  return JSON.stringify([method, target, path, queryString, host, httpVersion, [...headers.raw()]])
}
