import t from 'tap'
import { describeShape, withConnections } from '../../src/grid/load-shape.ts'
import type { LoadShape } from '../../src/model.ts'
import { fakeScenario } from './fake-parts.ts'

const SHAPES: readonly LoadShape[] = [
  { kind: 'keep-alive', connections: 64, pipelining: 16 },
  { kind: 'connection-per-request', connections: 64 },
  { kind: 'connection-storm', burst: 64 },
  { kind: 'slow-clients', connections: 64, slow: 128 },
  { kind: 'event-stream', connections: 64 },
]

t.test('another number of connections, for every kind of load', async (t) => {
  for (const shape of SHAPES) {
    const scenario = fakeScenario('one', { shape })
    t.equal(withConnections(scenario, null), scenario)
    const { shape: changed } = withConnections(scenario, 7)
    t.equal(changed.kind, shape.kind)
    t.equal(changed.kind === 'connection-storm' ? changed.burst : changed.connections, 7)
    t.match(describeShape(changed), /\b7\b/)
  }
  const [pipelined] = SHAPES
  t.match(pipelined && describeShape(pipelined), /16 requests outstanding/)
})
