import { isRefusalHeard, publishRefusal } from '../diagnostics.ts'
import { HeaderBlock } from '../header-block.ts'
import type { RequestRefusalCause } from '../refusal-entry.ts'
import type { Transport } from '../transport.ts'
import type { AnswerWriter } from './answer-writer.ts'
import type { Http1Context } from './connection-context.ts'
import { requestHead } from './message-reader.ts'
import { REFUSALS, type Refusal, refusalText } from './refusal.ts'

const REFUSAL_HEADERS = new HeaderBlock([['content-type', 'text/plain; charset=utf-8']])
/** Refused for the load of the server, which may be over soon. As connections over the limit are. */
const OVERLOADED_HEADERS = new HeaderBlock([
  ['content-type', 'text/plain; charset=utf-8'],
  ['retry-after', '1'],
])
const OVERLOADED_TEXT = refusalText(REFUSALS.overloaded)

const NO_HEAD = { method: null, target: null }

/** What is known of a refused request besides why. */
interface Refused {
  readonly cause: RequestRefusalCause
  /** The head of the request has just been read, and no other since. */
  readonly isHeadKnown: boolean
  /** A handler was called. */
  readonly isDispatched: boolean
}

/** Counts a refusal, and tells of it where anybody hears. */
export function tellRefusal(
  { metrics, onRefusal, workerId }: Http1Context,
  transport: Transport,
  { code, status, reason, limit }: Refusal,
  { cause, isHeadKnown, isDispatched }: Refused,
): void {
  metrics.requestRejected(status, cause)
  if (limit !== null) metrics.limitReached(limit)
  if (onRefusal === null && !isRefusalHeard()) return
  const { peer } = transport
  const { method, target } = isHeadKnown && !isDispatched ? requestHead : NO_HEAD
  const entry = { cause, status, code, limit, reason, peer, method, target, isDispatched }
  onRefusal?.(entry)
  publishRefusal(entry, workerId)
}

/** Answers a request that is refused; the connection closes behind it. */
export function writeRefusal(writer: AnswerWriter, refused: Refusal): void {
  writer.writeWhole(refused.status, REFUSAL_HEADERS, refusalText(refused), false)
}

/** Answers a request that there is no place for; the connection may stay. */
export function writeOverloaded(writer: AnswerWriter, keepAlive: boolean): void {
  const { status } = REFUSALS.overloaded
  writer.writeWhole(status, OVERLOADED_HEADERS, OVERLOADED_TEXT, keepAlive)
}
