import { MetricsBlock } from '../metrics-block.ts'
import type { AdminAddress } from '../server.ts'
import type { EventListener, SlotEvent } from '../server-events.ts'
import type { ServerSettings } from '../server-options.ts'
import { AdminServer } from './admin-server.ts'
import type { AdminSource } from './admin-source.ts'
import { RecentTroubles } from './recent-troubles.ts'

/** What the workers are started with for its sake. */
export interface AdminOrder {
  /** A MetricsBlock; null where nothing is measured. */
  readonly metrics: SharedArrayBuffer | null
  readonly notesErrors: boolean
}

/** Everything that a supervisor does for its admin server; nothing where the options ask for none. */
export class Admin {
  readonly order: AdminOrder
  readonly #server: AdminServer | null
  readonly #troubles: RecentTroubles = new RecentTroubles()

  /** @param seats as many as the control block has */
  constructor(
    settings: ServerSettings,
    seats: number,
    source: Pick<AdminSource, 'info' | 'seatsOf'>,
  ) {
    const { adminPort, adminHost, maxMetricSeries, replaceStalled } = settings
    const isWanted = adminPort >= 0
    const isMeasured = isWanted && settings.metrics
    const metrics = isMeasured ? MetricsBlock.create(seats, maxMetricSeries) : null
    this.order = { metrics: metrics?.buffer ?? null, notesErrors: isWanted }
    const troubles = this.#troubles
    this.#server = isWanted
      ? new AdminServer(adminHost, adminPort, {
          ...source,
          metrics,
          troubles,
          replacesStalled: replaceStalled,
        })
      : null
  }

  get address(): AdminAddress | null {
    return this.#server?.address ?? null
  }

  /** Keeps what goes wrong, and passes on what is for the listener. */
  watch(listener: EventListener): (event: SlotEvent) => void {
    return this.#troubles.watch(listener)
  }

  /**
   * Starts before the workers, so that probes are answered while these load.
   *
   * @throws RrError RR_BIND_FAILED
   */
  async start(emit: EventListener): Promise<void> {
    if (this.#server === null) return
    emit({ type: 'admin-listening', ...(await this.#server.start()) })
  }

  async close(): Promise<void> {
    await this.#server?.close()
  }
}
