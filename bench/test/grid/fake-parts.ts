import type { BenchServer, LoadDriver, LoadPlan, LoadResult, Scenario } from '../../src/model.ts'
import { sampleLatency } from '../report/sample-result.ts'

export function fakeScenario(name: string, changes: Partial<Scenario> = {}): Scenario {
  return {
    name,
    summary: `${name}.`,
    requests: [],
    shape: { kind: 'keep-alive', connections: 4, pipelining: 1 },
    notYet: null,
    ...changes,
  }
}

/** A server that runs a script of JavaScript; `PORT` is its port. */
export function scriptServer(name: string, script: string): BenchServer {
  return {
    name,
    probe: async () => ({ version: '1' }),
    without: {},
    canScale: false,
    command: async ({ port }) => ({
      program: process.execPath,
      parameters: ['-e', script],
      env: { PORT: String(port) },
      temporary: [],
    }),
  }
}

export const LISTENING_SCRIPT = `
  require('node:http').createServer((request, response) => response.end('hi'))
    .listen(process.env.PORT, '127.0.0.1', () => console.log('http://127.0.0.1:' + process.env.PORT))
`

/** A driver that sends nothing and says what it was asked. */
export function fakeDriver(name: string, plans: LoadPlan[], can: LoadDriver['can']): LoadDriver {
  const result: LoadResult = {
    driver: name,
    requests: 1000,
    seconds: 1,
    errors: {},
    corrected: null,
    uncorrected: sampleLatency(100),
    driverCpu: 0.5,
    isDriverBound: false,
    isSaturated: false,
  }
  return {
    name,
    probe: async () => ({ version: '1' }),
    can,
    run: async (plan) => {
      plans.push(plan)
      return result
    },
  }
}
