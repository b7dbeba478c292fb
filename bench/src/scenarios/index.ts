import type { Scenario } from '../model.ts'
import { CONNECTION_SCENARIOS } from './connections.ts'
import { LARGE_ANSWER_SCENARIOS } from './large-answers.ts'
import { READING_SCENARIOS } from './reading.ts'
import { REQUEST_BODY_SCENARIOS } from './request-bodies.ts'
import { ROUTING_SCENARIOS } from './routing.ts'

export { verify } from './verify.ts'

/** All scenarios, in the order of the results page. */
export const SCENARIOS: readonly Scenario[] = [
  ...READING_SCENARIOS,
  ...ROUTING_SCENARIOS,
  ...REQUEST_BODY_SCENARIOS,
  ...LARGE_ANSWER_SCENARIOS,
  ...CONNECTION_SCENARIOS,
]
