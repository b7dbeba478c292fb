import type { Clock } from '../../src/transport.ts'

/** A clock that moves when told to. Starts at a time that no test takes for "never". */
export class FakeClock implements Clock {
  nowMs = 1_000_000
}
