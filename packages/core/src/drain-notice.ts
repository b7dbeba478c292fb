import { RrError } from './errors.ts'

/** What a server tells those who are answering of a drain. */
export interface DrainNotice {
  /** When what is still open will be cut, in milliseconds since the epoch, as `Date.now()`. */
  readonly deadlineMs: number
  /**
   * True: the server, or this worker of it, is stopping. False: a drain is to be expected
   * (`notifyDrain`), and until it comes everything stays as it is.
   */
  readonly isStopping: boolean
}

/** Told of drains; see `HttpRequest.onDrain`. */
export type DrainListener = (notice: DrainNotice) => unknown

/** The reason with which `HttpRequest.drainSignal` aborts. */
export class DrainError extends RrError {
  readonly notice: DrainNotice

  constructor(notice: DrainNotice) {
    const what = notice.isStopping ? 'is draining' : 'is about to drain'
    const until = new Date(notice.deadlineMs).toISOString()
    super('RR_DRAINING', `the server ${what}: open answers are cut at ${until}`)
    this.notice = notice
  }
}

/**
 * The notice without those that have come to nothing: a drain was to be expected, its deadline has
 * passed, and there was none.
 */
export function standingNotice(notice: DrainNotice | null): DrainNotice | null {
  if (notice === null || notice.isStopping) return notice
  return notice.deadlineMs < Date.now() ? null : notice
}
