import type { ExpectedAnswer } from '../model.ts'
import type { AnswerSample } from './load-messages.ts'

/**
 * The body length that every right answer has, or null where only `checkBody` can tell. An answer to
 * HEAD, a 204 and a 304 bring none.
 */
export function expectedBodyBytes(answer: ExpectedAnswer, method: string): number | null {
  if (method === 'HEAD' || answer.status === 204 || answer.status === 304) return 0
  return answer.body?.byteLength ?? (answer.checkBody === null ? 0 : null)
}

/** Null when the body is right. The status and the length have been checked of every answer. */
export function checkSample(sample: AnswerSample, answer: ExpectedAnswer): string | null {
  if (sample.status !== answer.status) return null
  const { body, checkBody } = answer
  if (body !== null && body.byteLength === sample.body.byteLength) {
    return Buffer.compare(body, sample.body) === 0 ? null : 'other bytes'
  }
  return body === null && checkBody !== null ? checkBody(sample.body) : null
}
