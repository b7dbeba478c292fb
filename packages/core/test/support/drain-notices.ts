import type { DrainNotice } from '../../src/drain-notice.ts'

/** A day off, so that a notice without stopping is not over before its test is. */
const DAY_MS = 86_400_000

/** The server is stopping. */
export const STOPPING: DrainNotice = { deadlineMs: Date.now() + DAY_MS, isStopping: true }
/** A drain is to be expected. */
export const EXPECTED: DrainNotice = { deadlineMs: Date.now() + DAY_MS, isStopping: false }
