import type { Cell, MeasuredRun, ResultFile, RunRecord } from '../../src/grid/result-file.ts'
import type { LatencySummary } from '../../src/model.ts'

/** A latency summary whose percentiles are multiples of one value in microseconds. */
export function sampleLatency(p50: number): LatencySummary {
  const at = { p50, p90: p50 * 2, p99: p50 * 4, p999: p50 * 8, p9999: p50 * 16 }
  const curve = [
    [50, at.p50],
    [90, at.p90],
    [99, at.p99],
    [99.9, at.p999],
    [99.99, at.p9999],
    [100, p50 * 20],
  ] as const
  return { ...at, max: p50 * 20, mean: p50 * 1.2, curve }
}

export interface SampleRun {
  readonly rps: number
  readonly cpuMicroseconds: number
  readonly p50?: number
  readonly disturbance?: Partial<MeasuredRun['disturbance']>
  readonly marks?: Partial<Pick<MeasuredRun['load'], 'errors' | 'isDriverBound' | 'isSaturated'>>
}

export function sampleMeasured(run: SampleRun, isConstantRate: boolean): MeasuredRun {
  const seconds = 5
  const requests = run.rps * seconds
  const p50 = run.p50 ?? 400
  return {
    load: {
      driver: 'in-repo',
      requests,
      seconds,
      errors: {},
      corrected: isConstantRate ? sampleLatency(p50) : null,
      uncorrected: sampleLatency(p50 / 2),
      driverCpu: 0.6,
      isDriverBound: false,
      isSaturated: false,
      ...run.marks,
    },
    serverCpuMicroseconds: run.cpuMicroseconds * requests,
    serverPeakRssBytes: 80 * 1024 * 1024,
    serverProcesses: 1,
    disturbance: { otherCpu: 0, stolenCpu: 0, ...run.disturbance },
  }
}

/** Runs of one row, one a round. */
export function sampleRuns(
  at: Pick<RunRecord, 'scenario' | 'server' | 'fraction' | 'rate'>,
  rounds: readonly SampleRun[],
): RunRecord[] {
  return rounds.map((run, index) => ({
    ...{ sequence: index + 1, round: index + 1, ...at },
    measured: sampleMeasured(run, at.fraction !== null),
    failure: null,
  }))
}

/** Three rounds around a throughput and a cost, 2 % apart. */
export function around(rps: number, cpuMicroseconds: number, p50 = 400): SampleRun[] {
  return [1, 0.99, 1.01].map((factor) => ({
    rps: rps * factor,
    cpuMicroseconds: cpuMicroseconds * factor,
    p50: p50 * factor,
  }))
}

const KEEP_ALIVE = { kind: 'keep-alive', connections: 64, pipelining: 1 } as const

const CELLS: readonly Cell[] = [
  { scenario: 'hello', server: 'rr', state: 'measured', reason: null },
  { scenario: 'hello', server: 'node-http', state: 'measured', reason: null },
  { scenario: 'hello', server: 'nginx', state: 'missing', reason: 'no nginx on PATH' },
  { scenario: 'echo', server: 'rr', state: 'measured', reason: null },
  { scenario: 'echo', server: 'node-http', state: 'wrong', reason: 'POST /echo: status 404' },
  { scenario: 'echo', server: 'nginx', state: 'missing', reason: 'no nginx on PATH' },
]

/** A small result with one of everything that the page shows. */
export function sampleResult(changes: Partial<ResultFile> = {}): ResultFile {
  return {
    kind: 'rr-bench',
    schema: 1,
    startedAt: '2026-01-02T03:04:05.000Z',
    finishedAt: '2026-01-02T03:14:05.000Z',
    isPartial: false,
    machine: {
      cpuModel: 'Sample CPU',
      cpuCount: 2,
      physicalCoreCount: 2,
      memoryBytes: 8 * 1024 ** 3,
      kernel: 'Linux 6.1.0',
      isVirtual: true,
      frequencyGovernor: null,
      maxOpenFiles: '1024',
      sysctls: { 'net.core.somaxconn': '4096' },
    },
    software: {
      node: 'v26.0.0',
      drivers: [
        { name: 'in-repo', version: '0.1.0', missing: null },
        { name: 'wrk2', version: null, missing: 'not on PATH' },
      ],
    },
    commit: { hash: '0123456789abcdef', isDirty: false },
    options: {
      ...{ rounds: 3, seconds: 5, warmUpSeconds: 2, workers: 1, connections: null },
      ...{ driver: 'auto', fractions: [0.75] },
    },
    cpus: { server: [0], driver: [1], note: 'server on CPU 0, driver on CPU 1' },
    scenarios: [
      { name: 'hello', summary: 'A fixed text.', shape: KEEP_ALIVE, notYet: null },
      { name: 'echo', summary: 'Posts 1 KiB.', shape: KEEP_ALIVE, notYet: null },
      { name: 'gzip', summary: 'Compressed.', shape: KEEP_ALIVE, notYet: 'no middleware | yet' },
    ],
    servers: [
      { name: 'rr', version: '0.1.0', missing: null },
      { name: 'node-http', version: 'v26.0.0', missing: null },
      { name: 'nginx', version: null, missing: 'no nginx on PATH' },
    ],
    cells: CELLS,
    runs: [
      ...sampleRuns(
        { scenario: 'hello', server: 'rr', fraction: null, rate: null },
        around(100_000, 9),
      ),
      ...sampleRuns({ scenario: 'hello', server: 'node-http', fraction: null, rate: null }, [
        ...around(80_000, 12).slice(0, 2),
        { rps: 80_000, cpuMicroseconds: 12, marks: { isDriverBound: true, errors: { read: 2 } } },
      ]),
      ...sampleRuns(
        { scenario: 'hello', server: 'rr', fraction: 0.75, rate: 75_000 },
        around(75_000, 9.5),
      ),
      ...sampleRuns({ scenario: 'hello', server: 'node-http', fraction: 0.75, rate: 60_000 }, [
        {
          rps: 50_000,
          cpuMicroseconds: 13,
          p50: 800,
          marks: { isSaturated: true },
          disturbance: { otherCpu: 0.42 },
        },
      ]),
      ...sampleRuns(
        { scenario: 'echo', server: 'rr', fraction: null, rate: null },
        around(60_000, 15),
      ),
    ],
    ...changes,
  }
}
