/**
 * The 200 routes for servers that bring no router (node:http, Deno): a Map for the paths that are
 * fixed, and for the others the segments by hand, which is faster than any general way such as
 * trying fifty URLPatterns one after the other.
 */
import {
  ONE_PARAM_OFFSET,
  RESOURCES,
  ROUTES,
  ROUTES_PER_RESOURCE,
  routeAnswer,
  TWO_PARAMS_OFFSET,
} from '../src/scenarios/route-table.ts'

const fixed = new Map(
  ROUTES.filter(({ params }) => params.length === 0).map(({ pattern, index }) => [pattern, index]),
)
const firstIndexes = new Map(RESOURCES.map((name, n) => [name, n * ROUTES_PER_RESOURCE]))

/** The answer to a path of the table, or null where no route matches. */
export function matchByHand(path: string): string | null {
  const index = fixed.get(path)
  if (index !== undefined) return routeAnswer(index)
  const [, root, resource = '', id, items, item, more] = path.split('/', 7)
  const first = firstIndexes.get(resource)
  if (root !== 'api' || first === undefined || !id) return null
  if (items === undefined) return routeAnswer(first + ONE_PARAM_OFFSET, decodeURIComponent(id))
  if (items !== 'items' || !item || more !== undefined) return null
  return routeAnswer(first + TWO_PARAMS_OFFSET, decodeURIComponent(id), decodeURIComponent(item))
}
