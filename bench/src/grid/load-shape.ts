import type { LoadShape, Scenario } from '../model.ts'

/** The scenario with another number of connections; null leaves what it says. */
export function withConnections(scenario: Scenario, connections: number | null): Scenario {
  if (connections === null) return scenario
  const { shape } = scenario
  const changed: LoadShape =
    shape.kind === 'connection-storm' ? { ...shape, burst: connections } : { ...shape, connections }
  return { ...scenario, shape: changed }
}

/** The load in words, for tables. */
export function describeShape(shape: LoadShape): string {
  switch (shape.kind) {
    case 'keep-alive':
      return shape.pipelining === 1
        ? `${shape.connections} connections`
        : `${shape.connections} connections, ${shape.pipelining} requests outstanding on each`
    case 'connection-per-request':
      return `${shape.connections} at a time, a new connection for each request`
    case 'connection-storm':
      return `bursts of ${shape.burst} new connections`
    case 'slow-clients':
      return `${shape.connections} connections beside ${shape.slow} slow ones`
    case 'event-stream':
      return `${shape.connections} open streams; events are counted`
  }
}
