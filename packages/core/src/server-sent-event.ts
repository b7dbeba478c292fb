import { RrError } from './errors.ts'

/** An event of an event stream (WHATWG HTML §9.2). */
export interface ServerSentEvent {
  /** Its type, without CR and LF; default `message`, to which `onmessage` listens. */
  readonly event?: string
  /** May have several lines; CR, LF and CRLF all reach the client as LF. Without it nobody is told. */
  readonly data?: string
  /** What the client sends back as Last-Event-ID when it reconnects; without CR, LF and NUL. */
  readonly id?: string
  /** How long the client waits before it reconnects, in ms. */
  readonly retry?: number
  /** For nobody to see; may have several lines. */
  readonly comment?: string
}

/** Every form of a line's end in an event stream (WHATWG HTML §9.2.5). */
const LINE_BREAK = /\r\n|\r|\n/

/** A comment without text: what keeps proxies from giving an idle connection up. */
export const HEARTBEAT = ':\n\n'

/**
 * An event as it is sent. Whatever it is made of, it is one event: no part of it can pass for
 * another field or another event.
 *
 * @throws RrError RR_RESPONSE_INVALID for what an event cannot carry
 */
export function serializeEvent(event: ServerSentEvent): string {
  if (typeof event !== 'object' || event === null) {
    throw invalid(`an event is an object, not ${event === null ? 'null' : typeof event}`)
  }
  const { event: type, data, id, retry, comment } = event
  let text = ''
  if (comment !== undefined) text += lines('', checkText('comment', comment))
  if (type !== undefined) text += `event: ${checkLine('event', type)}\n`
  if (id !== undefined) text += `id: ${checkId(id)}\n`
  if (retry !== undefined) text += `retry: ${checkRetry(retry)}\n`
  if (data !== undefined) text += lines('data', checkText('data', data))
  return `${text}\n`
}

function lines(name: string, text: string): string {
  // Most have one line.
  if (!LINE_BREAK.test(text)) return `${name}: ${text}\n`
  return text
    .split(LINE_BREAK)
    .map((line) => `${name}: ${line}\n`)
    .join('')
}

function checkText(name: string, text: unknown): string {
  if (typeof text === 'string') return text
  throw invalid(`the ${name} of an event is a string, not ${typeof text}`)
}

function checkLine(name: string, text: unknown): string {
  const line = checkText(name, text)
  if (!LINE_BREAK.test(line)) return line
  throw invalid(`the ${name} of an event has no line break (WHATWG HTML §9.2.5)`)
}

function checkId(id: unknown): string {
  const line = checkLine('id', id)
  // Clients ignore such an id (WHATWG HTML §9.2.6), and would go on with an older one.
  if (!line.includes('\0')) return line
  throw invalid('the id of an event has no NUL (WHATWG HTML §9.2.6)')
}

function checkRetry(retry: unknown): number {
  if (typeof retry === 'number' && Number.isSafeInteger(retry) && retry >= 0) return retry
  throw invalid('the retry of an event is a whole number of milliseconds')
}

function invalid(message: string): RrError {
  return new RrError('RR_RESPONSE_INVALID', message)
}
