import type { LoadShape, Scenario } from '../model.ts'
import { LARGE_64K_EXCHANGE } from './large-answers.ts'
import { HELLO_EXCHANGE, JSON_EXCHANGES, KEEP_ALIVE, SEARCH_EXCHANGE } from './reading.ts'
import { ECHO_EXCHANGE } from './request-bodies.ts'
import type { Exchange } from './request-spec.ts'
import { NOT_FOUND_EXCHANGES, ROUTE_EXCHANGES } from './routing.ts'

const take = (list: readonly Exchange[], from: number, count: number): readonly Exchange[] =>
  list.slice(from, from + count)

/** Twenty requests in an order that puts neither the costly nor the cheap ones together. */
const MIXED: readonly Exchange[] = [
  ...[HELLO_EXCHANGE, ...take(JSON_EXCHANGES, 0, 2), SEARCH_EXCHANGE, ECHO_EXCHANGE],
  ...[HELLO_EXCHANGE, ...take(ROUTE_EXCHANGES, 0, 3), LARGE_64K_EXCHANGE],
  ...[HELLO_EXCHANGE, ...take(JSON_EXCHANGES, 2, 2), ECHO_EXCHANGE, SEARCH_EXCHANGE],
  ...[HELLO_EXCHANGE, ...take(ROUTE_EXCHANGES, 3, 3), ...take(NOT_FOUND_EXCHANGES, 0, 1)],
]

const helloOver = (name: string, summary: string, shape: LoadShape): Scenario => ({
  name,
  summary,
  requests: [HELLO_EXCHANGE],
  shape,
  notYet: null,
})

/** What connections do, with hello on them; and all together. */
export const CONNECTION_SCENARIOS: readonly Scenario[] = [
  helloOver('pipelined_16', 'hello, 16 requests outstanding on each connection', {
    kind: 'keep-alive',
    connections: 64,
    pipelining: 16,
  }),
  helloOver('connection_per_request', 'hello, a new connection for each request', {
    kind: 'connection-per-request',
    connections: 64,
  }),
  // Below the smallest default backlog of the servers here (511): the storm must not be refused.
  helloOver('connection_storm', 'hello, 256 new connections at once, again and again', {
    kind: 'connection-storm',
    burst: 256,
  }),
  helloOver('slow_clients', 'hello, beside 256 clients that send a byte now and then', {
    kind: 'slow-clients',
    connections: 64,
    slow: 256,
  }),
  {
    name: 'mixed_workload',
    summary: 'twenty requests of eight kinds in turn',
    requests: MIXED,
    shape: KEEP_ALIVE,
    notYet: null,
  },
]
