/**
 * The 200 routes of `varied_paths_router`: for each of 25 resources six static paths, one with a
 * parameter and one with two. Servers register them in their own way.
 */
export interface TableRoute {
  /** Its place in the table, which is what it answers with. */
  readonly index: number
  /** Parameters as `:name`, each a whole segment. */
  readonly pattern: string
  readonly params: readonly string[]
}

export const RESOURCES: readonly string[] = [
  ...['accounts', 'albums', 'articles', 'bookings', 'carts'],
  ...['categories', 'comments', 'customers', 'devices', 'documents'],
  ...['events', 'invoices', 'messages', 'orders', 'payments'],
  ...['photos', 'products', 'projects', 'reports', 'reviews'],
  ...['shipments', 'tasks', 'teams', 'tickets', 'users'],
]

const STATIC_TAILS = ['', '/search', '/recent', '/export', '/stats', '/archive']
const PARAM_TAILS = [
  { tail: '/:id', params: ['id'] },
  { tail: '/:id/items/:item', params: ['id', 'item'] },
]
/** Routes of one resource: the n-th resource's begin at n times this. */
export const ROUTES_PER_RESOURCE: number = STATIC_TAILS.length + PARAM_TAILS.length
/** Places of the routes with parameters among those of their resource. */
export const ONE_PARAM_OFFSET: number = STATIC_TAILS.length
export const TWO_PARAMS_OFFSET: number = STATIC_TAILS.length + 1

export const ROUTES: readonly TableRoute[] = RESOURCES.flatMap((resource, n) =>
  [...STATIC_TAILS.map((tail) => ({ tail, params: [] })), ...PARAM_TAILS].map(
    ({ tail, params }, offset) => ({
      index: n * ROUTES_PER_RESOURCE + offset,
      pattern: `/api/${resource}${tail}`,
      params,
    }),
  ),
)

/** What a route answers: its index, then the parameters' values. */
export function routeAnswer(index: number, first?: string, second?: string): string {
  if (first === undefined) return `route ${index}`
  if (second === undefined) return `route ${index} ${first}`
  return `route ${index} ${first} ${second}`
}
