import type { LoadDriver, LoadPlan } from '../model.ts'

/** In `auto`, programs in C come first: on few cores the load must be cheaper than the server. */
const CLOSED_LOOP_ORDER = ['wrk', 'in-repo']
const CONSTANT_RATE_ORDER = ['wrk2', 'in-repo']

/**
 * The driver for a plan: the one asked for where it can put on that load, else the first that can.
 * It depends on the scenario and the kind of run only, so that all servers of a row get the same.
 *
 * @param drivers those that are here
 */
export function chooseDriver(
  drivers: readonly LoadDriver[],
  plan: LoadPlan,
  preferred: string,
): LoadDriver | null {
  const order = plan.rate === null ? CLOSED_LOOP_ORDER : CONSTANT_RATE_ORDER
  const names = [preferred, ...order]
  const ranked = [
    ...names.flatMap((name) => drivers.filter((driver) => driver.name === name)),
    ...drivers,
  ]
  return ranked.find((driver) => driver.can(plan)) ?? null
}
