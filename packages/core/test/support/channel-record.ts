import { type ChannelListener, subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Test } from 'tap'
import type { RequestMessage } from '../../src/diagnostics.ts'

export interface Heard {
  readonly name: string
  readonly message: RequestMessage
  /** As the fields were at that moment. */
  readonly route: string | null
  readonly status: number
  readonly error: unknown
  readonly bodyBytes: number | null
}

/** Listens to channels of requests until the test ends or `stop` is called. */
export class ChannelRecord {
  readonly heard: Heard[] = []
  readonly stop: () => void

  constructor(t: Test, names: readonly string[]) {
    const listeners = names.map((name): [string, ChannelListener] => [name, this.#listener(name)])
    this.stop = () => {
      for (const [name, listener] of listeners) unsubscribe(name, listener)
    }
    for (const [name, listener] of listeners) subscribe(name, listener)
    t.teardown(this.stop)
  }

  get names(): string[] {
    return this.heard.map(({ name }) => name)
  }

  #listener(name: string): ChannelListener {
    return (given) => {
      const message = given as RequestMessage
      const { route, status, error, bodyBytes } = message
      this.heard.push({ name, message, route, status, error, bodyBytes })
    }
  }
}
