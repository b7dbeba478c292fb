import type { Test } from 'tap'
import { type ServeOptions, serve } from '../../src/serve.ts'
import type { WorkerServer } from '../../src/server.ts'
import { EventLog } from './event-log.ts'
import { fixtureUrl } from './fixture-url.ts'
import { RawClient } from './raw-client.ts'
import { RouteFile, routesSource } from './route-file.ts'
import { SharedCounters } from './shared-counters.ts'

export interface Routed {
  readonly server: WorkerServer
  readonly file: RouteFile
  readonly log: EventLog
  readonly counters: SharedCounters
  connect(): Promise<RawClient>
}

export async function startWith(
  t: Test,
  url: URL,
  options: ServeOptions = {},
): Promise<Omit<Routed, 'file'>> {
  const log = new EventLog()
  const counters = new SharedCounters()
  const server = await serve(url, {
    host: '127.0.0.1',
    port: 0,
    workers: 2,
    onEvent: log.listener,
    workerHooks: fixtureUrl('hooks.ts'),
    workerHooksData: { buffer: counters.buffer },
    ...options,
  })
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

export async function startRouted(t: Test, options?: ServeOptions): Promise<Routed> {
  const file = new RouteFile(t)
  file.write(routesSource('v1'))
  return { ...(await startWith(t, fixtureUrl('routed.ts', { routes: file.url }), options)), file }
}

/** What answers a request: such as `v1 of worker 2`. */
export async function ask(client: RawClient, path = '/'): Promise<string> {
  client.get(path)
  return takeAnswer(client)
}

export async function takeAnswer(client: RawClient): Promise<string> {
  const text = await client.expect(/^HTTP\/1.1 200 OK\r\n[\s\S]*?\r\n\r\nv\d+ of worker \d/)
  return text.slice(text.indexOf('\r\n\r\n') + 4)
}

/** A client of each worker. */
export async function oneOfEach({
  connect,
}: Pick<Routed, 'connect'>): Promise<[RawClient, RawClient]> {
  const found = new Map<string, RawClient>()
  while (found.size < 2) {
    const client = await connect()
    found.set((await ask(client)).slice(-1), client)
  }
  return [found.get('1')!, found.get('2')!]
}

export async function askEach(clients: readonly RawClient[]): Promise<string[]> {
  return await Promise.all(clients.map((client) => ask(client)))
}

export const OLD: readonly string[] = ['v1 of worker 1', 'v1 of worker 2']
export const NEW: readonly string[] = ['v2 of worker 1', 'v2 of worker 2']
