/** What became of requests, each of which is counted in exactly one row. */
export interface LossTally {
  /** A complete answer came, and it was the right one. */
  answered: number
  /** The connection for it was refused. */
  refused: number
  /** The same, after `expectRefusals()`: nobody is to listen any more, so this is no failure. */
  refusedAfterStop: number
  /**
   * Closed without an answer, on a connection that had not been answered on before: it may have
   * waited in a listening socket's queue, accepted by nobody.
   */
  resetOnNewConnection: number
  /** Closed without an answer, on a connection that had been answered on before. */
  resetBeforeAnswer: number
  /** Closed within the answer. */
  cutInAnswer: number
  /** Another status or body than the right ones, or bytes that nobody had asked for. */
  wrongAnswer: number
  timedOut: number
}

export const FAILURES = [
  'refused',
  'resetOnNewConnection',
  'resetBeforeAnswer',
  'cutInAnswer',
  'wrongAnswer',
  'timedOut',
] as const satisfies readonly (keyof LossTally)[]

export function emptyTally(): LossTally {
  return {
    answered: 0,
    refused: 0,
    refusedAfterStop: 0,
    resetOnNewConnection: 0,
    resetBeforeAnswer: 0,
    cutInAnswer: 0,
    wrongAnswer: 0,
    timedOut: 0,
  }
}

/** Requests that failed, of any kind. */
export function failuresOf(tally: LossTally): number {
  return FAILURES.reduce((sum, kind) => sum + tally[kind], 0)
}

/** What happened between two readings of the same tally. */
export function tallySince(before: LossTally, now: LossTally): LossTally {
  const since = emptyTally()
  for (const kind of Object.keys(since) as (keyof LossTally)[]) {
    since[kind] = now[kind] - before[kind]
  }
  return since
}

/** One line: the failures by kind, those that did not occur left out. */
export function describeTally(tally: LossTally): string {
  const failed = FAILURES.filter((kind) => tally[kind] > 0).map((kind) => `${kind} ${tally[kind]}`)
  const after =
    tally.refusedAfterStop > 0 ? `, refused after the stop ${tally.refusedAfterStop}` : ''
  const which = failed.length > 0 ? ` (${failed.join(', ')})` : ''
  return `${tally.answered} answered, ${failuresOf(tally)} failed${which}${after}`
}
