import { LatencyRecord } from '../../../src/drivers/latency-record.ts'
import type {
  PlannedRequest,
  ProcessPlan,
  ProcessResult,
} from '../../../src/drivers/load-messages.ts'
import { createLoadRun } from '../../../src/drivers/load-run.ts'
import type { LoadPlan, LoadShape, RequestSpec, Scenario } from '../../../src/model.ts'

export function keepAlive(connections: number, pipelining = 1): LoadShape {
  return { kind: 'keep-alive', connections, pipelining }
}

export function get(target: string, more: Partial<RequestSpec> = {}): RequestSpec {
  return { method: 'GET', target, headers: [], body: null, bodyMode: 'length', ...more }
}

export function planned(
  request: RequestSpec,
  status = 200,
  bodyBytes: number | null = 2,
): PlannedRequest {
  return { request, status, bodyBytes }
}

export function processPlan(
  port: number,
  requests: readonly PlannedRequest[],
  more: Partial<ProcessPlan> = {},
): ProcessPlan {
  const shape = keepAlive(2)
  const common = { host: '127.0.0.1', seconds: 0.15, rate: null, firstDueUs: 0, timeoutMs: 5000 }
  return { ...common, port, requests, shape, ...more }
}

/** Runs a plan on this thread. */
export async function runHere(plan: ProcessPlan): Promise<ProcessResult> {
  const run = createLoadRun(plan)
  await run.open()
  return run.run()
}

export function loadPlan(
  port: number,
  scenario: Partial<Scenario>,
  more: Partial<LoadPlan> = {},
): LoadPlan {
  const whole: Scenario = {
    ...{ name: 'test', summary: '', notYet: null, shape: keepAlive(2), requests: [expecting()] },
    ...scenario,
  }
  const url = `http://127.0.0.1:${port}`
  return { url, scenario: whole, seconds: 0.2, rate: null, cpus: [], ...more }
}

/** A request of a scenario with its answer. */
export function expecting(
  request: RequestSpec = get('/ok'),
  body: string | null = 'ok',
  status = 200,
): Scenario['requests'][number] {
  const bytes = body === null ? null : new TextEncoder().encode(body)
  const answer = { status, contentType: null, body: bytes, checkBody: null, headers: [] }
  return { request, answer }
}

/** How many values are at least so great, to within the share that one value is. */
export function countAtLeast(encoded: string | null, us: number): number {
  const record = new LatencyRecord(encoded)
  let low = 0
  let high = record.count
  while (low < high) {
    const rank = Math.floor((low + high) / 2)
    // The value of that rank, from its middle, so that rounding does not decide.
    if (record.percentile((100 * (rank + 0.5)) / record.count) < us) low = rank + 1
    else high = rank
  }
  return record.count - low
}
