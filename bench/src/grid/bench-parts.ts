import { DRIVERS } from '../drivers/index.ts'
import { SCENARIOS, verify } from '../scenarios/index.ts'
import { SERVERS } from '../servers.ts'
import type { BenchParts } from './bench-session.ts'

/** Everything that this repository can measure, and with what. */
export const benchParts: BenchParts = {
  scenarios: SCENARIOS,
  servers: SERVERS,
  drivers: DRIVERS,
  verify,
}
