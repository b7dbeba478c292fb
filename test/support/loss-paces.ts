import type { Pace } from './loss-scenarios.ts'

/** The two ways in which loss is measured, by the name they have in reports. */
export const PACES: Readonly<Record<string, Pace>> = {
  '64 clients, each as fast as it is answered': {
    connections: 64,
    perSecond: undefined,
    answersBetween: 500,
  },
  // Each client waits between two requests, so that connections are idle when things change; below
  // what the slowest machine of the gate can do.
  '64 clients, 1000 requests a second in all': {
    connections: 64,
    perSecond: 1000,
    answersBetween: 500,
  },
}
