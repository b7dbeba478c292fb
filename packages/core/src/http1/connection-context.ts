import type {
  ConnectionMetrics,
  ConnectionShare,
  RequestDurations,
  RequestService,
} from '../exchange.ts'
import type { ForwardingPolicy } from '../forwarding.ts'
import type { HttpOptions } from '../http-options.ts'
import type { RefusalObserver, RequestAdmission } from '../refusal-entry.ts'
import type { Clock } from '../transport.ts'

/** What all connections of a listener share. */
export interface Http1Context {
  readonly limits: HttpOptions
  readonly clock: Clock
  readonly metrics: ConnectionMetrics
  readonly share: ConnectionShare | null
  readonly durations?: RequestDurations | null
  readonly service: RequestService
  readonly admission: RequestAdmission | null
  readonly onRefusal: RefusalObserver | null
  readonly workerId: number
  readonly forwarding: ForwardingPolicy | null
}
