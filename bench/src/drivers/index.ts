import type { LoadDriver } from '../model.ts'
import { createInRepoDriver } from './in-repo.ts'
import { wrkDriver } from './wrk.ts'
import { wrk2Driver } from './wrk2.ts'

export { createInRepoDriver, wrk2Driver, wrkDriver }

/** All drivers, whether they are here or not. */
export const DRIVERS: readonly LoadDriver[] = [wrkDriver, wrk2Driver, createInRepoDriver()]
