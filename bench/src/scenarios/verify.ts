import type { ExpectedAnswer, RequestSpec, Scenario } from '../model.ts'
import { type PlainAnswer, sendPlain } from './plain-client.ts'

/** For each request; a server on a busy machine may need long for 20 MiB. */
const TIMEOUT_MS = 10_000
/** Of a stream without an end this much is looked at: some hundred events. */
const STREAM_SAMPLE_BYTES = 4096
/** A server that is wrong is wrong in the same way again: more findings would tell nothing new. */
const MAX_PROBLEMS = 5
const SHOWN_BYTES = 60

/**
 * Sends each request of a scenario once and compares the answers.
 *
 * @returns what is wrong, a line each; empty when the server may be timed
 */
export async function verify(
  url: string,
  scenario: Scenario,
  timeoutMs: number = TIMEOUT_MS,
): Promise<readonly string[]> {
  const isEndless = scenario.shape.kind === 'event-stream'
  const options = {
    timeoutMs,
    maxBodyBytes: isEndless ? STREAM_SAMPLE_BYTES : Number.POSITIVE_INFINITY,
  }
  const problems: string[] = []
  for (const { request, answer: expected } of scenario.requests) {
    for (const problem of await problemsOf(request, expected)) {
      problems.push(`${request.method} ${request.target}: ${problem}`)
    }
    if (problems.length >= MAX_PROBLEMS) break
  }
  return problems.slice(0, MAX_PROBLEMS)

  async function problemsOf(spec: RequestSpec, expected: ExpectedAnswer): Promise<string[]> {
    try {
      const actual = await sendPlain(url, spec, options)
      const problems = compare(expected, actual)
      if (spec.bodyMode === 'expect-continue' && !actual.sawContinue) {
        problems.push('no interim answer 100')
      }
      return problems
    } catch (error) {
      return [error instanceof Error ? error.message : String(error)]
    }
  }
}

/** What is wrong with an answer, a line each. */
export function compare(expected: ExpectedAnswer, actual: PlainAnswer): string[] {
  const problems: string[] = []
  if (actual.status !== expected.status) {
    problems.push(`status ${actual.status}, expected ${expected.status}`)
  }
  const type = actual.header('content-type')
  if (normalType(type) !== normalType(expected.contentType)) {
    problems.push(`content-type ${type ?? 'missing'}, expected ${expected.contentType ?? 'none'}`)
  }
  for (const [name, wanted] of expected.headers) {
    const value = actual.header(name)
    const isRight =
      value !== null && (typeof wanted === 'string' ? value === wanted : wanted.test(value))
    if (!isRight) problems.push(`${name} ${value ?? 'missing'}, expected ${wanted}`)
  }
  const wrongBody = expected.checkBody?.(actual.body) ?? differenceOf(expected.body, actual.body)
  if (wrongBody !== null) problems.push(`body: ${wrongBody}`)
  return problems
}

const normalType = (type: string | null): string | null =>
  type === null
    ? null
    : type
        .toLowerCase()
        .replace(/\s*;\s*/g, ';')
        .trim()

function differenceOf(expected: Uint8Array | null, actual: Uint8Array): string | null {
  if (expected === null || Buffer.compare(expected, actual) === 0) return null
  if (expected.length !== actual.length) {
    return `${actual.length} bytes, expected ${expected.length}; it begins ${begin(actual)}`
  }
  const at = expected.findIndex((byte, i) => byte !== actual[i])
  return `differs at byte ${at}: ${begin(actual.subarray(at))}, expected ${begin(expected.subarray(at))}`
}

const begin = (bytes: Uint8Array): string =>
  JSON.stringify(Buffer.from(bytes.subarray(0, SHOWN_BYTES)).toString('latin1'))
