/**
 * What the parts of the harness agree on: scenarios say what is asked and what the right answer is,
 * drivers put load on a server, servers answer, the grid runs every combination and counts.
 */

/** One request of a scenario. Drivers send the same list over and over. */
export interface RequestSpec {
  readonly method: string
  /** Path and query, percent-encoded. */
  readonly target: string
  /** Besides Host, which the driver adds first; `content-length` is the driver's too. */
  readonly headers: readonly (readonly [string, string])[]
  readonly body: Uint8Array | null
  /** How the body goes out: whole, in about 16 chunks, or after a 100. */
  readonly bodyMode: 'length' | 'chunked' | 'expect-continue'
}

/** The right answer to a request, the same for every server. */
export interface ExpectedAnswer {
  readonly status: number
  /** Without regard to case and to spaces around `;`; null where there is none. */
  readonly contentType: string | null
  /** The body's bytes; null where `checkBody` says what is right. */
  readonly body: Uint8Array | null
  /** Null when the body is right, else what is wrong with it. */
  readonly checkBody: ((body: Uint8Array) => string | null) | null
  /** Other fields that must be there, with their values or a pattern. */
  readonly headers: readonly (readonly [string, string | RegExp])[]
}

/** How load is put on. */
export type LoadShape =
  /** Keep-alive connections, `pipelining` requests outstanding on each. */
  | { readonly kind: 'keep-alive'; readonly connections: number; readonly pipelining: number }
  /** A new connection for each request. */
  | { readonly kind: 'connection-per-request'; readonly connections: number }
  /** Bursts of new connections, each with one request, all at once. */
  | { readonly kind: 'connection-storm'; readonly burst: number }
  /** Clients that send a byte now and then, beside those that are measured. */
  | { readonly kind: 'slow-clients'; readonly connections: number; readonly slow: number }
  /** Streams that stay open; what is measured is events. */
  | { readonly kind: 'event-stream'; readonly connections: number }

export interface Scenario {
  readonly name: string
  /** One line for the results page: what it measures. */
  readonly summary: string
  readonly requests: readonly { readonly request: RequestSpec; readonly answer: ExpectedAnswer }[]
  readonly shape: LoadShape
  /** Why rr cannot serve it yet, or null. Then it is listed and not run. */
  readonly notYet: string | null
}

/** A server under test. Its program answers every scenario that it can. */
export interface BenchServer {
  readonly name: string
  /** Its version as it is here, or why it is not here. */
  probe(): Promise<{ readonly version: string } | { readonly missing: string }>
  /** Scenarios that this server is not run on, with the reason, such as no request bodies. */
  readonly without: Readonly<Record<string, string>>
  /** True where it can use more than one core. */
  readonly canScale: boolean
  /** How to start it on a port of 127.0.0.1; it prints `http://127.0.0.1:PORT` once it listens. */
  command(options: { readonly port: number; readonly workers: number }): Promise<{
    readonly program: string
    readonly parameters: readonly string[]
    readonly env: Readonly<Record<string, string>>
    /** Files made for this run, removed afterwards. */
    readonly temporary: readonly string[]
  }>
}

/** What a driver is asked to do. */
export interface LoadPlan {
  readonly url: string
  readonly scenario: Scenario
  readonly seconds: number
  /** Requests a second over all connections at a constant rate; null for closed loop. */
  readonly rate: number | null
  /** The CPUs that the driver is bound to; empty for any. */
  readonly cpus: readonly number[]
}

/** Latencies in microseconds. */
export interface LatencySummary {
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly p999: number
  readonly p9999: number
  readonly max: number
  readonly mean: number
  /** For plots: percentile (0 to 100) and value, ascending. */
  readonly curve: readonly (readonly [number, number])[]
}

export interface LoadResult {
  readonly driver: string
  readonly requests: number
  readonly seconds: number
  /** By kind: connect, read, write, timeout, status, body. */
  readonly errors: Readonly<Record<string, number>>
  /** From the intended start of each request: what a user sees. Null in closed loop. */
  readonly corrected: LatencySummary | null
  /** From the actual send. */
  readonly uncorrected: LatencySummary
  /** CPU time of the driver over the run's wall time, 1 for a core. */
  readonly driverCpu: number
  /** True when the driver, not the server, was the limit. */
  readonly isDriverBound: boolean
  /** At a constant rate: true when the rate was not kept. */
  readonly isSaturated: boolean
  /** At a constant rate: how well the driver kept its own schedule, where it knows. */
  readonly schedule?: ScheduleQuality
}

/** The driver's part in the latencies of a constant-rate run. */
export interface ScheduleQuality {
  /**
   * Microseconds from the intended start to the driver's getting to it, whether it could be sent
   * then or had to wait for the server.
   */
  readonly lateP50: number
  readonly lateP99: number
  readonly lateMax: number
  /** Share of the wall time in which the driver only waited. It may spin then: see `driverCpu`. */
  readonly idleShare: number
}

export interface LoadDriver {
  readonly name: string
  /** Its version as it is here, or why it is not here. */
  probe(): Promise<{ readonly version: string } | { readonly missing: string }>
  /** True when it can put on this load. */
  can(plan: LoadPlan): boolean
  run(plan: LoadPlan): Promise<LoadResult>
}
