import type { Test } from 'tap'
import { listen } from '../../src/listen.ts'
import { type ServeOptions, serve } from '../../src/serve.ts'
import type { Server } from '../../src/server.ts'
import type { ListenOptionsInput } from '../../src/server-options.ts'
import { EventLog } from './event-log.ts'
import { fixtureUrl } from './fixture-url.ts'
import { RawClient } from './raw-client.ts'
import { SharedCounters } from './shared-counters.ts'

export interface TestServer {
  readonly server: Server
  readonly log: EventLog
  readonly counters: SharedCounters
  /** A connected client, closed at the end of the test. */
  connect(): Promise<RawClient>
}

type Parameters = Record<string, string>

/** Serves the fixture `troubles.ts` from workers, with the hooks fixture. */
export async function serveTroubles(
  t: Test,
  options: ServeOptions = {},
  parameters: Parameters = {},
  hooks: Record<string, unknown> = {},
): Promise<TestServer> {
  const log = new EventLog()
  const counters = new SharedCounters()
  const server = await serve(fixtureUrl('troubles.ts', parameters), {
    host: '127.0.0.1',
    port: 0,
    workers: 1,
    onEvent: log.listener,
    workerHooks: fixtureUrl('hooks.ts'),
    workerHooksData: { buffer: counters.buffer, ...hooks },
    ...options,
  })
  return wrap(t, server, log, counters)
}

let copies = 0

/** Serves the same application in this thread. */
export async function listenTroubles(
  t: Test,
  options: ListenOptionsInput = {},
  parameters: Parameters = {},
): Promise<TestServer> {
  const log = new EventLog()
  const counters = new SharedCounters()
  ;(globalThis as { rrCounters?: SharedArrayBuffer }).rrCounters = counters.buffer
  copies++
  const url = fixtureUrl('troubles.ts', { ...parameters, copy: String(copies) })
  const { default: app } = (await import(url.href)) as { default: unknown }
  const server = await listen(app, {
    host: '127.0.0.1',
    port: 0,
    onEvent: log.listener,
    ...options,
  })
  return wrap(t, server, log, counters)
}

function wrap(t: Test, server: Server, log: EventLog, counters: SharedCounters): TestServer {
  const clients: RawClient[] = []
  t.teardown(async () => {
    for (const client of clients) client.close()
    await server.stop()
  })
  return {
    server,
    log,
    counters,
    async connect() {
      const client = await RawClient.connect(server.port)
      clients.push(client)
      return client
    },
  }
}

/** Both ways to serve, for suites that hold for both. */
export const WAYS: readonly {
  readonly name: string
  readonly start: (
    t: Test,
    options?: ListenOptionsInput,
    parameters?: Parameters,
  ) => Promise<TestServer>
}[] = [
  { name: 'listen()', start: listenTroubles },
  {
    name: 'serve(), 1 worker',
    start: (t, options, parameters) => serveTroubles(t, { ...options, workers: 1 }, parameters),
  },
  {
    name: 'serve(), 2 workers',
    start: (t, options, parameters) => serveTroubles(t, { ...options, workers: 2 }, parameters),
  },
]

/** The body of the next answer, which must be 200 with a short text. */
export async function answer(client: RawClient, path: string, body: RegExp): Promise<string> {
  client.get(path)
  const text = await client.expect(
    new RegExp(`^HTTP/1.1 200 OK\\r\\n[\\s\\S]*?\\r\\n\\r\\n${body.source}`),
  )
  return text.slice(text.indexOf('\r\n\r\n') + 4)
}
