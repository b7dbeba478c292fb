import type { BenchServer, Scenario } from '../model.ts'
import type { Cell, ProbedPart } from './result-file.ts'
import type { ServerRun } from './server-run.ts'

/** What is wrong with the answers of the server at `url`; empty when it may be timed. */
export type Verify = (url: string, scenario: Scenario) => Promise<readonly string[]>

export interface CheckContext {
  readonly scenarios: readonly Scenario[]
  readonly servers: readonly BenchServer[]
  readonly workers: number
  start(server: BenchServer, signal: AbortSignal): Promise<ServerRun>
  readonly verify: Verify
  /** Called when all scenarios of a server have been looked at. */
  onServer(server: ProbedPart, cells: readonly Cell[]): void
}

interface Probed {
  readonly name: string
  probe(): Promise<{ readonly version: string } | { readonly missing: string }>
}

export async function probePart(part: Probed): Promise<ProbedPart> {
  try {
    const found = await part.probe()
    return 'version' in found
      ? { name: part.name, version: found.version, missing: null }
      : { name: part.name, version: null, missing: found.missing }
  } catch (error) {
    return { name: part.name, version: null, missing: messageOf(error) }
  }
}

/**
 * Finds out, before anything is timed, which servers are here and answer right. Every combination
 * gets a cell, with the reason where it is not measured: a table that leaves a server out without
 * a word looks as if nobody had thought of it.
 */
export async function checkServers(
  context: CheckContext,
  signal: AbortSignal,
): Promise<{ readonly servers: readonly ProbedPart[]; readonly cells: readonly Cell[] }> {
  const servers: ProbedPart[] = []
  const cells: Cell[] = []
  for (const server of context.servers) {
    signal.throwIfAborted()
    const probed = await probePart(server)
    const own = await checkServer(server, probed, context, signal)
    servers.push(probed)
    cells.push(...own)
    context.onServer(probed, own)
  }
  return { servers, cells }
}

async function checkServer(
  server: BenchServer,
  probed: ProbedPart,
  context: CheckContext,
  signal: AbortSignal,
): Promise<Cell[]> {
  const cells: Cell[] = []
  const runs: ServerRun[] = []
  try {
    for (const scenario of context.scenarios) {
      const found =
        withoutAsking(server, probed, scenario, context.workers) ??
        (await ask(server, scenario, runs, context, signal))
      cells.push({ scenario: scenario.name, server: server.name, ...found })
    }
  } finally {
    for (const run of runs) await run.end()
  }
  return cells
}

/** @param runs the server's processes so far; a new one is added when the last one has ended */
async function ask(
  server: BenchServer,
  scenario: Scenario,
  runs: ServerRun[],
  context: CheckContext,
  signal: AbortSignal,
): Promise<Pick<Cell, 'state' | 'reason'>> {
  try {
    let run = runs.at(-1)
    if (run === undefined || !run.isRunning()) {
      run = await context.start(server, signal)
      runs.push(run)
    }
    const problems = await context.verify(run.url, scenario)
    return problems.length === 0
      ? { state: 'measured', reason: null }
      : { state: 'wrong', reason: problems.join('; ') }
  } catch (error) {
    return { state: 'wrong', reason: messageOf(error) }
  } finally {
    signal.throwIfAborted()
  }
}

function withoutAsking(
  server: BenchServer,
  probed: ProbedPart,
  scenario: Scenario,
  workers: number,
): Pick<Cell, 'state' | 'reason'> | null {
  if (scenario.notYet !== null) return { state: 'not-run', reason: `not yet: ${scenario.notYet}` }
  if (probed.missing !== null) return { state: 'missing', reason: probed.missing }
  const reason = server.without[scenario.name]
  if (reason !== undefined) return { state: 'not-run', reason }
  if (workers > 1 && !server.canScale) return { state: 'not-run', reason: 'it uses one core only' }
  return null
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
