import type { SerializedError } from '../serialized-error.ts'
import { describeTrouble, type EventListener, type SlotEvent } from '../server-events.ts'

/** Something that went wrong, as the live page shows it. */
export interface Trouble {
  /** Counts up from 1. */
  readonly id: number
  /** Milliseconds since 1970. */
  readonly atMs: number
  readonly type: SlotEvent['type']
  readonly workerId: number | null
  /** One line. */
  readonly title: string
  /** More of it, such as a stack; empty without. */
  readonly detail: string
}

const MAX_TROUBLES = 50
const MAX_TITLE_LENGTH = 300
const MAX_DETAIL_LENGTH = 4000

/** Keeps the last troubles of a server. */
export class RecentTroubles {
  #troubles: Trouble[] = []
  #count = 0

  /** The newest first. */
  get list(): readonly Trouble[] {
    return this.#troubles
  }

  /** Passes a server's events on, but for those that are for this list alone. */
  watch(listener: EventListener): (event: SlotEvent) => void {
    return (event) => {
      const isNote = event.type === 'error-note'
      this.#note(isNote ? { ...event, type: 'handler-error' } : event)
      if (!isNote) listener(event)
    }
  }

  #note(event: Parameters<EventListener>[0]): void {
    const text = describeTrouble(event)
    if (text === null) return
    const [title = '', ...detail] = text.split('\n')
    const workerId = 'workerId' in event ? event.workerId : null
    this.#count++
    this.#troubles = [
      {
        id: this.#count,
        atMs: Date.now(),
        type: event.type,
        workerId,
        title: title.slice(0, MAX_TITLE_LENGTH),
        detail: (detail.join('\n') || causeOf(event)).slice(0, MAX_DETAIL_LENGTH),
      },
      ...this.#troubles.slice(0, MAX_TROUBLES - 1),
    ]
  }
}

/** An error whose stack has a single line may still have a cause. */
function causeOf(event: Parameters<EventListener>[0]): string {
  const error = 'error' in event ? (event.error as SerializedError | null) : null
  return error?.cause?.message ?? ''
}
