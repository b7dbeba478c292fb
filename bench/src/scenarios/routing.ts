import type { Scenario } from '../model.ts'
import { NOT_FOUND } from './payloads.ts'
import { KEEP_ALIVE } from './reading.ts'
import { answer, type Exchange, get } from './request-spec.ts'
import { ROUTES, routeAnswer } from './route-table.ts'

/** Coprime to the number of routes: neighbours in the table are not asked for in turn. */
const STRIDE = 73

export const ROUTE_EXCHANGES: readonly Exchange[] = ROUTES.map((_, i) => {
  const route = ROUTES[(i * STRIDE) % ROUTES.length]
  if (route === undefined) throw new Error('the stride leaves the table')
  const values = route.params.map((name) => `${name}-${1000 + route.index}`)
  const target = route.params.reduce(
    (path, name, n) => path.replace(`:${name}`, values[n] ?? ''),
    route.pattern,
  )
  return { request: get(target), answer: answer(routeAnswer(route.index, values[0], values[1])) }
})

/** Near misses of the table and paths that have nothing to do with it. */
const MISSES = ['/nothing/here', '/api/users/7/items', '/api/unknown/7', '/api/tasks/7/other/8']

export const NOT_FOUND_EXCHANGES: readonly Exchange[] = MISSES.map((path) => ({
  request: get(path),
  answer: answer(NOT_FOUND, { status: 404 }),
}))

/** Many paths. */
export const ROUTING_SCENARIOS: readonly Scenario[] = [
  {
    name: 'varied_paths_router',
    summary: '200 routes, 50 of them with parameters, asked for in turn',
    requests: ROUTE_EXCHANGES,
    shape: KEEP_ALIVE,
    notYet: null,
  },
  {
    name: 'router_404',
    summary: 'paths that no route matches',
    requests: NOT_FOUND_EXCHANGES,
    shape: KEEP_ALIVE,
    notYet: null,
  },
]
