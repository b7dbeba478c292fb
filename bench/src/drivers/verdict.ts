import type { ScheduleQuality } from '../model.ts'

/** A core that is busier than this has nothing left: it is the limit. */
const MAX_BUSY_SHARE = 0.95
/**
 * Sends later than this by the driver's own doing are no longer noise beside the latencies. The spin
 * loop is at some 10 us; a millisecond is what a driver with timers has, or one that lacks a core.
 */
const MAX_LATE_P99_US = 1000
/** A run that did less than this of what was asked has not kept the rate. */
const MIN_KEPT_SHARE = 0.99

/** In closed loop CPU time tells; at a constant rate the driver spins, so its waiting does. */
export function isDriverBound(cpuShare: number, schedule: ScheduleQuality | null): boolean {
  if (schedule === null) return cpuShare > MAX_BUSY_SHARE
  return 1 - schedule.idleShare > MAX_BUSY_SHARE || schedule.lateP99 > MAX_LATE_P99_US
}

/** True when fewer requests were done than the rate asks for. */
export function isShort(done: number, asked: number): boolean {
  return done < asked * MIN_KEPT_SHARE
}
