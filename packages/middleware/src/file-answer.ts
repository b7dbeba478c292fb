import { randomBytes } from 'node:crypto'
import { HeaderBlock, type HttpRequest, HttpResponse, text } from '@rr/core'
import { evaluateConditions, evaluateIfRange } from './conditional.ts'
import { type BodyPart, FileBody, readWhole } from './file-body.ts'
import type { OpenedFile } from './opened-file.ts'
import { type ByteRange, selectRanges } from './range.ts'
import { describeFile, type Representation } from './representation.ts'

/** Files up to this size are read at once: one read costs less than a stream. */
export const SMALL_FILE_BYTES = 65_536

/** What 304 says again (RFC 9110 §15.4.5); with a tag, the date adds nothing. */
const NOT_MODIFIED_FIELDS = new Set(['etag', 'cache-control', 'vary'])

/** An answer with no body from the file, or the head of one with the parts that follow. */
type Plan = HttpResponse | { status: 200 | 206; headers: HeaderBlock; parts: readonly BodyPart[] }

type AnyRequest = HttpRequest<unknown, unknown>

/** Answers with bytes that are in memory, which stay the cache's. */
export function answerFromMemory(
  request: AnyRequest,
  representation: Representation,
  content: Uint8Array,
): HttpResponse {
  const plan = planAnswer(request, representation)
  return plan instanceof HttpResponse ? plan : fromMemory(plan, content)
}

/**
 * Answers from an open file, which is closed now or when its body has been sent or dropped.
 *
 * @param fields what goes with the whole file, such as its type
 */
export async function answerFromFile(
  request: AnyRequest,
  { handle, facts }: OpenedFile,
  fields: readonly (readonly [string, string])[],
): Promise<HttpResponse> {
  let isTaken = false
  try {
    const plan = planAnswer(request, describeFile(facts, fields))
    if (plan instanceof HttpResponse) return plan
    if (facts.sizeBytes <= SMALL_FILE_BYTES) {
      return fromMemory(plan, await readWhole(handle, facts.sizeBytes))
    }
    const response = new HttpResponse(plan.status, plan.headers, new FileBody(handle, plan.parts))
    isTaken = true
    return response
  } finally {
    if (!isTaken) await handle.close()
  }
}

function planAnswer(request: AnyRequest, representation: Representation): Plan {
  const { headers, validators, facts } = representation
  const isGet = request.method === 'GET'
  const isHead = request.method === 'HEAD'
  // For another method the file is the answer to it, not what its conditions speak of.
  if (isGet || isHead) {
    const outcome = evaluateConditions(request, validators)
    if (outcome === 304) return notModified(headers)
    if (outcome === 412) return text('Precondition Failed', { status: 412 })
  }
  if (isHead) return new HttpResponse(200, headers, null)
  const field = isGet ? request.headers.get('range') : null
  if (field !== null && evaluateIfRange(request, validators)) {
    const selection = selectRanges(field, facts.sizeBytes)
    if (selection === 'unsatisfiable') return unsatisfiable(facts.sizeBytes)
    if (selection !== 'whole') return planRanges(representation, selection)
  }
  const parts = facts.sizeBytes === 0 ? [] : [{ first: 0, last: facts.sizeBytes - 1 }]
  return { status: 200, headers, parts }
}

function notModified(headers: HeaderBlock): HttpResponse {
  const kept = headers.pairs.filter(([name]) => NOT_MODIFIED_FIELDS.has(name))
  return new HttpResponse(304, new HeaderBlock(kept), null)
}

function unsatisfiable(sizeBytes: number): HttpResponse {
  const headers = { 'content-range': `bytes */${sizeBytes}`, 'accept-ranges': 'bytes' }
  return text('Range Not Satisfiable', { status: 416, headers })
}

/** One range is sent as it is, several as multipart/byteranges (RFC 9110 §15.3.7). */
function planRanges({ headers, facts }: Representation, ranges: readonly ByteRange[]): Plan {
  const { sizeBytes } = facts
  const [range] = ranges
  if (ranges.length === 1 && range !== undefined) {
    const block = new HeaderBlock([
      ...headers.pairs,
      ['content-range', contentRange(range, sizeBytes)],
      ['content-length', String(byteCount(range))],
    ])
    return { status: 206, headers: block, parts: [range] }
  }
  // 128 random bits for each answer: no file can hold the boundary, by accident or on purpose.
  const boundary = `rr-${randomBytes(16).toString('hex')}`
  const parts: BodyPart[] = []
  let lengthBytes = 0
  const add = (part: BodyPart): void => {
    parts.push(part)
    lengthBytes += part instanceof Uint8Array ? part.length : byteCount(part)
  }
  const type = headers.get('content-type') ?? 'application/octet-stream'
  for (const range of ranges) {
    const position = `content-range: ${contentRange(range, sizeBytes)}\r\n`
    add(Buffer.from(`\r\n--${boundary}\r\ncontent-type: ${type}\r\n${position}\r\n`, 'latin1'))
    add(range)
  }
  add(Buffer.from(`\r\n--${boundary}--\r\n`, 'latin1'))
  const block = new HeaderBlock([
    ...headers.pairs.filter(([name]) => name !== 'content-type'),
    ['content-type', `multipart/byteranges; boundary=${boundary}`],
    ['content-length', String(lengthBytes)],
  ])
  return { status: 206, headers: block, parts }
}

function fromMemory(plan: Exclude<Plan, HttpResponse>, content: Uint8Array): HttpResponse {
  const pieces = plan.parts.map((part) =>
    part instanceof Uint8Array ? part : content.subarray(part.first, part.last + 1),
  )
  const [piece] = pieces
  const body = pieces.length === 1 && piece !== undefined ? piece : Buffer.concat(pieces)
  return new HttpResponse(plan.status, plan.headers, body)
}

function contentRange({ first, last }: ByteRange, sizeBytes: number): string {
  return `bytes ${first}-${last}/${sizeBytes}`
}

function byteCount({ first, last }: ByteRange): number {
  return last - first + 1
}
