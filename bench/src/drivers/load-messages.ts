import type { LoadShape, RequestSpec } from '../model.ts'

/** A request and what is cheap to check of every answer to it. */
export interface PlannedRequest {
  readonly request: RequestSpec
  readonly status: number
  /** The answer's body length, or null where it is not known beforehand. */
  readonly bodyBytes: number | null
}

/** What one load process does. Only values that can be sent to another process. */
export interface ProcessPlan {
  readonly host: string
  readonly port: number
  readonly requests: readonly PlannedRequest[]
  /** The share of this process: its connections, its slow clients, its burst. */
  readonly shape: LoadShape
  readonly seconds: number
  /** The share of this process in the rate; null for closed loop. */
  readonly rate: number | null
  /** When the first request is due, so that processes do not send at the same moments. */
  readonly firstDueUs: number
  /** After this time an answer is given up and its connection closed. */
  readonly timeoutMs: number
}

/** One of the first answers to a request, for a check of the whole of it. */
export interface AnswerSample {
  /** Which request of the plan. */
  readonly request: number
  readonly status: number
  readonly body: Uint8Array
}

/** How well the schedule of a constant rate was kept. */
export interface ScheduleTally {
  /** Sent by the end of the run, and due by then. */
  readonly sent: number
  readonly due: number
  readonly isBacklogGrowing: boolean
  /** Encoded LatencyRecord: from the intended start to the request's turn in the loop. */
  readonly late: string
  /** Share of the wall time in which the loop only waited, for the next send or for answers. */
  readonly idleShare: number
}

/** What one load process counted. */
export interface ProcessResult {
  readonly requests: number
  readonly seconds: number
  readonly errors: Readonly<Record<string, number>>
  /** Encoded LatencyRecords. */
  readonly corrected: string | null
  readonly uncorrected: string
  /** CPU time while requests were given out, over the wall time of that: 1 for a core. */
  readonly cpuShare: number
  readonly schedule: ScheduleTally | null
  readonly samples: readonly AnswerSample[]
}

export type MessageToProcess =
  | { readonly kind: 'plan'; readonly plan: ProcessPlan }
  | { readonly kind: 'start' }

export type MessageFromProcess =
  /** Connections are open: the clock may start. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'result'; readonly result: ProcessResult }
  | { readonly kind: 'failed'; readonly message: string }
