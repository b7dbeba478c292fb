import { LatencyRecord } from './latency-record.ts'
import type { AnswerSample, PlannedRequest } from './load-messages.ts'

/** What can go wrong with a request. */
export type ErrorKind = 'connect' | 'read' | 'write' | 'timeout' | 'status' | 'body'

/** So many answers to each request are kept whole for a full check ... */
const SAMPLES_PER_REQUEST = 2
/** ... as long as they are no more than this in all. */
const MAX_SAMPLE_BYTES = 16 * 1024 * 1024

/** What a run has counted so far. */
export class RunTally {
  readonly corrected: LatencyRecord | null
  readonly uncorrected: LatencyRecord = new LatencyRecord()
  readonly samples: AnswerSample[] = []
  requests = 0
  lastAnswerUs = 0
  readonly #requests: readonly PlannedRequest[]
  readonly #errors = new Map<ErrorKind, number>()
  readonly #samplesLeft: Uint8Array
  #sampleBytesLeft = MAX_SAMPLE_BYTES

  constructor(requests: readonly PlannedRequest[], isConstantRate: boolean) {
    this.#requests = requests
    this.corrected = isConstantRate ? new LatencyRecord() : null
    this.#samplesLeft = new Uint8Array(requests.length).fill(SAMPLES_PER_REQUEST)
  }

  /** A whole answer, right or wrong: it took its time either way. */
  answer(
    request: number,
    status: number,
    bodyBytes: number,
    intendedUs: number,
    sentUs: number,
    answeredUs: number,
  ): void {
    const planned = this.#requests[request] as PlannedRequest
    if (status !== planned.status) this.error('status')
    else if (planned.bodyBytes !== null && bodyBytes !== planned.bodyBytes) this.error('body')
    this.requests++
    this.lastAnswerUs = answeredUs
    this.uncorrected.record(answeredUs - sentUs)
    this.corrected?.record(answeredUs - intendedUs)
  }

  /** One event of a stream. */
  event(sinceLastUs: number, nowUs: number): void {
    this.requests++
    this.lastAnswerUs = nowUs
    this.uncorrected.record(sinceLastUs)
  }

  error(kind: ErrorKind, count = 1): void {
    if (count > 0) this.#errors.set(kind, (this.#errors.get(kind) ?? 0) + count)
  }

  get errors(): Record<string, number> {
    return Object.fromEntries(this.#errors)
  }

  wantsSample(request: number): boolean {
    return (this.#samplesLeft[request] as number) > 0 && this.#sampleBytesLeft > 0
  }

  sample(sample: AnswerSample): void {
    this.#samplesLeft[sample.request] = (this.#samplesLeft[sample.request] as number) - 1
    this.#sampleBytesLeft -= sample.body.byteLength
    this.samples.push(sample)
  }
}
