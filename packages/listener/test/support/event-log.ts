import type { ServerEvent } from '../../src/server-events.ts'
import { until } from './until.ts'

type EventOf<Type extends ServerEvent['type']> = Extract<ServerEvent, { type: Type }>

/** Collects server events, for tests to wait for. */
export class EventLog {
  readonly events: ServerEvent[] = []
  readonly listener = (event: ServerEvent): void => {
    this.events.push(event)
  }

  of<Type extends ServerEvent['type']>(type: Type): EventOf<Type>[] {
    return this.events.filter((event): event is EventOf<Type> => event.type === type)
  }

  /** The nth event of a type (from 1), once it is there. */
  async wait<Type extends ServerEvent['type']>(type: Type, nth = 1): Promise<EventOf<Type>> {
    await until(() => this.of(type).length >= nth, `event ${type} number ${nth}`, 20_000)
    return this.of(type)[nth - 1]!
  }
}
