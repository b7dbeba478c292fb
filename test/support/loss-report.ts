import type { Test } from 'tap'
import type { LossReport, Round } from './loss-scenarios.ts'
import { describeTally, failuresOf } from './loss-tally.ts'

/** A report as lines: one for the whole, one for each round that lost something. */
export function reportLines(name: string, report: LossReport): string[] {
  const lines = [`${name}, ${report.rounds.length} times: ${describeTally(report.tally)}`]
  for (const [index, round] of report.rounds.entries()) {
    const { tally, connectionsLost, requestsLost } = round
    if (failuresOf(tally) + connectionsLost === 0) continue
    const counted = `the server counts ${connectionsLost} connections and ${requestsLost} requests`
    lines.push(`  ${index + 1}: ${describeTally(tally)}; lost with workers, ${counted}`)
  }
  for (const [text, times] of report.details) lines.push(`  ${times} times ${text}`)
  return lines
}

/** Failures, in words; none when everything was answered. */
export function findLosses({ tally }: LossReport): string[] {
  return failuresOf(tally) === 0 ? [] : [describeTally(tally)]
}

/**
 * What a killed worker must not have cost, in words. A client has one request at a time, so with
 * each connection of the worker one request can be lost: begun, or on its way. Connections that
 * nobody had accepted yet are none of its.
 */
export function findForeignLosses({ rounds }: LossReport): string[] {
  return rounds.flatMap((round, index) => {
    const found = foreignLosses(round)
    return found.map((text) => `${index + 1}: ${text}: ${describeTally(round.tally)}`)
  })
}

function foreignLosses({ tally, connectionsLost, requestsLost }: Round): string[] {
  const found: string[] = []
  const resets = tally.resetOnNewConnection + tally.resetBeforeAnswer + tally.cutInAnswer
  if (resets > connectionsLost) found.push(`more than the ${connectionsLost} of the worker`)
  if (tally.refused + tally.wrongAnswer + tally.timedOut > 0) found.push('other than lost')
  // One of them may be the request that kills the worker, which is none of the clients'.
  if (requestsLost - 1 > failuresOf(tally)) found.push(`fewer than the ${requestsLost} told of`)
  return found
}

export function commentReport(t: Test, name: string, report: LossReport): void {
  for (const line of reportLines(name, report)) t.comment(line)
}
